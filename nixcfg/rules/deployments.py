"""Deployments: which of them LiteLLM would load, and with what."""

import re
from collections.abc import Iterator
from typing import Any

from nixcfg.knowledge import Key
from nixcfg.problems.problem import Fix, Problem, RenameKey, Rule, SetValue, Severity, Steps
from nixcfg.project import wiring
from nixcfg.project.model import MODELS
from nixcfg.project.nearest import nearest
from nixcfg.project.values import referenced
from nixcfg.rules import endpoints, values
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.scope import EveryDeployment, ModelFile
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
        deployment.facts or deployment.provider in custom_providers(config)
    ):
        return
    path = (*deployment.params_path, "model")
    if deployment.provider and deployment.provider == custom:
        path, model = (*deployment.params_path, "custom_llm_provider"), custom
    prefix, slash, rest = model.partition("/")
    if prefix in custom_providers(config):
        return
    guess = nearest(prefix, config.knowledge.providers()) if slash or prefix == custom else ""
    better = guess + slash + rest if guess else ""
    if vendor := _answering(config, deployment):
        better = f"{vendor}/{model}" if path[-1] == "model" and vendor != guess else better
    advice = f"Did you mean {better}?" if better else _bare_help(model)
    if slash and isinstance(deployment.api_base, str) and not better:
        advice = (
            f"Write openai/{model} or openai/{rest}, as the server calls the model, for an API that"
            " speaks like OpenAI's."
        )
    yield config.document.problem(
        UNKNOWN_PROVIDER,
        path,
        f"{config.litellm} would silently drop this deployment: no provider for {model}",
        help=advice,
        fix=Fix((SetValue(path, better),), safe=False) if better else None,
    )


def _answering(config: Config, deployment: Deployment) -> str:
    """The provider whose own host the api_base is, "" where it is no known one's."""
    base = deployment.api_base
    name = endpoints.host(base) if isinstance(base, str) else ""
    named = [
        facts.name
        for facts in config.knowledge.providers().values()
        if name
        and not wiring.is_loopback(f"http://{name}")
        and facts.chat
        and endpoints.host(facts.api_base.default or "") == name
    ]
    return min(named, key=len, default="")


_TAGGED = re.compile(r"[\w.-]+:(?!\d+$)[\w.-]+")
"""`gpt-oss:20b`: how Ollama names models. Bedrock's names end in a number, `...-v1:0`."""


def _bare_help(model: str) -> str:
    if _TAGGED.fullmatch(model):
        return f"Write ollama_chat/{model} and the api_base of the server, if Ollama serves it."
    families = (("claude", "anthropic"), ("gpt", "openai"), ("gemini", "gemini"))
    for start, provider in (*families, ("mistral", "mistral"), ("deepseek", "deepseek")):
        if model.startswith(start):
            return f"Write the provider before it: {provider}/{model}."
    return "Write provider/model, for example openai/gpt-4o."


def custom_providers(config: Config) -> frozenset[str]:
    """The prefixes that the user's own code answers."""
    return frozenset(
        item["provider"]
        for listed in config.values("litellm_settings", "custom_provider_map")
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, Map) and isinstance(item.get("provider"), str)
    )


_REQUIRED = ("model_name", "litellm_params")


DROPPED = Rule("NX404", Severity.ERROR)


def dropped(config: Config, path: Steps, known: Key, value: Any) -> Problem:
    """A value of a deployment that a pydantic model of LiteLLM refuses."""
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
                yield dropped(config, (*deployment.path, key), known[key], value)
            continue
        guess = nearest(key, known)
        if guess in _REQUIRED and guess not in deployment.entry:
            continue  # the schema says that it is missing, and that this was meant
        inside = "litellm_params" if _is_param(config, deployment, key) else "model_info"
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


def _is_param(config: Config, deployment: Deployment, key: str) -> bool:
    params = config.knowledge.params
    is_vendors = params.is_vendors(deployment.provider or "", key)
    is_taken = is_vendors or params.is_common(key) or params.are_kept(key)
    return is_taken or key in config.knowledge.keys("litellm_params")


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
            yield dropped(config, path, known, value)
