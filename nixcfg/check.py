"""All problems of a project, and its model when there is one; or those of LiteLLM files. Pure."""

import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nixcfg.knowledge import Choice, choose
from nixcfg.problems.problem import Problem, Severity
from nixcfg.project import model, shape, wiring
from nixcfg.project.build import build
from nixcfg.project.find import Sources
from nixcfg.project.model import Machine, Project
from nixcfg.project.standalone import other_kind
from nixcfg.rules import context, policy, registry
from nixcfg.rules.context import Config, Context, Whole
from nixcfg.rules.project import unknown_release
from nixcfg.yamltext import builder, limits
from nixcfg.yamltext.document import Document, Map

if TYPE_CHECKING:
    from nixcfg.project.standalone import Configuration

AGES = frozenset(
    {
        *("NX203", "NX402", "NX403", "NX405", "NX411", "NX416"),  # keys, providers, models
        *("NX208", "NX213", "NX219", "NX221"),  # choices, callbacks, guardrails and their modes
        *("NX204", "NX206", "NX209", "NX404"),  # what a value does: 1.109 made a number of "3"
        *("NX216", "NX218", "NX220", "NX222", "NX223", "NX224", "NX232"),  # entries, budgets, teams
        *("NX422", "NX423", "NX418", "NX215"),  # fallbacks, logins, licences
    }
)
"""What may be wrong of a release that nixcfg does not know: no error, so that it keeps no one from
rendering. Each is what the known releases were seen to do, and some of it changed among them."""
MAX_ERRORS = 10 * limits.MAX_PROBLEMS
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
    found = [*_but_dates(sources.project), *shape.check(sources.project, "project")]
    problems += found
    project = None
    if not any(problem.is_error for problem in found):
        project = build(sources.project, usable)
        problems += _of_project(sources, project, today)
    else:
        from nixcfg import misspelt  # it can edit, which no other check has to

        problems += _of_files(sources, None, today)
        read = functools.partial(_read, sources, usable, today)
        problems += misspelt.certain(sources.project, read)
    documents = [sources.project, *sources.providers.values()]
    is_whole = project is not None and len(usable) == len(sources.providers)
    problems = policy.ignored(problems, documents, standalone=False, is_whole=is_whole)
    if project:
        wanted = sources.project.data.get("severities") or {}
        problems = list(policy.with_severities(problems, wanted))
    problems = _in_order(problems)
    valid = not any(problem.is_error for problem in problems)
    return Report(len(documents), tuple(problems), project if valid else None)


def _of_project(sources: Sources, project: Project, today: dt.date | None) -> Iterator[Problem]:
    yield from _of_files(sources, project, today)
    yield from registry.of_project(Whole(project, sources.providers, str(sources.root.absolute())))
    yield from policy.unknown_severities(project.document, registry.RULES)


def _read(
    sources: Sources,
    usable: Mapping[str, Document],
    today: dt.date | None,
    document: Document,
    source: Document,
) -> list[Problem]:
    """What is wrong with a project whose nixcfg.yaml is `document`, as `source` has its values."""
    project = replace(build(source, usable), document=document)
    found = _of_project(replace(sources, project=document), project, today)
    return list(policy.with_severities(found, source.data.get("severities") or {}))


def understood(sources: Sources, checked: Report) -> tuple[Project | None, tuple[str, ...]]:
    """The project as far as it can be understood, and the provider files that are left out of it.

    For what asks about one provider while another is broken. None where nixcfg.yaml itself has the
    wrong shape. `checked` is what `validate` says of the same sources.
    """
    if checked.project is not None:
        return checked.project, ()
    wrong = {problem.file for problem in checked.problems if problem.is_error}
    found = [*sources.project.problems, *shape.check(sources.project, "project")]
    if any(problem.is_error for problem in found):
        return None, ()
    sound = {name: each for name, each in sources.providers.items() if each.name not in wrong}
    broken = (each.name for name, each in sources.providers.items() if name not in sound)
    return build(sources.project, sound), tuple(broken)


def standalone(
    configurations: Iterable["Configuration"],
    today: dt.date | None = None,
    chosen: Choice | None = None,
) -> Report:
    """Check ordinary LiteLLM files, each with what it includes, as LiteLLM itself would see them.

    Rules have the severity `standalone` here: what LiteLLM accepts is no error. `chosen` is what
    is known of the release that they are for, the default one without it.
    """
    problems: list[Problem] = []
    chosen = chosen or choose()
    files = 0
    for configuration in configurations:
        found: list[Problem] = []
        documents = [part.document for part in configuration.parts]
        files += len(documents)
        if other := other_kind(documents[0]):
            problems.append(other)
            continue
        around = _standalone_context(configuration, today, chosen)
        for index, part in enumerate(configuration.parts):
            here = replace(around, missing=part.missing, included=index > 0)
            found += [*part.document.problems, *_shape(part.document, chosen)]
            if isinstance(part.document.data, Map):
                found += of_document(Config(part.document, here))
        if not chosen.is_known:
            found.append(unknown_release(documents[0], (), chosen))
        problems += policy.ignored(found, documents, standalone=True)
    return Report(files, tuple(_in_order(map(_as_standalone, problems))), None)


def _shape(document: Document, chosen: Choice) -> Iterator[Problem]:
    """What is wrong with the shape of a LiteLLM file, as far as its release is known to mind."""
    entries = document.data.get(model.MODELS) if isinstance(document.data, Map) else None
    numbers = {
        document.problem(shape.WRONG_TYPE, (model.MODELS, index, "model_name"), "").span
        for index, entry in enumerate(entries if isinstance(entries, list) else ())
        if isinstance(entry, Map) and isinstance(entry.get("model_name"), int | float)
    }
    serves = bool(numbers) and (not chosen.is_known or chosen.knowledge.behaviour["number_as_name"])
    for problem in shape.check(document, "provider", standalone=True):
        is_served = serves and problem.rule is shape.WRONG_TYPE and problem.span in numbers
        yield replace(problem, level=Severity.WARNING) if is_served else problem


def _but_dates(document: Document) -> Iterator[Problem]:
    """What reading nixcfg.yaml found, but for dates where one is meant: NX533 looks there."""
    keys = document.data.get("keys") if isinstance(document.data, Map) else None
    places = {
        document.span(("keys", name, "expires"))
        for name, key in (keys.items() if isinstance(keys, Map) else ())
        if isinstance(key, Map) and isinstance(key.get("expires"), dt.date)
    }
    for problem in document.problems:
        if problem.rule is not builder.ODD_SCALAR or problem.span not in places:
            yield problem


def _of_files(
    sources: Sources, project: Project | None, today: dt.date | None
) -> Iterator[Problem]:
    """What is wrong with each file, given what every machine that loads it provides."""
    machines = project.machines if project else (None,)
    around = [_context(sources, project, machine, today) for machine in machines]
    if project:
        for some in _by_release(around):
            own = _own_settings(project, sources, _true_on_every_machine(some))
            yield from of_document(own)
    members = [_members(project, machine, sources) for machine in machines]
    everywhere = _true_on_every_machine(around)
    given = context.offer(sources.project, everywhere.chosen.knowledge).settings
    known: dict[tuple[int, ...], list[Context]] = {
        (): [replace(everywhere, loaded=None, given=given)]
    }
    for name, document in sources.providers.items():
        if isinstance(document.data, Map):
            loading = tuple(number for number, some in enumerate(members) if name in some)
            if loading not in known:
                groups = _by_release([around[number] for number in loading])
                known[loading] = [_true_on_every_machine(each) for each in groups]
            for here in known[loading]:
                yield from of_document(Config(document, here))


def _by_release(contexts: Iterable[Context]) -> list[list[Context]]:
    """Contexts in groups of one release each: another one may read a file in another way."""
    found: dict[Choice, list[Context]] = {}
    for each in contexts:
        found.setdefault(replace(each.chosen, asked=""), []).append(each)
    return list(found.values())


def of_document(config: Config) -> Iterator[Problem]:
    """What the rules find in one file, the less grave the less its release is known."""
    found = _capped(registry.of_document(config))
    if config.context.chosen.is_known:
        yield from found
        return
    for problem in found:
        is_error = problem.code in AGES and problem.is_error
        yield replace(problem, level=Severity.WARNING) if is_error else problem


def _capped(problems: Iterable[Problem]) -> Iterator[Problem]:
    """What the rules find in one file, until it is far more than anyone fixes."""
    errors = 0
    for problem in problems:
        if errors == MAX_ERRORS:
            wrong, advice = limits.TOO_MANY
            yield replace(problem, rule=builder.TOO_LARGE, message=wrong, help=advice, fix=None)
            return
        errors += problem.is_error
        yield problem


def _as_standalone(problem: Problem) -> Problem:
    level = problem.level or problem.rule.standalone
    return replace(problem, level=level) if level else problem


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once: an alias makes rules see one place several times."""
    once = {(p.file, p.span, p.code, p.message): p for p in problems}
    return sorted(once.values(), key=Problem.sort_key)


def _members(project: Project | None, machine: Machine | None, sources: Sources) -> frozenset[str]:
    """The providers of the configuration that a machine's container loads."""
    if project is None or machine is None or machine.model_config == wiring.ALL:
        return frozenset(sources.providers)
    named = project.profiles.get(machine.model_config, (machine.model_config,))
    return frozenset(named).intersection(sources.providers)


def _context(
    sources: Sources,
    project: Project | None,
    machine: Machine | None,
    today: dt.date | None,
) -> Context:
    """What a machine, or a project that cannot be built, gives to each of its files."""
    members = _members(project, machine, sources)
    chosen = machine.chosen if machine else choose()
    documents = [sources.project, *(sources.providers[name] for name in sorted(members))]
    offers = {
        document.name: context.offer(document, chosen.knowledge)
        for document in (sources.project, *sources.providers.values())
    }
    loaded = [offers[document.name] for document in documents]
    return Context(
        today=today,
        names=frozenset().union(*(each.names for each in offers.values())),
        loaded=frozenset().union(*(each.names for each in loaded)),
        given=context.joined(each.settings for each in loaded),
        secrets=frozenset({*machine.secrets, *machine.served} if machine else ()),
        environment=machine.environment if machine else {},
        credentials=frozenset().union(*(each.credentials for each in offers.values())),
        guardrails=frozenset().union(*(each.guardrails for each in offers.values())),
        chosen=chosen,
    )


def _true_on_every_machine(several: Sequence[Context]) -> Context:
    """What a file can rely on that several machines load."""
    first, *others = several
    if not others:
        return first
    everywhere = frozenset.intersection(*(frozenset(each.environment) for each in several))
    return replace(
        first,
        loaded=frozenset.intersection(*(each.loaded or frozenset() for each in several)),
        given={
            place: values
            for place, values in first.given.items()
            if all(place in each.given for each in others)
        },
        secrets=frozenset.intersection(*(each.secrets for each in several)),
        environment={name: first.environment[name] for name in everywhere},
    )


def _own_settings(project: Project, sources: Sources, around: Context) -> Config:
    """The settings of nixcfg.yaml, which also see the variables that its files declare."""
    declared = {
        variable for document in sources.providers.values() for variable in _environment(document)
    }
    around = replace(around, loaded=None, secrets=around.secrets | declared)
    return Config(project.document, around, is_project_file=True)


def _environment(document: Document) -> Mapping[str, Any]:
    value = document.data.get(model.ENVIRONMENT) if isinstance(document.data, Map) else None
    return value if isinstance(value, Map) else {}


def _standalone_context(
    configuration: "Configuration", today: dt.date | None, chosen: Choice
) -> Context:
    offers = [
        context.offer(part.document, chosen.knowledge, standalone=True)
        for part in configuration.parts
    ]
    return Context(
        standalone=True,
        chosen=chosen,
        today=today,
        names=frozenset().union(*(each.names for each in offers)),
        given=context.joined(each.settings for each in offers),
        credentials=frozenset().union(*(each.credentials for each in offers)),
        guardrails=frozenset().union(*(each.guardrails for each in offers)),
        files=configuration.files,
        complete=not any(part.missing for part in configuration.parts),
    )
