"""Routers inside of deployments, which choose among the other models."""

from collections.abc import Iterator
from typing import Any

from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity, Steps
from nixcfg.project.values import referenced
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.fallbacks import Names
from nixcfg.rules.scope import EveryDeployment, EveryDocument
from nixcfg.yamltext.document import Map

_LISTS = ("available_models", "fallbacks", "classifier_fallbacks")
_DEFAULTS = (
    "complexity_router_default_model",
    "quality_router_default_model",
    "auto_router_default_model",
    "auto_router_embedding_model",
)

NO_MODEL = Rule("NX226", Severity.WARNING)


@EveryDeployment
def _models(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """Every model that a router would pass requests to, against those that there are."""
    model = deployment.model or ""
    if not model.startswith("auto_router/"):
        return
    names = Names(config)
    for path, name in _named(deployment):
        if referenced(name) or names.has(name):
            continue
        guess = names.guess(name)
        yield config.document.problem(
            NO_MODEL,
            path,
            f"no model is named {name}: this router never reaches it, or fails",
            help=f"Did you mean {guess}?" if guess else "Name a model_name of the model_list.",
            fix=Fix((SetValue(path, guess),), safe=False) if guess else None,
        )


def _named(deployment: Deployment) -> Iterator[tuple[Steps, str]]:
    params, here = deployment.params, deployment.params_path
    for key in _DEFAULTS:
        yield from _texts(params.get(key), (*here, key))
    for kind in ("complexity", "quality", "adaptive"):
        config, path = params.get(f"{kind}_router_config"), (*here, f"{kind}_router_config")
        if not isinstance(config, Map):
            continue
        for key in (*_LISTS, "default_model"):
            yield from _texts(config.get(key), (*path, key))
        tiers = config.get("tiers")
        for tier, value in tiers.items() if isinstance(tiers, Map) else ():
            yield from _texts(value, (*path, "tiers", tier))


def _texts(value: Any, path: Steps) -> Iterator[tuple[Steps, str]]:
    """A name, or several; a tier may also be a mapping with its model."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
    elif isinstance(value, Map):
        for key in ("model", "models"):
            yield from _texts(value.get(key), (*path, key))


TAGS_IGNORED = Rule("NX227", Severity.WARNING)


@EveryDocument
def _tags(config: Config) -> Iterator[Problem]:
    settings = config.section("router_settings")
    strategy = settings.get("routing_strategy")
    if settings.get("enable_tag_filtering") is True and strategy == "usage-based-routing":
        yield config.document.problem(
            TAGS_IGNORED,
            ("router_settings", "enable_tag_filtering"),
            "usage-based-routing looks at no tags: requests go to any deployment",
            help="Use usage-based-routing-v2, which does.",
            key=True,
        )
