"""Guardrails that LiteLLM makes nothing of, and names that stand for none."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nixcfg.knowledge.entries import GuardrailKind, steps_of
from nixcfg.problems.problem import Fix, Problem, RenameKey, Rule, SetValue, Severity, Steps
from nixcfg.project.nearest import nearest
from nixcfg.project.values import referenced
from nixcfg.rules import services
from nixcfg.rules.context import Config
from nixcfg.rules.entries import INCOMPLETE, UNGUARDED
from nixcfg.rules.scope import EveryDocument, ModelFile
from nixcfg.rules.walk import reached
from nixcfg.yamltext.document import Map

_WITHOUT = "LiteLLM starts without this guardrail"


@ModelFile
def _kinds(config: Config) -> Iterator[Problem]:
    """Each guardrail: of a kind that there is, in a mode that there is, with what it needs."""
    listed = config.data.get("guardrails")
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        params = entry.get("litellm_params") if isinstance(entry, Map) else None
        if isinstance(params, Map):
            yield from _guardrail(config, ("guardrails", index, "litellm_params"), params)


def _guardrail(config: Config, path: Steps, params: Map) -> Iterator[Problem]:
    name, kinds = params.get("guardrail"), config.knowledge.entries.guardrails
    if not isinstance(name, str) or referenced(name):
        return
    if name in kinds:
        yield from _modes(config, path, params, kinds[name])
        yield from _needs(config, path, params, kinds[name])
    elif "." in name:
        # A class of one's own: LiteLLM asks it at its events, whatever mode it is given.
        own = GuardrailKind(
            config.knowledge.entries.modes, "idle", case=False, needs=(), without=""
        )
        yield from _modes(config, path, params, own)
    else:
        guess = nearest(name, kinds)
        yield config.document.problem(
            UNGUARDED,
            (*path, "guardrail"),
            f"{_WITHOUT}: {config.litellm} has no kind {name}",
            help=f"Did you mean {guess}?" if guess else "Name one of LiteLLM's, or module.Class.",
            fix=Fix((SetValue((*path, "guardrail"), guess),), safe=False) if guess else None,
        )


def _modes(config: Config, path: Steps, params: Map, kind: GuardrailKind) -> Iterator[Problem]:
    if kind.modes is None:
        return
    stops = kind.wrong == "stops"
    effect = "LiteLLM does not start" if stops else _WITHOUT
    idle = kind.wrong == "idle"
    for where, mode in _words(params.get("mode"), (*path, "mode")):
        asked = mode if kind.case else mode.lower()
        if referenced(mode) or asked in kind.modes:
            continue
        exists = asked in config.knowledge.entries.modes
        guess = nearest(mode, kind.modes)
        what = f"{params['guardrail']} runs at no {mode}" if exists else f"there is no mode {mode}"
        yield config.document.problem(
            INCOMPLETE if stops else UNGUARDED,
            where,
            f"{what}: the guardrail never runs in it" if idle else f"{effect}: {what}",
            help=f"Did you mean {guess}?" if guess else f"Use {' or '.join(kind.modes)}.",
            fix=Fix((SetValue(where, guess),), safe=False) if guess else None,
        )


def _words(value: Any, path: Steps) -> Iterator[tuple[Steps, str]]:
    """The modes: one, a list, or by tag of a request."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _words(item, (*path, index))
    elif isinstance(value, Map):
        tags = value.get("tags")
        for tag, item in tags.items() if isinstance(tags, Map) else ():
            yield from _words(item, (*path, "tags", tag))
        yield from _words(value.get("default"), (*path, "default"))


def _needs(config: Config, path: Steps, params: Map, kind: GuardrailKind) -> Iterator[Problem]:
    for choice in kind.needs:
        variables = [name for name in choice if name.isupper()]
        given = any(params.get(name) not in (None, "") for name in choice)
        wired = [config.variable_is_wired(name) for name in variables]
        # Of a file alone no one knows the environment.
        if given or any(wired) or (variables and None in wired):
            continue
        stops = kind.without == "stops"
        own = [name for name in choice if not name.isupper()]
        ways = [f"{own[0]}: os.environ/{variables[0]}" if variables else own[0]] if own else []
        ways += [f"the variable {name}" for name in variables]
        yield config.document.problem(
            INCOMPLETE if stops else UNGUARDED,
            (*path, "guardrail"),
            f"{'LiteLLM does not start' if stops else _WITHOUT}: {params['guardrail']} needs"
            f" {' or '.join(choice)}",
            help=f"Give it {', or '.join(ways)}.",
        )


UNKNOWN_GUARDRAIL = Rule("NX222", Severity.ERROR, standalone=Severity.WARNING)


@EveryDocument
def _names(config: Config) -> Iterator[Problem]:
    """Every place that names a guardrail, against those that there are."""
    known = config.context.guardrails
    if not config.context.complete or config.context.included:
        return
    # LiteLLM asks its database for them later than it checks its policies.
    stored = services.stores_models(config)
    for path, name in _named(config):
        in_policy = path[0] == "policies"
        if name in known or referenced(name) or (stored and not (in_policy and known)):
            continue
        guess = nearest(name, known)
        stops = in_policy and bool(known)
        effect = "LiteLLM does not start" if stops else "nothing is checked"
        is_key = isinstance(path[-1], str)
        edit = RenameKey(path, guess) if is_key else SetValue(path, guess)
        problem = config.document.problem(
            UNKNOWN_GUARDRAIL,
            path,
            f"there is no guardrail {name}: {effect}",
            help=f"Did you mean {guess}?" if guess else "Define it under guardrails, or remove it.",
            key=is_key,
            fix=Fix((edit,), safe=False) if guess else None,
        )
        yield replace(problem, level=Severity.ERROR) if stops else problem


_NAMING = tuple(
    map(
        steps_of,
        (
            "general_settings.pass_through_endpoints[].guardrails",
            "litellm_settings.default_key_generate_params.metadata.guardrails",
        ),
    )
)


def _named(config: Config) -> Iterator[tuple[Steps, str]]:
    for deployment in config.deployments:
        names = deployment.params.get("guardrails")
        yield from _texts(names, (*deployment.params_path, "guardrails"))
    for steps in _NAMING:
        for path, names in reached(config.data, steps):
            yield from _texts(names, path)
            for name in names if isinstance(names, Map) else ():
                yield (*path, name), name
    if config.is_project_file:
        return
    policies = config.data.get("policies")
    for name, policy in policies.items() if isinstance(policies, Map) else ():
        here: Steps = ("policies", name)
        if not isinstance(policy, Map):
            continue
        guardrails = policy.get("guardrails")
        if isinstance(guardrails, Map):
            for way in ("add", "remove"):
                yield from _texts(guardrails.get(way), (*here, "guardrails", way))
        yield from _texts(guardrails, (*here, "guardrails"))


def _texts(value: Any, path: Steps) -> Iterator[tuple[Steps, str]]:
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, str):
            yield (*path, index), item


_IDLE = ("litellm_settings", "default_key_generate_params", "guardrails")


@EveryDocument
def _of_keys(config: Config) -> Iterator[Problem]:
    """Guardrails for every new key, which LiteLLM takes from its metadata alone."""
    params = config.section("litellm_settings").get("default_key_generate_params")
    if isinstance(params, Map) and params.get("guardrails"):
        yield config.document.problem(
            UNGUARDED,
            _IDLE,
            "LiteLLM gives new keys no guardrails from here: none runs",
            help="Set default_on: true at each; those of a key need a licence, and its metadata.",
            key=True,
        )
