"""All problems of a project, and its model when there is one; or those of LiteLLM files. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nixcfg import rules
from nixcfg.problems.problem import Problem
from nixcfg.project import model, shape, wiring
from nixcfg.project.build import build
from nixcfg.project.find import Sources
from nixcfg.project.model import Machine, Project
from nixcfg.rules import policy
from nixcfg.rules.config import Config, Surroundings
from nixcfg.yamltext import source
from nixcfg.yamltext.source import Document, Map

if TYPE_CHECKING:
    from nixcfg.project.standalone import Configuration

MAX_ERRORS = 10 * source.MAX_PROBLEMS
"""More than those for the reader: a project may have given what a rule finds another severity."""


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
        project = build(sources.project, usable)
    machines = project.machines if project else (None,)
    around = [_surroundings(sources, project, each, today) for each in machines]
    if project:
        problems += rules.of_project(project, sources.providers)
        problems += _some(rules.of_file(_own_settings(project, sources, _common(around))))
    members = [_members(project, each, sources) for each in machines]
    known: dict[tuple[int, ...], Surroundings] = {(): replace(_common(around), loaded=None)}
    for name, document in sources.providers.items():
        if isinstance(document.data, Map):
            loading = tuple(number for number, some in enumerate(members) if name in some)
            if loading not in known:
                known[loading] = _common([around[number] for number in loading])
            problems += _some(rules.of_file(Config(document, known[loading])))
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
                found += _some(rules.of_file(Config(part.document, around)))
        problems += policy.ignored(found, documents, alone=True)
    return Report(files, tuple(_in_order(map(_as_alone, problems))), None)


def _some(problems: Iterable[Problem]) -> Iterator[Problem]:
    """What the rules find in one file, until it is far more than anybody mends."""
    errors = 0
    for problem in problems:
        if errors == MAX_ERRORS:
            wrong, mend = source.TOO_MANY
            yield replace(problem, rule=source.TOO_LARGE, message=wrong, help=mend, fix=None)
            return
        errors += problem.is_error
        yield problem


def _as_alone(problem: Problem) -> Problem:
    level = problem.level or problem.rule.alone
    return replace(problem, level=level) if level else problem


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once: an alias makes rules see one place several times."""
    told = {(p.file, p.span, p.code, p.message): p for p in problems}
    return sorted(told.values(), key=Problem.sort_key)


def _members(project: Project | None, machine: Machine | None, sources: Sources) -> frozenset[str]:
    """The providers of the configuration that a machine's container loads."""
    if project is None or machine is None or machine.model_config == wiring.ALL:
        return frozenset(sources.providers)
    named = project.profiles.get(machine.model_config, (machine.model_config,))
    return frozenset(named).intersection(sources.providers)


def _surroundings(
    sources: Sources, project: Project | None, machine: Machine | None, today: dt.date | None
) -> Surroundings:
    members = _members(project, machine, sources)
    return Surroundings(
        today=today,
        names=_names([sources.project, *sources.providers.values()]),
        loaded=_names([sources.project, *(sources.providers[name] for name in members)]),
        secrets=frozenset({*machine.secrets, *machine.served} if machine else ()),
        environment=machine.environment if machine else {},
        credentials=_credentials(sources.providers.values()),
    )


def _common(several: Sequence[Surroundings]) -> Surroundings:
    """What a file can rely on that several machines load."""
    first, *others = several
    if not others:
        return first
    everywhere = frozenset.intersection(*(frozenset(each.environment) for each in several))
    return replace(
        first,
        loaded=frozenset.intersection(*(each.loaded or frozenset() for each in several)),
        secrets=frozenset.intersection(*(each.secrets for each in several)),
        environment={name: first.environment[name] for name in everywhere},
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
