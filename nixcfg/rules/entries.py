"""Entries of sections beyond models and settings, held against what LiteLLM does with them.

One walk over the places that tools/measure_entries.py asked LiteLLM about: MCP servers, prompts,
guardrails, policies, stores, budgets. What several places have to agree on is in guardrails.py.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nixcfg.knowledge.entries import ANY, EntryKey, Place
from nixcfg.problems.problem import Fix, Problem, RenameKey, Rule, SetValue, Severity, Steps
from nixcfg.project.model import SETTINGS
from nixcfg.project.nearest import nearest
from nixcfg.project.values import referenced
from nixcfg.rules import extensions, sections, values
from nixcfg.rules.context import Config
from nixcfg.rules.scope import EveryDocument
from nixcfg.rules.walk import reached
from nixcfg.yamltext.data import at
from nixcfg.yamltext.document import Map
from nixcfg.yamltext.scalars import describe

_GUARDRAILS = "guardrails"
_SHAPES = {_GUARDRAILS: extensions.GUARDRAIL_SHAPE, "prompts": extensions.PROMPT_SHAPE}
"""Sections whose entries had rules of their own first: a code keeps its meaning."""


@EveryDocument
def _entries(config: Config) -> Iterator[Problem]:
    for place in config.knowledge.entries.places:
        if config.is_project_file and place.steps[0].name not in SETTINGS:
            continue
        for path, entry in reached(config.data, place.steps):
            if isinstance(entry, Map):
                yield from _entry(config, place, path, entry)
                yield from _above(config, place, path)
            elif becomes := place.entry.get(values.kind(entry), ""):
                yield _no_entry(config, place, path, becomes)


def _entry(config: Config, place: Place, path: Steps, entry: Map) -> Iterator[Problem]:
    yield from _named(config, place, path)
    for name, key in place.keys.items():
        if name in entry:
            yield from _value(config, place, (*path, name), key, entry[name])
        elif key.missing and entry.keys().isdisjoint(key.instead):
            yield _missing(config, place, path, entry, key)
    for name in entry:
        if name not in place.keys and isinstance(name, str) and not name.startswith(("x-", "_")):
            yield from _unknown(config, place, (*path, name), entry)

    yield from _needs(config, place, path, entry)


INCOMPLETE = Rule("NX221", Severity.ERROR)


def _no_entry(config: Config, place: Place, path: Steps, becomes: str) -> Problem:
    rule = _SHAPES.get(place.steps[0].name, INCOMPLETE)
    value = at(config.data, path)
    return config.document.problem(
        rule if becomes == "stops" else _left_out(place),
        path,
        f"{_without(place, becomes)} with {describe(value)} as {spelt(path)}",
        help="Write a mapping.",
        key=isinstance(value, list),
    )


def _above(config: Config, place: Place, path: Steps) -> Iterator[Problem]:
    """Settings of a place that are beside it, one level too high."""
    for name in at(config.data, path[:-1]) if place.above else ():
        if name in place.above:
            yield config.document.problem(
                INCOMPLETE,
                (*path[:-1], name),
                f"LiteLLM does not start with {name} beside {path[-1]}",
                help=f"Write it under {path[-1]}.",
                key=True,
            )


def _named(config: Config, place: Place, path: Steps) -> Iterator[Problem]:
    """The name of an entry, which LiteLLM puts before other names."""
    for character, becomes in place.names.items():
        if character in str(path[-1]) and not _separates(config):
            yield config.document.problem(
                INCOMPLETE if becomes == "stops" else _left_out(place),
                path,
                f"{_without(place, becomes)}: a name here cannot hold {character}",
                help=f"Call it {str(path[-1]).replace(character, '_')}.",
                key=True,
            )


def _separates(config: Config) -> bool:
    """Whether another character than LiteLLM's own is put between the names of MCP tools."""
    return bool(config.variable_is_wired("MCP_TOOL_PREFIX_SEPARATOR"))


def _needs(config: Config, place: Place, path: Steps, entry: Map) -> Iterator[Problem]:
    """A choice that is for nothing without another key."""
    for needs in place.needs:
        given = entry.get(needs.key)
        asks = bool(given) if needs.choice == ANY else given == needs.choice
        if asks and entry.keys().isdisjoint(needs.others):
            yield config.document.problem(
                INCOMPLETE if needs.becomes == "stops" else _left_out(place),
                (*path, needs.key),
                f"{_without(place, needs.becomes)}: {needs.key}{_of(needs.choice)} needs"
                f" {' or '.join(needs.others)}",
                help=f"Add {needs.others[0]}.",
            )


def _of(choice: str) -> str:
    return "" if choice == ANY else f" {choice}"


def _missing(config: Config, place: Place, path: Steps, entry: Map, key: EntryKey) -> Problem:
    rule = _SHAPES.get(place.steps[0].name, INCOMPLETE)
    first = next(iter(entry), None)
    on_first = isinstance(path[-1], int) and first is not None
    where = (*path, first) if on_first and first is not None else path
    return config.document.problem(
        rule if key.missing == "stops" else _left_out(place),
        where,
        f"{_without(place, key.missing)}: {spelt(path)} has no {key.facts.name}",
        help=f"Add {key.facts.name}.",
        key=not isinstance(where[-1], int),
    )


LEFT_OUT = Rule("NX220", Severity.ERROR, standalone=Severity.WARNING)


def _left_out(place: Place) -> Rule:
    return UNGUARDED if place.steps[0].name == _GUARDRAILS else LEFT_OUT


UNGUARDED = Rule("NX219", Severity.ERROR)


def _without(place: Place, becomes: str) -> str:
    """What LiteLLM does with an entry that is wrong."""
    if becomes == "stops":
        return "LiteLLM does not start"
    if _left_out(place) is UNGUARDED:
        return "LiteLLM starts without this guardrail"
    return "LiteLLM leaves this entry out"


def _value(
    config: Config, place: Place, path: Steps, key: EntryKey, value: Any
) -> Iterator[Problem]:
    if becomes := _outcome(key, value):
        yield _refused(config, place, path, key, becomes)
    elif key.other and isinstance(value, str) and not referenced(value):
        known = key.facts.values if key.case else [each.lower() for each in key.facts.values]
        if (value if key.case else value.lower()) not in known:
            yield _not_a_choice(config, place, path, key)


def _outcome(key: EntryKey, value: Any) -> str:
    """What becomes of a value of the wrong kind; "" where LiteLLM takes it."""
    if values.coerced(key.facts, value) or referenced(value):
        return ""
    return key.refused.get(_kind(key, value), "")


def _kind(key: EntryKey, value: Any) -> str:
    """The kind of a value; a date is refused wherever a number is refused as text."""
    if isinstance(value, dt.date):
        return "number" if key.facts.types == {"str"} else ""
    return values.kind(value)


def _refused(config: Config, place: Place, path: Steps, key: EntryKey, becomes: str) -> Problem:
    value = at(config.data, path)
    types = [values.WORDS[name] for name in sorted(key.facts.types) if name in values.WORDS]
    fix, advice = values.how_to_fix(config, path, key.facts, value)
    shown = "this value" if key.facts.secret else describe(value)
    rule = values.STOPS if becomes == "stops" else _left_out(place)
    return config.document.problem(
        rule,
        path,
        f"{_without(place, becomes)} with {shown} as {path[-1]}"
        if becomes == "stops"
        else f"{_without(place, becomes)}: {path[-1]} cannot be {shown}",
        help=f"It must be {' or '.join(types)}. {advice}".strip() if types else advice,
        key=isinstance(value, dict | list),
        fix=fix,
    )


def _not_a_choice(config: Config, place: Place, path: Steps, key: EntryKey) -> Problem:
    value, known = at(config.data, path), key.facts.values
    guess = nearest(value, known)
    problem = config.document.problem(
        values.WRONG_CHOICE if key.other == "stops" else _left_out(place),
        path,
        f"{_without(place, key.other)}: {path[-1]} cannot be {value}",
        help=f"Did you mean {guess}?" if guess else f"Use {' or '.join(known[:8])}.",
        fix=Fix((SetValue(path, guess),), safe=False) if guess else None,
    )
    stops = problem.rule is values.WRONG_CHOICE
    return replace(problem, level=Severity.ERROR) if stops else problem


def _unknown(config: Config, place: Place, path: Steps, entry: Map) -> Iterator[Problem]:
    """A key that LiteLLM does not know here: of the mapping below it, misspelt, or of nowhere."""
    name = str(path[-1])
    below = config.knowledge.entries.place(f"{place.path}.litellm_params")
    if below and name in below.keys and place.unknown == "ignored":
        never = name == "default_on" and place.path == "guardrails[]" and entry[name] is True
        problem = config.document.problem(
            UNGUARDED if never else sections.MISPLACED,
            path,
            f"{name} has no effect beside litellm_params"
            + (": the guardrail runs only for requests that name it" if never else ""),
            help=f"Write it under litellm_params of {spelt(path[:-1])}.",
            key=True,
        )
        yield problem
        return
    guess = nearest(name, place.keys)
    if place.unknown == "kept" and not (guess and _is_of_litellm(config, place, entry)):
        return
    stops = place.unknown == "stops"
    what = _without(place, place.unknown) if place.unknown in ("stops", "skipped") else ""
    # The value may be of a kind that the better name does not take.
    fits = guess and guess not in entry and not _outcome(place.keys[guess], entry[name])
    problem = config.document.problem(
        sections.UNKNOWN_SETTING,
        path,
        f"{config.litellm} knows no {name} in {spelt(path[:-1])}: {what or 'it ignores this'}",
        help=f"Did you mean {guess}?" if guess else "Remove it.",
        key=True,
        fix=Fix((RenameKey(path, guess),), safe=False) if fits else None,
    )
    yield replace(problem, level=Severity.ERROR) if stops else problem


def _is_of_litellm(config: Config, place: Place, entry: Mapping[str, Any]) -> bool:
    """Whether LiteLLM's own code reads the entry: a guardrail of one's own takes any key."""
    if place.steps[0].name != _GUARDRAILS:
        return True
    return entry.get("guardrail") in config.knowledge.entries.guardrails


def spelt(path: Steps) -> str:
    """`mcp_servers.github`, `prompts[0].litellm_params`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
