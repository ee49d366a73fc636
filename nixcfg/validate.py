"""All problems of a project, and its model when there is one; or those of LiteLLM files. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nixcfg import model, rules, shape, wiring
from nixcfg.model import Project
from nixcfg.problem import Problem
from nixcfg.project import Sources
from nixcfg.rules import policy
from nixcfg.rules.config import Config, Surroundings
from nixcfg.source import Document, Map

if TYPE_CHECKING:
    from nixcfg.alone import Configuration


@dataclass(frozen=True, slots=True)
class Report:
    """`files` were read; `project` is None where an error leaves nothing to render."""

    files: int
    problems: tuple[Problem, ...]
    project: Project | None

    @property
    def is_valid(self) -> bool:
        return not any(problem.is_error for problem in self.problems)


def validate(sources: Sources, today: dt.date | None = None) -> Report:
    """Check every file by itself, then all of them together as far as they can be understood.

    `today` decides which models are retired; without it none is.
    """
    problems = list(sources.problems)
    usable = {}
    for name, document in sources.providers.items():
        found = [*document.problems, *shape.check(document, "provider")]
        problems += found
        if document.data is not None and not any(problem.is_error for problem in found):
            usable[name] = document
    found = [*sources.project.problems, *shape.check(sources.project, "project")]
    problems += found
    project = None
    if not any(problem.is_error for problem in found):
        project = model.build(sources.project, usable)
    members = _members(project, sources)
    everywhere = _surroundings(sources, project, members, today)
    if project:
        problems += rules.of_project(project, sources.providers)
        problems += rules.of_file(_own_settings(project, sources, everywhere))
    for name, document in sources.providers.items():
        if isinstance(document.data, Map):
            around = everywhere if name in members else replace(everywhere, loaded=None)
            problems += rules.of_file(Config(document, around))
    documents = [sources.project, *sources.providers.values()]
    problems = policy.ignored(problems, documents, alone=False)
    if project:
        wanted = sources.project.data.get("severities") or {}
        problems = list(policy.with_severities(problems, wanted))
    problems = _in_order(problems)
    valid = not any(problem.is_error for problem in problems)
    return Report(len(documents), tuple(problems), project if valid else None)


def standalone(configurations: Iterable["Configuration"], today: dt.date | None = None) -> Report:
    """Check ordinary LiteLLM files, each with what it includes, as LiteLLM itself would see them.

    Rules have the severity `alone` here: what LiteLLM accepts is no error.
    """
    problems: list[Problem] = []
    files = 0
    for configuration in configurations:
        found: list[Problem] = []
        documents = [part.document for part in configuration.parts]
        files += len(documents)
        for index, part in enumerate(configuration.parts):
            around = _surroundings_alone(configuration, index, today)
            found += [*part.document.problems, *shape.check(part.document, "provider", alone=True)]
            if isinstance(part.document.data, Map):
                found += rules.of_file(Config(part.document, around))
        problems += policy.ignored(found, documents, alone=True)
    return Report(files, tuple(_in_order(map(_as_alone, problems))), None)


def _as_alone(problem: Problem) -> Problem:
    level = problem.level or problem.rule.alone
    return replace(problem, level=level) if level else problem


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once: an alias makes rules see one place several times."""
    told = {(p.file, p.span, p.code, p.message): p for p in problems}
    return sorted(told.values(), key=Problem.sort_key)


def _members(project: Project | None, sources: Sources) -> frozenset[str]:
    """The providers of the configuration that the container loads."""
    if project is None or project.model_config == wiring.ALL:
        return frozenset(sources.providers)
    named = project.profiles.get(project.model_config, (project.model_config,))
    return frozenset(named).intersection(sources.providers)


def _surroundings(
    sources: Sources, project: Project | None, members: frozenset[str], today: dt.date | None
) -> Surroundings:
    data: Mapping[str, Any] = sources.project.data if project else {}
    return Surroundings(
        today=today,
        names=_names([sources.project, *sources.providers.values()]),
        loaded=_names([sources.project, *(sources.providers[name] for name in members)]),
        secrets=frozenset(data.get("secrets") or ()),
        environment=data.get("environment") or {},
        credentials=_credentials(sources.providers.values()),
    )


def _own_settings(project: Project, sources: Sources, around: Surroundings) -> Config:
    declared = {
        variable
        for document in sources.providers.values()
        if isinstance(document.data, Map)
        for variable in _section(document, model.ENVIRONMENT)
    }
    around = replace(around, loaded=None, secrets=around.secrets | declared)
    return Config(project.document, around, is_project_file=True)


def _surroundings_alone(
    configuration: "Configuration", index: int, today: dt.date | None
) -> Surroundings:
    documents = [part.document for part in configuration.parts]
    return Surroundings(
        alone=True,
        today=today,
        names=_names(documents),
        credentials=_credentials(documents),
        files=configuration.files,
        missing=configuration.parts[index].missing,
        included=index > 0,
        complete=not any(part.missing for part in configuration.parts),
    )


def _section(document: Document, name: str) -> Mapping[str, Any]:
    value = document.data.get(name) if isinstance(document.data, Map) else None
    return value if isinstance(value, Map) else {}


def _names(documents: Iterable[Document]) -> frozenset[str]:
    """The model names and aliases of documents that may have any shape."""
    return frozenset(name for document in documents for name in _names_in(document))


def _names_in(document: Document) -> Iterator[str]:
    yield from (
        str(a) for a in _mapping(_section(document, "router_settings"), "model_group_alias")
    )
    entries = document.data.get(model.MODELS) if isinstance(document.data, Map) else None
    for entry in entries if isinstance(entries, list) else ():
        name = entry.get("model_name") if isinstance(entry, Map) else None
        if isinstance(name, str):
            yield name


def _mapping(section: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = section.get(key)
    return value if isinstance(value, Map) else {}


def _credentials(documents: Iterable[Document]) -> frozenset[str]:
    found = set()
    for document in documents:
        listed = document.data.get("credential_list") if isinstance(document.data, Map) else None
        for item in listed if isinstance(listed, list) else ():
            name = item.get("credential_name") if isinstance(item, Map) else None
            if isinstance(name, str):
                found.add(name)
    return frozenset(found)
