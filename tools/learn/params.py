"""The keys of a deployment and of what it holds, and those of the router."""

import ast
import json
from pathlib import Path
from typing import Any

from learn.annotations import of_model
from learn.package import Package
from learn.reads import reads_of


def router_settings() -> dict[str, Any]:
    import litellm
    from litellm.constants import ROUTER_SETTINGS_MANAGED_OUTSIDE_CONFIG

    valid = set(litellm.Router.get_valid_args()) - ROUTER_SETTINGS_MANAGED_OUTSIDE_CONFIG
    facts = of_model(litellm.Router.__init__)
    # An argument whose type is nowhere to be seen is any, which the floor reports.
    found = {name: facts.get(name, {"type": "any"}) for name in valid}
    found["routing_strategy"]["values"] = strategies()
    return found


def strategies() -> list[str]:
    """The names that the running router accepts: its own message lists more than its Literal."""
    import litellm

    try:
        litellm.Router(model_list=[], routing_strategy="nixcfg-probe")  # type: ignore[arg-type]
    except ValueError as refusal:
        listed = str(refusal).partition("[")[2].partition("]")[0]
        return sorted(name.strip(" '\"") for name in listed.split(","))
    raise SystemExit(
        "the router no longer refuses an unknown routing_strategy: review strategies()"
    )


def deployment() -> dict[str, Any]:
    """An entry of model_list; rpm and tpm are copied from there into litellm_params."""
    from litellm.types.router import Deployment

    found = of_model(Deployment)
    found["model_info"].pop("required", None)  # __init__ makes one
    found.update({name: {"type": "int"} for name in moved_into_params()})
    return found


def moved_into_params() -> set[str]:
    """Keys beside litellm_params that a running router puts there, or counts like those there."""
    import litellm
    from litellm.types.router import Deployment, LiteLLM_Params

    given = LiteLLM_Params.model_fields.keys() - Deployment.model_fields.keys()
    entry = {"model_name": "m", "litellm_params": {"model": "openai/m", "api_key": "k"}}
    found = set()
    for name in sorted(given):
        router = litellm.Router(model_list=[{**entry, name: 7}])
        params: Any = next(iter(router.model_list))["litellm_params"]
        if dict(params).get(name) == 7:
            found.add(name)
    return found


def litellm_params() -> dict[str, Any]:
    """The model's fields, and what LiteLLM takes out of or passes on from the same mapping."""
    from litellm.constants import (
        DEFAULT_CHAT_COMPLETION_PARAM_VALUES,
        OPENAI_CHAT_COMPLETION_PARAMS,
    )
    from litellm.types.router import LiteLLM_Params
    from litellm.types.utils import all_litellm_params

    found: dict[str, Any] = {}
    names = {*all_litellm_params, *OPENAI_CHAT_COMPLETION_PARAMS, *form_fields()}
    for name in names | set(DEFAULT_CHAT_COMPLETION_PARAM_VALUES):
        found[name] = {"type": "any"}
    found.update(of_model(LiteLLM_Params))
    found["model"]["required"] = True
    return found


def form_fields() -> set[str]:
    """Fields of the forms in which LiteLLM's own interface asks for a provider's credentials."""
    import litellm

    file = Path(litellm.__file__).parent / "proxy/public_endpoints/provider_create_fields.json"
    return {
        field["key"]
        for form in json.loads(file.read_text(encoding="utf-8"))
        for field in form.get("credential_fields", ())
    }


def model_info(source: Package) -> dict[str, Any]:
    from litellm.types.router import ModelInfo
    from litellm.types.utils import ModelInfo as Catalogue

    found = {name: {"type": facts["type"]} for name, facts in of_model(Catalogue).items()}
    # router.py, what it was split into (router_utils/, router_strategy/, router_rust/), the proxy.
    for module in source.mentioning(["model_info"], "router", "proxy/management_endpoints"):
        for name in reads_of(ast.walk(module.tree), frozenset({"model_info"})):
            found.setdefault(name, {"type": "any"})
    found.update(of_model(ModelInfo))
    found["id"].pop("required", None)
    return found


def credential(model: Any) -> dict[str, Any]:
    """Without the fields that the loader fills in itself."""
    own = {"credential_name", "credential_values", "credential_info"}
    return {name: facts for name, facts in of_model(model).items() if name in own}
