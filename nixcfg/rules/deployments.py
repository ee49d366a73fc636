"""Deployments: which of them LiteLLM would load, and with what."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from nixcfg.keys.shapes import names_secret
from nixcfg.knowledge import Key
from nixcfg.problems.problem import Fix, Problem, RenameKey, Rule, SetValue, Severity, Steps
from nixcfg.project.model import MODELS
from nixcfg.project.nearest import nearest
from nixcfg.project.values import referenced
from nixcfg.rules import params, values
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.scope import EveryDeployment, ModelFile
from nixcfg.rules.sections import MISPLACED
from nixcfg.yamltext.document import Map
from nixcfg.yamltext.scalars import describe

_ENTRY_KEYS_READ_ELSEWHERE = frozenset({"model_id", "team_id"})


NO_MODELS = Rule("NX401", Severity.ERROR, standalone=Severity.WARNING)


@ModelFile
def _empty(config: Config) -> Iterator[Problem]:
    if config.data.get(MODELS) or config.context.included or config.data.get("include"):
        return
    if config.has("general_settings", "store_model_in_db"):
        return
    if config.data.get(MODELS) in (None, []):
        yield config.document.problem(
            NO_MODELS,
            (MODELS,) if MODELS in config.data else (),
            "there is no model, so LiteLLM answers every request with an error",
            help="Add a model to model_list."
            + ("" if config.standalone else " Or delete the file."),
            key=True,
        )


FROM_VARIABLE = Rule("NX419", Severity.WARNING)


@EveryDeployment
def _from_variable(config: Config, deployment: Deployment) -> Iterator[Problem]:
    if variable := referenced(deployment.model):
        yield config.document.problem(
            FROM_VARIABLE,
            (*deployment.params_path, "model"),
            f"LiteLLM does not start when {variable} is not set",
            help="Write the model itself.",
        )


UNKNOWN_PROVIDER = Rule("NX402", Severity.ERROR)


@EveryDeployment
def _provider(config: Config, deployment: Deployment) -> Iterator[Problem]:
    model = deployment.model
    if model is None or model in ("", "*") or referenced(model):
        return
    custom = deployment.params.get("custom_llm_provider")
    if deployment.provider and (
        deployment.facts or deployment.provider in _custom_providers(config)
    ):
        return
    path = (*deployment.params_path, "model")
    if deployment.provider and deployment.provider == custom:
        path, model = (*deployment.params_path, "custom_llm_provider"), custom
    prefix, slash, rest = model.partition("/")
    if prefix in _custom_providers(config):
        return
    guess = nearest(prefix, config.knowledge.providers()) if slash or prefix == custom else ""
    better = guess + slash + rest if guess else ""
    advice = f"Did you mean {better}?" if better else _bare_help(model)
    if slash and isinstance(deployment.api_base, str) and not guess:
        advice = f"Write openai/{rest} for an API that speaks like OpenAI's."
    yield config.document.problem(
        UNKNOWN_PROVIDER,
        path,
        f"{config.litellm} would silently drop this deployment: no provider for {model}",
        help=advice,
        fix=Fix((SetValue(path, better),), safe=False) if better else None,
    )


def _bare_help(model: str) -> str:
    families = (("claude", "anthropic"), ("gpt", "openai"), ("gemini", "gemini"))
    for start, provider in (*families, ("mistral", "mistral"), ("deepseek", "deepseek")):
        if model.startswith(start):
            return f"Write the provider before it: {provider}/{model}."
    return "Write provider/model, for example openai/gpt-4o."


def _custom_providers(config: Config) -> frozenset[str]:
    return frozenset(
        item["provider"]
        for listed in config.values("litellm_settings", "custom_provider_map")
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, Map) and isinstance(item.get("provider"), str)
    )


@EveryDeployment
def _params(config: Config, deployment: Deployment) -> Iterator[Problem]:
    keys = config.knowledge.keys("litellm_params")
    for key, value in deployment.params.items():
        known = keys.get(key)
        path = (*deployment.params_path, key)
        if key in params.NOT_SENT:
            continue
        if key in params.INSTEAD:
            yield config.document.problem(
                MISPLACED,
                path,
                f"{key} has no effect in litellm_params",
                help=params.INSTEAD[key],
                key=True,
            )
        elif known is None:
            if "model" not in deployment.params and nearest(key, keys) == "model":
                continue  # the schema says that model is missing, and that this was meant
            if names_secret(key) or not _is_vendors(
                config.knowledge.vendor_params, deployment.provider or "", key
            ):
                yield _unknown_param(config, deployment, key, keys)
        elif key not in _TAKEN_ANYWAY and not values.coerced(known, value):
            yield _dropped(config, path, known, value)


_REQUIRED = ("model_name", "litellm_params")
_TAKEN_ANYWAY = frozenset({"model", "drop_params", "organization"})
"""The schema looks at model; LiteLLM takes any drop_params, and a list of organizations."""


def _is_vendors(vendors: Mapping[str, Collection[str]], provider: str, key: str) -> bool:
    """Whether LiteLLM's code for this vendor handles the parameter: num_ctx for ollama."""
    start = next((v for v in vendors if v and provider.startswith(v)), "")
    return (
        key in params.READ_AT_CALL
        or key in vendors[""]
        or key in vendors.get(provider, ())
        or key in vendors[start]
    )


UNKNOWN_PARAM = Rule("NX403", Severity.WARNING)


def _unknown_param(
    config: Config, deployment: Deployment, key: str, keys: Mapping[str, Any]
) -> Problem:
    guess = nearest(key, keys)
    homes = [
        home
        for home in config.knowledge.homes(key)
        if home in ("model_info", "deployment", "router_settings", "litellm_settings")
    ]
    if guess in deployment.params:
        guess = ""
    advice = f"Did you mean {guess}?" if guess else ""
    if not advice and homes:
        advice = f"It has an effect in {homes[0]} only."
    path = (*deployment.params_path, key)
    is_dropped = deployment.provider in params.DROPPING
    return config.document.problem(
        UNKNOWN_PARAM,
        path,
        f"{config.litellm} does not know {key} and "
        + ("drops it" if is_dropped else "sends it to the vendor with every request"),
        help=advice
        or (
            "Remove it."
            if is_dropped or names_secret(key)
            else "Keep it if the vendor knows it; else remove it."
        ),
        key=True,
        fix=Fix((RenameKey(path, guess),), safe=False) if guess else None,
    )


DROPPED = Rule("NX404", Severity.ERROR)


def _dropped(config: Config, path: Steps, known: Key, value: Any) -> Problem:
    words = " or ".join(values.WORDS[name] for name in sorted(known.types) if name in values.WORDS)
    fix, advice = values.how_to_fix(config, path, known, value)
    shown = "this value" if known.secret else describe(value)
    return config.document.problem(
        DROPPED,
        path,
        f"LiteLLM would silently drop this deployment: {path[-1]} must be {words}, not {shown}",
        help=advice,
        fix=fix,
    )


ENTRY_KEY = Rule("NX405", Severity.WARNING)


@EveryDeployment
def _entry(config: Config, deployment: Deployment) -> Iterator[Problem]:
    known = config.knowledge.keys("deployment")
    for key, value in deployment.entry.items():
        if key in known or key in _ENTRY_KEYS_READ_ELSEWHERE:
            if key in ("rpm", "tpm") and not values.coerced(known[key], value):
                yield _dropped(config, (*deployment.path, key), known[key], value)
            continue
        guess = nearest(key, known)
        if guess in _REQUIRED and guess not in deployment.entry:
            continue  # the schema says that it is missing, and that this was meant
        is_param = key in config.knowledge.keys("litellm_params") or _is_vendors(
            config.knowledge.vendor_params, deployment.provider or "", key
        )
        inside = "litellm_params" if is_param or key in params.NOT_SENT else "model_info"
        if key in config.knowledge.keys("top_level"):
            guess, inside = "", "the top level of the file"
        advice = f"Did you mean {guess}?" if guess else f"Write it under {inside}."
        path = (*deployment.path, key)
        free = guess and guess not in deployment.entry
        yield config.document.problem(
            ENTRY_KEY,
            path,
            f"{config.litellm} ignores {key} beside litellm_params",
            help=advice,
            key=True,
            fix=Fix((RenameKey(path, guess),), safe=False) if free else None,
        )


@EveryDeployment
def _model_info(config: Config, deployment: Deployment) -> Iterator[Problem]:
    info = deployment.entry.get("model_info")
    for key, value in info.items() if isinstance(info, Map) else ():
        known = config.knowledge.keys("model_info").get(key)
        if known is None or value is None:
            continue
        path = (*deployment.path, "model_info", key)
        wrong = known.values and isinstance(value, str) and value not in known.values
        if wrong and not referenced(value):
            yield config.document.problem(
                DROPPED,
                path,
                f"LiteLLM would silently drop this deployment: {key} cannot be {value}",
                help=f"Use {' or '.join(known.values)}, or a key of another name.",
            )
        elif not wrong and not values.coerced(known, value):
            yield _dropped(config, path, known, value)
