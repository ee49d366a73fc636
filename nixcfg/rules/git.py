"""Keys that git keeps: in files of the project which no other rule reads."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nixcfg.keys.tracked import Tracked, tracked
from nixcfg.problems.problem import Problem, Rule, Severity, Span
from nixcfg.project.find import Sources
from nixcfg.project.model import ENVIRONMENT
from nixcfg.project.values import declared_secrets, references


def with_tracked_keys(sources: Sources) -> Sources:
    """The same with a problem for each key in a file that git tracks; asks git and reads files."""
    documents = (sources.project, *sources.providers.values())
    own = {document.name for document in documents}
    found = map(_problem, tracked(sources.root, set(_variables(sources)), own))
    return replace(sources, problems=(*sources.problems, *found))


TRACKED_KEY = Rule("NX325", Severity.ERROR)


def _problem(place: Tracked) -> Problem:
    # No excerpt: the line is the key.
    return Problem(
        TRACKED_KEY,
        place.file,
        Span(place.line, place.column, place.length),
        "git tracks this file, and it holds a key: the history has it",
        help=f"Revoke the key at its vendor, run git rm --cached {place.file}, add the file to "
        ".gitignore, and store a new key with nixcfg set-key.",
    )


def _variables(sources: Sources) -> Iterator[str]:
    """The variables that hold a key in this project, as far as its files can be understood."""
    for document in (sources.project, *sources.providers.values()):
        yield from references(document.data)
        data = document.data if isinstance(document.data, Mapping) else {}
        environment, secrets = data.get(ENVIRONMENT), data.get("secrets")
        yield from declared_secrets(environment) if isinstance(environment, Mapping) else ()
        yield from secrets if isinstance(secrets, Mapping) else ()
