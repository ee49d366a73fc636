"""The project with another release of LiteLLM in its images. Pure."""

import datetime as dt
import re
from collections.abc import Iterator

from nixcfg import knowledge
from nixcfg.knowledge import releases
from nixcfg.problems.problem import Steps
from nixcfg.project import wiring
from nixcfg.project.find import Sources
from nixcfg.providers.amendment import AmendError, Amendment, amended_report, refuse_unreadable
from nixcfg.yamltext import editor
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import RefusedError

_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")


def release_of(sources: Sources) -> str:
    """The release in the image of the project, or of nixcfg's default image; "" for none."""
    data = sources.project.data or {}
    return knowledge.of_image(str(data.get("image", wiring.DEFAULT_IMAGE)))


def recommended(current: str) -> str:
    """The release that nixcfg renders by default; `current` where that is newer."""
    return max(current, knowledge.default().version, key=release_order)


def newest() -> str:
    """The newest release that nixcfg knows and that has no known hole."""
    sound = [each for each in knowledge.known() if not releases.of_version(each)]
    return max(sound, key=release_order)


def release_order(release: str) -> tuple[int, ...]:
    """Orders `1.108.7` after `1.106.12`; () for what is no release."""
    return tuple(map(int, release.split("."))) if _VERSION.fullmatch(release) else ()


def upgrade(sources: Sources, release: str, today: dt.date) -> Amendment:
    """The project with `release` in each image that names one of LiteLLM's.

    A digest is left out, because it belongs to the old release. The report of the result may hold
    errors. Raises AmendError where the release must not run, or nixcfg.yaml cannot be edited.
    """
    refuse_unreadable(sources)
    if not release_order(release):
        raise AmendError(f"{release} is no release; write it as 1.108.7")
    bad = releases.compromised(releases.of_version(release))
    if bad:
        raise AmendError(f"LiteLLM {release} must not run: {bad[0]}")
    document = sources.project
    try:
        for path, image in _images(document):
            document = editor.put(document, path, image_of(image, release))
    except RefusedError as error:
        raise AmendError(f"{document.name}: {error}. Set image to {release} there.") from None
    report = amended_report(sources, document, sources.providers, today)
    changed = document.text != sources.project.text
    return Amendment({wiring.PROJECT_FILE: document.text} if changed else {}, report)


def image_of(image: str, release: str) -> str:
    """An image reference with another release in its tag, and without a digest.

    The form of the tag stays: `v1.106.2-stable` becomes `v1.108.7-stable`.
    """
    name, _, tag = image.partition("@")[0].rpartition(":")
    return f"{name}:{_VERSION.sub(release, tag, count=1)}"


def _images(document: Document) -> Iterator[tuple[Steps, str]]:
    """Where images are named that have a release, and where the default one has to be replaced."""
    data = document.data
    if "image" not in data:
        yield ("image",), wiring.DEFAULT_IMAGE
    for path, given in (
        (("image",), data),
        *((("hosts", name, "image"), host) for name, host in data.get("hosts", {}).items()),
    ):
        image = (given or {}).get("image")
        if image and knowledge.of_image(image):
            yield path, image
