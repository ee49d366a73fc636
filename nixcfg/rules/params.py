"""Parameters of a deployment: what LiteLLM, its provider and its vendor make of each."""

from collections.abc import Iterator
from dataclasses import replace

from nixcfg.keys.shapes import names_secret
from nixcfg.knowledge.fates import Fate
from nixcfg.problems.problem import Fix, Problem, RenameKey, Rule, Severity
from nixcfg.project.nearest import nearest
from nixcfg.rules import values
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.deployments import custom_providers, dropped
from nixcfg.rules.scope import EveryDeployment
from nixcfg.rules.sections import INSTEAD, MISPLACED
from nixcfg.yamltext.document import Map

_TAKEN_ANYWAY = frozenset({"model", "drop_params", "organization"})
"""The schema looks at model; LiteLLM takes any drop_params, and a list of organizations."""


@EveryDeployment
def _params(config: Config, deployment: Deployment) -> Iterator[Problem]:
    keys, params = config.knowledge.keys("litellm_params"), config.knowledge.params
    for key, value in deployment.params.items():
        known = keys.get(key)
        path = (*deployment.params_path, key)
        if known and key not in _TAKEN_ANYWAY and not values.coerced(known, value):
            yield dropped(config, path, known, value)
        elif key in params.without_effect:
            yield config.document.problem(
                MISPLACED,
                path,
                f"{key} has no effect in litellm_params",
                help=INSTEAD.get(key, "Remove it."),
                key=True,
            )
        elif _is_another_clouds(config, deployment, key):
            yield from _another_clouds(config, deployment, key)
        elif known is None and not _is_taken(config, deployment, key):
            yield _unknown(config, deployment, key)


def _is_taken(config: Config, deployment: Deployment, key: str) -> bool:
    """Whether LiteLLM or the code of this vendor does something with what no list holds."""
    params, names = config.knowledge.params, config.knowledge.names("litellm_params")
    if "model" not in deployment.params and nearest(key, names) == "model":
        return True  # the schema says that model is missing, and that this was meant
    if (deployment.model or "").partition("/")[0] in custom_providers(config):
        return True  # code of the user's own is given all of it
    if params.are_kept(key) or params.is_vendors(deployment.provider or "", key):
        return True
    if params.is_common(key) and not names_secret(key):  # a key is for one vendor
        return True
    return _fate(config, deployment, key) is Fate.OWN


def _fate(config: Config, deployment: Deployment, key: str) -> Fate:
    """What becomes of a parameter that this provider does not read."""
    left_out = deployment.params.get("additional_drop_params")
    if isinstance(left_out, list) and key in left_out:
        return Fate.UNKNOWN
    info = deployment.entry.get("model_info")
    mode = info.get("mode") if isinstance(info, Map) else None
    if not isinstance(mode, str):
        listed = config.knowledge.find_model(f"{deployment.provider}/{deployment.bare}")
        mode = listed.mode if listed else None
    provider = deployment.facts.name if deployment.facts else ""
    return config.knowledge.fates.of(provider, mode, deployment.bare, key)


def _is_another_clouds(config: Config, deployment: Deployment, key: str) -> bool:
    params = config.knowledge.params
    cloud = params.cloud(key)
    if not cloud or deployment.facts is None or params.reads(deployment.facts.name, cloud):
        return False
    return key in config.knowledge.keys("litellm_params") or params.is_any_vendors(key)


ANOTHER_CLOUDS = Rule("NX428", Severity.WARNING)


def _another_clouds(config: Config, deployment: Deployment, key: str) -> Iterator[Problem]:
    """A parameter that is spelt right, on a provider that does not read it."""
    params, provider = config.knowledge.params, str(deployment.provider)
    fate, cloud = _fate(config, deployment, key), params.cloud(key)
    effect = {
        Fate.LEFT_OUT: ": it has no effect",
        Fate.SENT: ": LiteLLM sends it to the vendor with every request",
        Fate.REFUSED: ": every request of this deployment fails on it",
    }.get(fate, "")
    readers = " and ".join(params.readers(cloud)[:2]) or cloud.rstrip("_")
    problem = config.document.problem(
        ANOTHER_CLOUDS,
        (*deployment.params_path, key),
        f"{provider} does not read {key}{effect}",
        help=f"It is for {readers}: is the provider right? Else remove it.",
        key=True,
    )
    yield replace(problem, level=Severity.ERROR) if fate is Fate.REFUSED else problem


UNKNOWN_PARAM = Rule("NX403", Severity.WARNING)


def _unknown(config: Config, deployment: Deployment, key: str) -> Problem:
    guess = nearest(key, config.knowledge.names("litellm_params"))
    if guess in deployment.params:
        guess = ""
    homes = [
        home
        for home in config.knowledge.homes(key)
        if home in ("model_info", "deployment", "router_settings", "litellm_settings")
    ]
    fate = _fate(config, deployment, key)
    refused = fate is Fate.REFUSED
    advice = f"Did you mean {guess}?" if guess else ""
    if not advice and homes:
        advice = f"It has an effect in {homes[0]} only."
    if not advice and names_secret(key):
        advice = "Remove it."
    if not advice:
        advice = (
            "Write it under extra_body if the vendor knows it; else remove it."
            if refused
            else "Keep it if the vendor knows it; else remove it."
        )
    path = (*deployment.params_path, key)
    problem = config.document.problem(
        UNKNOWN_PARAM,
        path,
        f"{config.litellm} does not know {key}{_AND.get(fate, '')}",
        help=advice,
        key=True,
        fix=Fix((RenameKey(path, guess),), safe=False) if guess else None,
    )
    return replace(problem, level=Severity.ERROR) if refused else problem


_AND = {
    Fate.LEFT_OUT: " and drops it",
    Fate.SENT: " and sends it to the vendor with every request",
    Fate.REFUSED: " and fails on it in every request",
}


NESTED_BODY = Rule("NX430", Severity.WARNING)


@EveryDeployment
def _extra_body(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """What it holds belongs into the body; some providers send it as it is, with its name."""
    body = deployment.params.get("extra_body")
    if isinstance(body, dict) and body and deployment.provider in config.knowledge.params.nested:
        yield config.document.problem(
            NESTED_BODY,
            (*deployment.params_path, "extra_body"),
            f"for {deployment.provider} {config.litellm} sends extra_body by this name, and not"
            " what it holds",
            help=f"Write {', '.join(map(str, list(body)[:3]))} in litellm_params itself.",
            key=True,
        )


NO_FLAG = Rule("NX431", Severity.WARNING)


@EveryDeployment
def _drop_params(config: Config, deployment: Deployment) -> Iterator[Problem]:
    value = deployment.params.get("drop_params")
    if isinstance(value, list | dict):
        path = (*deployment.params_path, "drop_params")
        free = "additional_drop_params" not in deployment.params and isinstance(value, list)
        yield config.document.problem(
            NO_FLAG,
            path,
            "drop_params is true or false; LiteLLM takes this for not set",
            help="Did you mean additional_drop_params, which is a list of names?",
            key=True,
            fix=Fix((RenameKey(path, "additional_drop_params"),), safe=False) if free else None,
        )
