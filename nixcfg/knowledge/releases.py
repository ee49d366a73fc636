"""Which releases of LiteLLM are compromised, or have known holes. Pure, but for reading the data.

The data is modules/litellm-proxy/releases.json, which the NixOS module reads too, by the same
steps (releases.nix). tools/releases.py renews what comes from OSV.
"""

import datetime as dt
import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nixcfg.disk import shipped

OLD_DAYS = 30
"""After as many days the data may well lack an advisory."""

_RELEASE = re.compile(r"(?:.*[-_])?[vV]?([0-9]+)\.([0-9]+)\.([0-9]+)([^0-9].*)?", re.DOTALL)
_LITELLM = re.compile(r"(.*[-_.])?litellm([-_.].*)?", re.DOTALL)
_ALPHA = re.compile(r"[ab][0-9].*", re.DOTALL)

_Order = tuple[int, int, int, bool]


class Level(StrEnum):
    """`error`: exploited, or open to anyone who reaches the port; `warning`: any other hole."""

    COMPROMISED = "compromised"
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Advisory:
    """What is known of a release. `fixed` is the first release without it, `""` if none is."""

    id: str
    level: Level
    what: str
    severity: str
    fixed: str
    source: str

    def __str__(self) -> str:
        until = f"; fixed in {self.fixed}" if self.fixed else ""
        return f"{self.id} ({self.what}{until})"


def of_image(image: str) -> tuple[Advisory, ...]:
    """What is known of an image reference `registry/path/name:tag@sha256:...`.

    The tag counts where the name has the word litellm: 1.82.7 may be a sound release of another
    program. A digest counts under every name, so that a mirror hides nothing.
    """
    is_litellm, tag, digest = _parts(image)
    return _known(_order(tag) if is_litellm else None, digest)


def suspected(image: str) -> tuple[Advisory, ...]:
    """The compromised releases whose number an image has, while nothing says whether it is LiteLLM.

    A mirror may call 1.107.0 `llm:v1.107.0`; so may the owner of another program. A name with the
    word litellm decides that, and a digest says which image it is.
    """
    is_litellm, tag, digest = _parts(image)
    return () if is_litellm or digest else compromised(_known(_order(tag), ""))


def of_version(version: str) -> tuple[Advisory, ...]:
    """What is known of a release of the Python package, `1.83.7` or `1.84.0rc1`."""
    return _known(_order(version), "")


def is_floating(image: str) -> bool:
    """Whether the tag names one release today and another tomorrow."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if digest or any(character.isdigit() for character in tag):
        return False
    return not tag or not set(_data()["floating"]).isdisjoint(tag.split("-"))


def age(today: dt.date) -> int:
    """How many days ago the data was last compared with its sources."""
    return (today - dt.date.fromisoformat(_data()["updated"])).days


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A hole of which it is not known which releases have it; `unknown` says what is missing."""

    id: str
    what: str
    severity: str
    unknown: str

    def __str__(self) -> str:
        return f"{self.id} ({self.what}; severity {self.severity}): {self.unknown}"


def unresolved() -> tuple[Unresolved, ...]:
    """What no release can be judged by."""
    return tuple(
        Unresolved(each["id"], each["what"], each["severity"], each["unknown"])
        for each in _data()["unresolved"]
    )


def compromised(advisories: Iterable[Advisory]) -> tuple[Advisory, ...]:
    """Those of a release that holds malicious code."""
    return tuple(each for each in advisories if each.level is Level.COMPROMISED)


def way_out(advisories: Iterable[Advisory]) -> str:
    """The first release without any of them, `1.84.0`, or "" if there is none."""
    fixes = [each.fixed for each in advisories]
    return max(fixes, key=lambda text: _order(text) or (0, 0, 0, False)) if all(fixes) else ""


def _parts(image: str) -> tuple[bool, str, str]:
    """Whether the name has the word litellm, the tag, and the digest without `sha256:`."""
    name, _, digest = image.partition("@")
    *folders, last = name.split("/")
    if folders and (folders[0] == "localhost" or re.search("[.:]", folders[0])):
        del folders[0]
    own, _, tag = last.partition(":")
    is_litellm = any(_LITELLM.fullmatch(part.lower()) for part in (*folders, own))
    return is_litellm, tag, digest.lower().removeprefix("sha256:")


@functools.cache
def _data() -> Mapping[str, Any]:
    file = shipped.folder("modules") / "litellm-proxy" / "releases.json"
    parsed: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return parsed


def _known(order: _Order | None, digest: str) -> tuple[Advisory, ...]:
    return tuple(
        Advisory(
            each["id"],
            Level(each["level"]),
            each["what"],
            each["severity"],
            each["fixed"],
            each["source"],
        )
        for each in _data()["releases"]
        if _has_digest(each, digest) or (order is not None and _has_release(each, order))
    )


def _has_digest(entry: Mapping[str, Any], digest: str) -> bool:
    beginnings = tuple(entry.get("digest_prefixes", ()))
    return bool(digest) and (digest in entry.get("digests", ()) or digest.startswith(beginnings))


def _has_release(entry: Mapping[str, Any], order: _Order) -> bool:
    return any(order == _order(version) for version in entry.get("versions", ())) or any(
        _in_range(each, order) for each in entry.get("ranges", ())
    )


def _in_range(bounds: Mapping[str, str], order: _Order) -> bool:
    """OSV: `introduced` and `last_affected` are inside, `fixed` is outside."""
    first, fixed, last = (
        _order(bounds.get(n, "")) for n in ("introduced", "fixed", "last_affected")
    )
    return (
        (first is None or order >= first)
        and (fixed is None or order < fixed)
        and (last is None or order <= last)
    )


def _order(text: str) -> _Order | None:
    """Where the release in a tag stands among all; a pre-release stands before its final one."""
    found = _RELEASE.fullmatch(text)
    if not found:
        return None
    words = "|".join(_data()["prerelease"])
    rest = (found[4] or "").lower()
    early = _ALPHA.fullmatch(rest) or re.fullmatch(
        rf"(.*[^a-z])?({words})([^a-z].*)?", rest, re.DOTALL
    )
    return int(found[1]), int(found[2]), int(found[3]), not early
