"""What is wrong with a case that its schema cannot see: it says nothing, contradicts itself, or
names what the configuration does not have. Pure."""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from nixcfg.problems.problem import Problem, Steps
from nixcfg.project import shape
from nixcfg.project.model import MODELS, Config
from nixcfg.project.nearest import nearest
from nixcfg.trial.deployment import Deployment
from nixcfg.yamltext.document import Document

if TYPE_CHECKING:
    from nixcfg.trial.case import Case, Step

Data = Mapping[str, Any]
_Found = Iterator[Problem]


def twice(cases: "Sequence[Case]") -> _Found:
    """Cases of one file with one name: a report would not say which of them failed."""
    seen = {""}
    for case in cases:
        if case.name and case.name in seen:
            wrong = f"another case of this file is called {case.name!r}"
            yield case.document.problem(
                shape.WRONG_VALUE, (*case.path, "name"), wrong, help="Give it another name."
            )
        seen.add(case.name)


def of_case(document: Document, data: Data, path: Steps, lost: Collection[Steps]) -> _Found:
    """What is wrong with one case, whatever the configuration is. In a mapping whose path is in
    `lost` a key may be meant that is not there, so nothing is concluded from its absence."""
    steps = [(each, (*path, "steps", index)) for index, each in enumerate(data.get("steps", ()))]
    steps = steps or [(data, path)]
    if not {path, *(place for _, place in steps)} & set(lost):
        yield from _empty(document, data, path)
    yield from _unclear(document, data, path)
    yield from _no_json(document, data, path)
    sure = {}
    for name, given in data.get("vendors", {}).items():
        where = (*path, "vendors", name)
        if where not in lost:
            sure[name] = given
        behaviours = enumerate(given) if isinstance(given, list) else [(None, given or {})]
        for index, each in behaviours:
            place = where if index is None else (*where, index)
            yield from _at_odds(document, each, place, is_whole=place not in lost)
    for index, (step, place) in enumerate(steps):
        expect = step.get("expect", {})
        is_alone = step.get("repeat", 1) == 1 and place not in lost
        cached = _uncached(expect, is_first=index == 0) if is_alone else ()
        for key, wrong, remedy in (*_unmet(sure, expect), *cached):
            yield document.problem(
                shape.WRONG_VALUE, [*place, "expect", key], wrong, help=remedy, key=True
            )


def _empty(document: Document, data: Data, path: Steps) -> _Found:
    if "request" not in data and "steps" not in data:
        yield document.problem(
            shape.WRONG_VALUE,
            path,
            f"{data['name']!r} has no request",
            help="Give it `request` and `expect`, or `steps`.",
        )
    elif not any("expect" in each for each in (data, *data.get("steps", ()))):
        yield document.problem(
            shape.WRONG_VALUE,
            path,
            f"{data['name']!r} expects nothing, so it cannot fail",
            help="Add `expect`, with status, answered_by, asked, content ...",
        )


def _unclear(document: Document, data: Data, path: Steps) -> _Found:
    if "request" in data and "steps" in data:
        yield document.problem(
            shape.WRONG_VALUE,
            path,
            f"{data['name']!r} has both a request and steps",
            help="Give it `request` and `expect`, or `steps`.",
        )
    elif "steps" in data and "expect" in data:
        yield document.problem(
            shape.WRONG_VALUE,
            [*path, "expect"],
            "with steps, each step has its own expect",
            help="Move it into the step whose answer it is about.",
            key=True,
        )


def _no_json(document: Document, value: object, path: Steps) -> _Found:
    """Numbers that YAML knows and JSON does not; dates and bytes are reported by who reads them."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _no_json(document, inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _no_json(document, inner, (*path, index))
    elif isinstance(value, float) and not math.isfinite(value):
        yield document.problem(
            shape.WRONG_VALUE, path, "no number for JSON", help="Give it a finite value."
        )


_GOOD = ("says", "tool", "tokens", "cut")
_AT_ODDS: Mapping[str, Collection[str]] = {
    "down": ("status", "refuses", "body", "retry_after", *_GOOD),
    "refuses": ("status", "body", *_GOOD),
    "status": _GOOD,
    "body": _GOOD,
    "tool": ("says",),
}
"""By a key of a behaviour those that say nothing beside it."""


def _at_odds(document: Document, behaviour: Data, path: Steps, *, is_whole: bool) -> _Found:
    for key, others in _AT_ODDS.items():
        for other in others:
            if key in behaviour and other in behaviour:
                yield document.problem(
                    shape.WRONG_VALUE,
                    [*path, other],
                    f"{other} has no effect beside {key}",
                    help="Remove one of them.",
                    key=True,
                )
    is_error = bool({"status", "refuses", "down"} & behaviour.keys())
    if is_whole and "retry_after" in behaviour and not is_error:
        yield document.problem(
            shape.WRONG_VALUE,
            [*path, "retry_after"],
            "retry_after belongs to an error",
            help="Give it a status beside it, such as 429.",
            key=True,
        )


_OF_AN_ANSWER = ("content", "contains", "tool", "cost", "cached", "complete")
_Wrong = Iterator[tuple[str, str, str]]
"""The key of an expectation that cannot be met, why, and how to fix it."""


def _unmet(vendors: Data, expect: Data) -> _Wrong:
    by = expect.get("answered_by")
    if by is not None and expect.get("asked", {}).get(by) == 0:
        wrong = f"{by} cannot answer without being asked, and asked says 0"
        yield "answered_by", wrong, "Change one of the two."
    if by is not None and _always_fails(vendors.get(by)):
        wrong = f"{by} fails in this case whenever it is asked, so it cannot answer"
        remedy = "Make its behaviour a list, so that it answers later, or expect who takes over."
        yield "answered_by", wrong, remedy
    status = expect.get("status", 200)
    for key in _OF_AN_ANSWER if status >= 400 else ():
        if expect.get(key) not in (None, False):
            yield key, f"an error (status {status}) has no {key}", "Expect `error`, or no status."
    if expect.get("contains", "") not in expect.get("content", expect.get("contains", "")):
        yield "contains", "content has no such part", "Keep one of the two."


def _uncached(expect: Data, *, is_first: bool) -> _Wrong:
    if not expect.get("cached"):
        return
    for key in ("answered_by", "sent"):
        if key in expect:
            wrong = f"with an answer from the cache no vendor is asked, so there is no {key}"
            yield key, wrong, "Remove one of the two."
    if any(expect.get("asked", {}).values()):
        wrong = "with an answer from the cache no vendor is asked"
        yield "asked", wrong, "Expect 0, or no `cached`."
    if is_first:
        remedy = "Send the request in a step before, or twice with `repeat: 2`."
        yield "cached", "the cache is empty before the first request", remedy


def _always_fails(behaviour: object) -> bool:
    if not isinstance(behaviour, Mapping) or "times" in behaviour:
        return False  # it is used up, and then the vendor answers
    return any(key in behaviour for key in ("status", "refuses", "down"))


_HOST = re.compile(r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*(:\d+)?")


def _may_be_host(name: str) -> bool:
    """Whether it can be a service that is no model's: of a guardrail, of a log."""
    has_dot = "." in name or ":" in name
    return has_dot and bool(_HOST.fullmatch(name)) and not name.endswith((".yaml", ".yml"))


def against(case: "Case", config: Config, found: Sequence[Deployment]) -> list[Problem]:
    """What the case says of vendors and models that its configuration does not have."""
    known = {name: None for each in found for name in each.names}
    named: list[tuple[Steps, str, bool]] = [
        ((*case.path, "vendors", name), name, True) for name in case.vendors
    ]
    problems: list[Problem] = []
    for step in case.steps:
        named += [
            ((*step.path, "asked", name), name, True) for name in step.expect.get("asked", ())
        ]
        if by := step.expect.get("answered_by"):
            named.append(((*step.path, "answered_by"), by, False))
        problems += _no_model(case, step, config, found)
    for path, name, is_key in named:
        if name not in known and not _may_be_host(name):
            what = f"the configuration has no provider file and no model {name}"
            problems.append(_unknown(case, path, name, what, known, key=is_key))
    return problems


def _no_model(case: "Case", step: "Step", config: Config, found: Sequence[Deployment]) -> _Found:
    """A model that no one offers, where a good answer or nothing is expected of it."""
    name = step.body.get("model")
    wants_error = step.expect.get("status", 200) >= 400 or "error" in step.expect
    wants_answer = step.expect.keys() & {"status", "answered_by", *_OF_AN_ANSWER}
    is_whole = not {step.path, step.path[:-1]} & case.lost
    wants_nothing = is_whole and not step.expect
    if not isinstance(name, str) or wants_error or not (wants_answer or wants_nothing):
        return
    router = config.litellm.get("router_settings") or {}
    settings = config.litellm.get("litellm_settings") or {}
    if any(each.get("default_fallbacks") for each in (router, settings)) or "," in name:
        return
    offered = {str(each["model_name"]): None for each in config.litellm[MODELS]}
    for each in (router, settings):
        for key in ("model_group_alias", "model_alias_map"):
            aliases = each.get(key)
            offered |= dict.fromkeys(aliases if isinstance(aliases, Mapping) else ())
    behind = {each for one in found for each in (one.model, one.id)}
    if name not in behind and not any(fnmatchcase(name, each) for each in offered):
        path = _model_path(step)
        what = f"the configuration offers no model {name}"
        yield _unknown(case, path, name, what, offered, key=False)


def _model_path(step: "Step") -> Steps:
    request = (*step.path[:-1], "request")
    return (
        (*request, "body", "model")
        if "model" in step.request.get("body", {})
        else (*request, "model")
    )


def _unknown(
    case: "Case", path: Steps, name: str, what: str, known: Collection[str], *, key: bool
) -> Problem:
    guess = nearest(name, known)
    remedy = f"Did you mean {guess}?" if guess else f"There are: {', '.join(sorted(known))}."
    return case.document.problem(shape.WRONG_VALUE, path, what, help=remedy, key=key)


def names(
    case: "Case",
    configs: Mapping[str, Config],
    behind: Mapping[str, Sequence[Deployment]],
    usual: str,
) -> list[Problem]:
    """What the case says of configurations, vendors and models that are not there.

    Where its configuration is not known for sure, because that is wrong or a wrong key stands in
    its place, it says so of what no configuration has. `usual` is the one that the container loads.
    """
    chosen = case.config or usual
    if chosen in configs and not {(), case.path} & case.lost:
        return against(case, configs[chosen], behind[chosen])
    found = {name: against(case, each, behind[name]) for name, each in configs.items()}
    places = [{(each.span, each.message) for each in those} for those in found.values()]
    nowhere = set.intersection(*places)
    said = [each for each in found[usual] if (each.span, each.message) in nowhere]
    return said if chosen in configs else [_no_config(case, configs), *said]


def _no_config(case: "Case", known: Collection[str]) -> Problem:
    own = (*case.path, "config")
    is_own = case.document.span(own) != case.document.span(case.path)
    what = f"no configuration is called {case.config}"
    return _unknown(case, own if is_own else ("config",), case.config, what, known, key=False)
