"""Which set of knowledge a release is judged by."""

import contextlib
import re
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

from nixcfg.knowledge import store
from nixcfg.knowledge.release import Knowledge

_RELEASE = re.compile(r"(?:.*[-_])?[vV]?([0-9]+)\.([0-9]+)\.([0-9]+)(?:[^0-9].*)?", re.DOTALL)
_Order = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Choice:
    """A set, and the release that it was asked for, "" where none is known.

    `is_known`: a set of the same minor line. Where it is not, what the set says may be too old or
    too new, and must not keep anyone from rendering.
    """

    knowledge: Knowledge
    asked: str
    is_known: bool


_ASKED: ContextVar[Knowledge | None] = ContextVar("asked", default=None)
_RUNNING: ContextVar[str] = ContextVar("running", default="")


@cache
def default() -> Knowledge:
    """The set of the release that nixcfg renders unless a project names another."""
    return Knowledge(None)


@cache
def known() -> tuple[str, ...]:
    """Every release with a set of its own, oldest first."""
    return tuple(sorted({default().version, *store.patched_releases()}, key=_order))


@cache
def of(release: str) -> Knowledge:
    """The set of a known release; KeyError for any other."""
    if release == default().version:
        return default()
    if release not in store.patched_releases():
        raise KeyError(release)
    return Knowledge(release)


def migrations(old: str, new: str) -> int | None:
    """How many migrations of the database lie between two releases; None where that is not known
    exactly."""
    if not {old, new} <= {*known()}:
        return None
    before, after = of(old).migrations, of(new).migrations
    return None if before is None or after is None else max(after - before, 0)


def choose(release: str = "") -> Choice:
    """The set for a release such as ``1.108.7`` or ``v1.108.7-stable``; the default one for "".

    In a known line the newest set that is not newer, or the line's oldest; else that of the
    nearest line.
    """
    asked = order(release)
    if asked is None:
        return Choice(default(), "", is_known=True)
    text = ".".join(map(str, asked))
    if text == default().version:
        return Choice(default(), text, is_known=True)
    line = [each for each in known() if _order(each)[:2] == asked[:2]]
    among = line or known()
    older = [each for each in among if _order(each) <= asked]
    return Choice(of(older[-1] if older else among[0]), text, is_known=bool(line))


def of_image(image: str) -> str:
    """The release in the tag of an image reference, "" where the tag names none."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    found = order(tag)
    return ".".join(map(str, found)) if found else ""


def order(release: str) -> _Order | None:
    """Major, minor and patch in a release or an image's tag, None where it names none."""
    found = _RELEASE.fullmatch(release)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _order(release: str) -> _Order:
    return order(release) or (0, 0, 0)


def current() -> Knowledge:
    """The set that a command asks: that of its project where it has one, else the default one."""
    return _ASKED.get() or default()


def judge(image: str) -> Choice:
    """The set for a machine: that of the release in its image's tag, unless LiteLLM runs here."""
    return choose(_RUNNING.get() or of_image(image))


@contextlib.contextmanager
def asking(knowledge: Knowledge) -> Iterator[None]:
    """Meanwhile `current` is this set."""
    token = _ASKED.set(knowledge)
    try:
        yield
    finally:
        _ASKED.reset(token)


@contextlib.contextmanager
def running(release: str) -> Iterator[None]:
    """Meanwhile every machine is judged by this release, whatever its image names: it runs here."""
    token = _RUNNING.set(release)
    try:
        with asking(choose(release).knowledge):
            yield
    finally:
        _RUNNING.reset(token)
