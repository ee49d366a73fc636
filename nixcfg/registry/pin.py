"""Images by digest: what a project names, and the project with the digests written in. Pure."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nixcfg.knowledge import releases
from nixcfg.problems.problem import Steps
from nixcfg.project import wiring
from nixcfg.project.find import Sources
from nixcfg.project.model import Project
from nixcfg.providers.amendment import (
    AmendError,
    Amendment,
    amended_report,
    refuse_invalid,
    refuse_unreadable,
)
from nixcfg.registry.image import Image
from nixcfg.registry.reference import Reference
from nixcfg.yamltext import editor
from nixcfg.yamltext.data import at
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import RefusedError, dotted


@dataclass(frozen=True, slots=True)
class Pin:
    """One image of nixcfg.yaml, and the digest that its registry has for it.

    `path` is where it is, or where it would be named. `digest` is "" where none was asked for.
    """

    path: Steps
    image: Reference
    digest: str

    @property
    def is_pinned(self) -> bool:
        return bool(self.image.digest) and self.image.digest == self.digest

    @property
    def pinned(self) -> str:
        """What is to be written."""
        return self.image.pinned(self.digest)

    @property
    def where(self) -> str:
        return dotted(self.path)


def images(project: Project) -> dict[Steps, str]:
    """Each image that a machine of the project runs, by its place in nixcfg.yaml.

    The place of an image that nixcfg.yaml does not name is where it would be named.
    """
    return {machine.place("image"): machine.image for machine in project.machines}


def refusal(reference: Reference, image: Image) -> str:
    """Why an image must not be pinned: it is known to be compromised, under any of its names."""
    names = [str(reference), *(f"@{digest}" for digest in (image.digest, *image.parts))]
    found = [each for name in names for each in releases.of_image(name)]
    if image.is_litellm and image.version:
        found += releases.of_version(image.version)
    bad = dict.fromkeys(releases.compromised(found))
    if not bad:
        return ""
    reasons = "; ".join(f"{each.what} ({each.id})" for each in bad)
    return f"{reference} is compromised: {reasons}"


def pin(sources: Sources, pins: Iterable[Pin], today: dt.date) -> Amendment:
    """The project with each image as its pin says. Raises AmendError."""
    refuse_unreadable(sources)
    before = machine = sources.project
    for each in pins:
        if each.is_pinned:
            continue
        if _image(before, each.path) not in ("", f"{each.image}"):
            raise AmendError(f"{machine.name}: {each.where} has changed meanwhile; try again")
        try:
            machine = editor.put(machine, each.path, each.pinned)
        except RefusedError as error:
            way_out = f"Set {each.where}: {each.pinned} there."
            raise AmendError(f"{machine.name}: {error}. {way_out}") from None
    report = amended_report(sources, machine, sources.providers, today)
    refuse_invalid(report, "nothing was changed")
    changed = machine.text != before.text
    return Amendment({wiring.PROJECT_FILE: machine.text} if changed else {}, report)


def _image(document: Document, path: Steps) -> Any:
    try:
        return at(document.data, path)
    except (LookupError, TypeError):
        return ""
