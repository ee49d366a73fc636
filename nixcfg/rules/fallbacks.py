"""Fallbacks and aliases: of a shape that LiteLLM takes, and to models that exist."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity, Steps
from nixcfg.project.nearest import nearest
from nixcfg.rules.context import Config, Setting, variable_stores_models
from nixcfg.rules.scope import EveryDocument
from nixcfg.rules.values import refuses
from nixcfg.yamltext.document import Map
from nixcfg.yamltext.scalars import describe

_CHAINS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
_CHECKED = frozenset(_CHAINS) - {"context_window_fallbacks"}
"""Those that LiteLLM looks at when it starts, as every release from 1.106 to 1.110 does."""


@EveryDocument
def _fallbacks(config: Config) -> Iterator[Problem]:
    """Every fallback and alias of a document, which share the names that there are."""
    names = Names(config)
    edges: dict[str, list[tuple[str, Steps]]] = {}
    for section in ("router_settings", "litellm_settings"):
        for key in _CHAINS:
            for given in config.given(section, key):
                if given.value is not None:
                    own = edges if key == "fallbacks" else {}
                    yield from _chain(config, names, given.path, given.value, own)
        for given in config.given(section, "default_fallbacks"):
            yield from _defaults(config, names, given)
    for given in config.given("router_settings", "model_group_alias"):
        yield from _aliases(config, names, given)
    yield from _loops(config, edges)


class Names:
    """Every name that the router can resolve, for one document."""

    def __init__(self, config: Config) -> None:
        self.exact = config.context.names
        # Models can be stored in the database, or in an included file that is missing.
        self.may_be_elsewhere = (
            config.has("general_settings", "store_model_in_db")
            or variable_stores_models(config.context.environment)
            or not config.context.complete
        )

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(
            re.compile(re.escape(name).replace(r"\*", ".*")) for name in self.exact if "*" in name
        )

    @cached_property
    def tails(self) -> frozenset[str]:
        """Names without their provider: a fallback for `gpt-4o` serves `openai/gpt-4o` too."""
        return frozenset(name.partition("/")[2] for name in self.exact)

    def has(self, name: str) -> bool:
        return (
            name in self.exact
            or self.may_be_elsewhere
            or any(pattern.fullmatch(name) for pattern in self.patterns)
        )

    @cached_property
    def plain(self) -> frozenset[str]:
        return frozenset(name for name in self.exact if "*" not in name)

    def guess(self, name: str) -> str:
        return nearest(name, self.plain)


def _chain(
    config: Config,
    names: Names,
    path: Steps,
    value: Any,
    edges: dict[str, list[tuple[str, Steps]]],
) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield from _no_chain(config, path, value)
        return
    for index, item in enumerate(value):
        here = (*path, index)
        if not isinstance(item, Map):
            yield _shape(config, here, f"must hold mappings, not {describe(item)}")
        elif len(item) != 1:
            wrong = f"must have one model in each mapping, not {len(item)}"
            yield _shape(config, (*here, list(item)[1]) if item else here, wrong, key=bool(item))
        else:
            for key, targets in item.items():
                yield from _source(config, names, (*here, key), key)
                found = list(_targets(config, (*here, key), targets))
                yield from (each for each in found if isinstance(each, Problem))
                for each in found:
                    if not isinstance(each, Problem):
                        edges.setdefault(key, []).append(each)
                        yield from _target(config, names, *each)


def _no_chain(config: Config, path: Steps, value: Any) -> Iterator[Problem]:
    """A mapping or a text in place of the list; the rule on types reports anything else."""
    if isinstance(value, Map):
        for key in list(value)[:1]:
            wrong = "must be a list of mappings, not a mapping"
            ignored = config.knowledge.behaviour["fallback_mapping"] == "ignored"
            yield _shape(config, (*path, key), wrong, key=True, stops=not ignored)
    elif isinstance(value, str):
        stops = refuses(config.knowledge, str(path[0]), str(path[1]), value)
        wrong = f"must be a list of mappings, not {describe(value)}"
        yield _shape(config, path, wrong, stops=stops)


SHAPE = Rule("NX422", Severity.ERROR)


def _shape(
    config: Config, path: Steps, wrong: str, *, key: bool = False, stops: bool = True
) -> Problem:
    name = next(step for step in path[1:] if isinstance(step, str))
    stops = stops and name in _CHECKED
    problem = config.document.problem(
        SHAPE,
        path,
        f"{config.litellm} {'does not start' if stops else 'never falls back'}: {name} {wrong}",
        help=f"Write {name}: [{{model: [other, models]}}].",
        key=key,
    )
    return problem if stops else replace(problem, level=Severity.WARNING)


TEXT = Rule("NX423", Severity.ERROR, standalone=Severity.WARNING)


def _as_text(config: Config, path: Steps, text: str, *, is_checked: bool) -> Problem:
    stops = is_checked and config.knowledge.behaviour["fallback_text"] == "stops"
    problem = config.document.problem(
        TEXT,
        path,
        f"{config.litellm} does not start: the models to fall back to must be a list"
        if stops
        else f"{config.litellm} would try {text} letter by letter",
        help=f"Write a list: [{text}].",
    )
    return replace(problem, level=Severity.ERROR) if stops else problem


def _targets(config: Config, path: Steps, targets: Any) -> Iterator[Problem | tuple[str, Steps]]:
    if isinstance(targets, str):
        yield _as_text(config, path, targets, is_checked=path[1] in _CHECKED)
    elif (
        not isinstance(targets, list)
        and path[1] in _CHECKED
        and config.knowledge.behaviour["fallback_null"] == "stops"
    ):
        given = "nothing" if targets is None else describe(targets)
        yield _shape(config, path, f"must name a list of models, not {given}")
    for index, target in enumerate(targets if isinstance(targets, list) else ()):
        name = target.get("model") if isinstance(target, Map) else target
        here = (*path, index, "model") if isinstance(target, Map) else (*path, index)
        if isinstance(name, str):
            yield name, here


UNUSED = Rule("NX425", Severity.WARNING)


def _source(config: Config, names: Names, path: Steps, key: str) -> Iterator[Problem]:
    if key == "*" or names.has(key) or key in names.tails or key.partition("/")[2] in names.exact:
        return
    if config.is_project_file and not config.context.names:
        return
    guess = names.guess(key)
    yield config.document.problem(
        UNUSED,
        path,
        f"no one offers {key}, so this fallback is never used",
        help=f"Did you mean {guess}?" if guess else "Name a model_name, or remove the line.",
        key=True,
    )


UNKNOWN = Rule("NX421", Severity.ERROR, standalone=Severity.WARNING)
NOT_LOADED = Rule("NX426", Severity.NOTE)


def _target(config: Config, names: Names, name: str, path: Steps) -> Iterator[Problem]:
    if names.has(name):
        loaded = config.context.loaded
        if loaded is not None and name not in loaded and name in config.context.names:
            yield config.document.problem(
                NOT_LOADED,
                path,
                f"{name} is not in the configuration that model_config names",
                help="Use a profile that has both providers, or all.",
            )
        return
    guess = names.guess(name)
    yield config.document.problem(
        UNKNOWN,
        path,
        f"no one offers {name}",
        help=f"Did you mean {guess}?" if guess else "Name a model_name of this configuration.",
        fix=Fix((SetValue(path, guess),), safe=False) if guess else None,
    )


def _defaults(config: Config, names: Names, given: Setting) -> Iterator[Problem]:
    if isinstance(given.value, str):
        yield _as_text(config, given.path, given.value, is_checked=True)
    for index, name in enumerate(given.value if isinstance(given.value, list) else ()):
        if isinstance(name, str):
            yield from _target(config, names, name, (*given.path, index))


def _aliases(config: Config, names: Names, given: Setting) -> Iterator[Problem]:
    for alias, meant in given.value.items() if isinstance(given.value, Map) else ():
        name = meant.get("model") if isinstance(meant, Map) else meant
        here = (*given.path, alias, "model") if isinstance(meant, Map) else (*given.path, alias)
        if isinstance(name, str):
            yield from _target(config, names, name, here)


LOOP = Rule("NX424", Severity.NOTE)


def _loops(config: Config, edges: dict[str, list[tuple[str, Steps]]]) -> Iterator[Problem]:
    """The last step of every way back, each reported once; linear in the number of fallbacks."""
    done: set[str] = set()
    for start, first in edges.items():
        if start in done:
            continue
        on_way = {start: None}
        stack: list[Iterator[tuple[str, Steps]]] = [iter(_once(first))]
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
                done.add(on_way.popitem()[0])
                continue
            name, path = step
            if name in on_way:
                way = [*on_way][[*on_way].index(name) :]
                yield config.document.problem(
                    LOOP,
                    path,
                    f"{way[-1]} falls back to itself"
                    if len(way) == 1
                    else f"this leads back: {' -> '.join([*way[:6], name])}",
                    help="LiteLLM tries each model once per request.",
                )
            elif name in edges and name not in done:
                on_way[name] = None
                stack.append(iter(_once(edges[name])))


def _once(steps: Iterable[tuple[str, Steps]]) -> Iterator[tuple[str, Steps]]:
    seen: set[str] = set()
    for name, path in steps:
        if name not in seen:
            seen.add(name)
            yield name, path
