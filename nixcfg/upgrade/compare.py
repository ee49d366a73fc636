"""What a project gains and loses between two releases of LiteLLM. Pure, and works offline.

The project is validated as it is and as it would be: a finding that comes or goes is a difference.
Prices and context windows come from the catalogues of the two releases, holes from what is known of
releases. Nothing here asks LiteLLM; a rehearsal does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nixcfg import knowledge
from nixcfg.check import Report
from nixcfg.knowledge import Knowledge, ModelFacts, releases
from nixcfg.problems.problem import Problem
from nixcfg.problems.shown import shown
from nixcfg.project import wiring
from nixcfg.project.model import Project
from nixcfg.providers import catalogue

_OF_THE_IMAGE = frozenset({"NX509", "NX510", "NX521", "NX522", "NX524"})
"""Findings about the image itself: the holes say it better."""


class Effect(StrEnum):
    """How a difference touches the project."""

    GAIN = "gain"
    LOSS = "loss"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is different. `place` is `file:line:column`, "" where there is none."""

    effect: Effect
    message: str
    place: str = ""
    code: str = ""


def differences(before: Report, after: Report, old: str, new: str) -> list[Difference]:
    """Everything that changes for the project; `old` and `new` are releases such as `1.108.7`."""
    found = [*_holes(old, new), *_findings(before, after, (old, new))]
    project = before.project or after.project
    if project:
        sets = knowledge.choose(old).knowledge, knowledge.choose(new).knowledge
        found += dict.fromkeys(_models(project, *sets))
        found += _defaults(project, *sets)
        found += _database(project, (old, new))
    return found


def _holes(old: str, new: str) -> Iterator[Difference]:
    before, after = releases.of_version(old), releases.of_version(new)
    for each in before:
        if each not in after:
            yield Difference(Effect.GAIN, f"closes {each}")
    for each in after:
        if each not in before:
            yield Difference(Effect.LOSS, f"opens {each}")


def _findings(before: Report, after: Report, named: tuple[str, str]) -> Iterator[Difference]:
    old, new = _by_key(before, named[0]), _by_key(after, named[1])
    for key, problem in old.items():
        if key not in new:
            yield _difference(Effect.GAIN, problem, f"no longer: {problem.message}")
        elif problem.is_error and not new[key].is_error:
            yield _difference(Effect.GAIN, problem, f"no longer an error: {problem.message}")
    for key, problem in new.items():
        if key not in old or (problem.is_error and not old[key].is_error):
            yield _difference(Effect.LOSS, problem, f"{problem.severity.value}: {problem.message}")


def _by_key(report: Report, release: str) -> dict[tuple[str, str, str, int], Problem]:
    """The findings by what makes one the same under another release: not the line of nixcfg.yaml,
    which may move, and not the release that a message names."""
    problems = [each for each in report.problems if each.code not in _OF_THE_IMAGE]
    return {
        (
            each.code,
            each.file,
            each.message.replace(release, "") if release else each.message,
            0 if each.file == wiring.PROJECT_FILE else each.span.line,
        ): each
        for each in shown(problems)
    }


def _difference(effect: Effect, problem: Problem, message: str) -> Difference:
    place = f"{problem.file}:{problem.span.line}:{problem.span.column}"
    return Difference(effect, message, place, problem.code)


def _models(project: Project, old: Knowledge, new: Knowledge) -> Iterator[Difference]:
    for provider in project.providers:
        for index, entry in enumerate(provider.deployments):
            params = entry["litellm_params"]
            custom = params.get("custom_llm_provider")
            before, after = (each.find_model(params["model"], custom) for each in (old, new))
            span = provider.document.span(("model_list", index, "litellm_params", "model"))
            place = f"{provider.document.name}:{span.line}:{span.column}"
            for message in _facts(before, after):
                yield Difference(Effect.CHANGE, f"{entry['model_name']}: {message}", place)


def _facts(before: ModelFacts | None, after: ModelFacts | None) -> Iterator[str]:
    if before is None or after is None:
        if after is not None:
            yield "now in LiteLLM's catalogue, so that its cost is counted"
        elif before is not None:
            yield "no longer in LiteLLM's catalogue, so that its cost is not counted"
        return
    for what, name in (("input", "input_cost_per_token"), ("output", "output_cost_per_token")):
        old, new = (catalogue.price(getattr(each, name)) for each in (before, after))
        if old != new:
            yield f"{what} {old} -> {new} a million tokens"
    old, new = catalogue.context(before), catalogue.context(after)
    if old != new:
        yield f"context window {old} -> {new}"


def _defaults(project: Project, old: Knowledge, new: Knowledge) -> Iterator[Difference]:
    """Settings that the project does not give, and that are not what they were."""
    for section in ("litellm_settings", "router_settings"):
        before, after = old.defaults(section), new.defaults(section)
        given = {key for each in project.machine.configs for key in each.litellm.get(section, ())}
        for key in sorted(after.keys() - given):
            value = after[key]
            if key not in before and key not in old.keys(section) and value is True:
                said = "is new, and true where it is not given"
            elif key in before and before[key] != value and not isinstance(value, list | dict):
                said = (
                    f"is {_spelled(value)} where it is not given, and was {_spelled(before[key])}"
                )
            else:
                continue
            yield Difference(Effect.CHANGE, f"{section}.{key} {said}")


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _database(project: Project, named: tuple[str, str]) -> Iterator[Difference]:
    if not any(machine.database for machine in project.machines):
        return
    count = knowledge.migrations(*named)
    if count == 0:
        return
    yield Difference(
        Effect.CHANGE, f"the new release {migrating(count)} when it first starts: {DUMP}"
    )


DUMP = "dump it before, because the old release may not start on it afterwards"


def migrating(count: int | None) -> str:
    """What a release does to the database; `count` is None where that is not known."""
    return "migrates the database" if count is None else f"runs {counted(count)} of the database"


def counted(count: int) -> str:
    """`1 migration`, `7 migrations`."""
    return f"{count} migration" + "s" * (count != 1)
