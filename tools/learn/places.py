"""The places of a configuration beyond its models and settings, and the keys that each can hold.

A place is a path with `[]` for each entry of a list and `{}` for each value of a mapping. What
LiteLLM does there is asked of it (measure_entries.py), starting from a sample that it takes.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from learn.annotations import of_model
from learn.package import Package
from learn.reads import reads_of
from learn.sections import is_secret


@dataclass(frozen=True, slots=True)
class Place:
    """`models` are classes that LiteLLM makes of what is there, dotted; `reads` are files, of which
    a release has one, and the name under which code there reads it. `live` is the section of
    live.py that the sample's entry is in. `choices` are keys whose choices no annotation holds: the
    keys of a registry, dotted.
    """

    path: str
    sample: Mapping[str, Any]
    models: tuple[str, ...] = ()
    reads: tuple[str, ...] = ("", "")
    live: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)


GUARDRAIL = {
    "guardrail_name": "sample",
    "litellm_params": {"guardrail": "tool_permission", "mode": "pre_call"},
}
STORE = {
    "vector_store_name": "sample",
    "litellm_params": {"vector_store_id": "v", "custom_llm_provider": "bedrock"},
}
PROMPT = {
    "prompt_id": "sample",
    "litellm_params": {
        "prompt_id": "sample",
        "prompt_integration": "dotprompt",
        "dotprompt_content": "hello",
    },
}
TOOL = {
    "search_tool_name": "sample",
    "litellm_params": {"search_provider": "tavily", "api_key": "x"},
}
AGENT = {
    "agent_name": "sample",
    "agent_card_params": {"name": "sample", "url": "http://sample.test", "version": "1"},
}
ISSUER = {"issuer": "https://sample.test", "audience": "sample"}
POLICIES = {
    # `x` is also what a list holds that is tried in the place of a mapping.
    "guardrails": [{**GUARDRAIL, "guardrail_name": "x"}],
    "policies": {"sample": {"guardrails": {"add": ["x"]}, "condition": {"model": "a"}}},
    "policy_attachments": [{"policy": "sample", "scope": "*"}],
}
_MCP = (
    "proxy/_experimental/mcp_server/mcp_server_manager.py",
    "proxy/mcp_server/mcp_server_manager.py",
)
_PASSING = "proxy/pass_through_endpoints/pass_through_endpoints.py"
_TYPES = "litellm.proxy._types"
_PROMPTS = "litellm.proxy.prompts.prompt_registry"
_POLICY = "litellm.types.proxy.policy_engine.policy_types"


def _by_strategy(name: str, file: str) -> Place:
    """The arguments of one routing strategy; another takes others."""
    settings = {"routing_strategy": name, "routing_strategy_args": {}}
    return Place(
        f"router_settings[routing_strategy={name}].routing_strategy_args",
        {"router_settings": settings},
        (f"litellm.router_strategy.{file}.RoutingArgs",),
    )


def _of_router(kind: str, model: str, config: Mapping[str, Any]) -> Place:
    """The configuration of a router inside a deployment, beside the model it chooses."""
    params = {"model": f"auto_router/{kind}_router", f"{kind}_router_config": config}
    params |= {} if kind == "adaptive" else {f"{kind}_router_default_model": "a"}
    inner = {"model_name": "a", "litellm_params": {"model": "openai/a", "api_key": "x"}}
    return Place(
        f"model_list[].litellm_params.{kind}_router_config",
        {"model_list": [{"model_name": "sample", "litellm_params": params}, inner]},
        (model,),
        live="routers",
    )


PLACES = (
    _of_router(
        "complexity",
        "litellm.router_strategy.complexity_router.config.ComplexityRouterConfig",
        {"tiers": {"SIMPLE": "a"}},
    ),
    _of_router(
        "quality",
        "litellm.router_strategy.quality_router.config.QualityRouterConfig",
        {"available_models": ["a"]},
    ),
    _of_router(
        "adaptive", "litellm.types.router.AdaptiveRouterConfig", {"available_models": ["a"]}
    ),
    Place(
        "guardrails[]",
        {"guardrails": [GUARDRAIL]},
        ("litellm.types.guardrails.Guardrail",),
        live="guardrails",
    ),
    Place(
        "guardrails[].litellm_params",
        {"guardrails": [GUARDRAIL]},
        ("litellm.types.guardrails.LitellmParams",),
        live="guardrails",
    ),
    Place("policies{}", POLICIES, (f"{_POLICY}.Policy",)),
    Place("policies{}.guardrails", POLICIES, (f"{_POLICY}.PolicyGuardrails",)),
    Place("policies{}.condition", POLICIES, (f"{_POLICY}.PolicyCondition",)),
    Place("policy_attachments[]", POLICIES, (f"{_POLICY}.PolicyAttachment",)),
    Place(
        "mcp_servers{}",
        {"mcp_servers": {"sample": {"url": "http://sample.test", "transport": "http"}}},
        (
            "litellm.proxy._experimental.mcp_server.mcp_server_manager.MCPServerConfig",
            "litellm.proxy.mcp_server.mcp_server_manager.MCPServerConfig",
            "litellm.types.mcp_server.mcp_server_manager.MCPServer",
        ),
        (*_MCP, "server_config"),
        live="mcp_servers",
    ),
    Place(
        "general_settings.pass_through_endpoints[]",
        {
            "general_settings": {
                "pass_through_endpoints": [{"path": "sample", "target": "http://sample.test"}]
            }
        },
        (f"{_TYPES}.PassThroughGenericEndpoint",),
        (_PASSING, "endpoint_data"),
        live="pass_through",
    ),
    Place(
        "vector_store_registry[]",
        {"vector_store_registry": [STORE]},
        ("litellm.types.vector_stores.LiteLLM_VectorStoreConfig",),
        live="vector_stores",
    ),
    Place(
        "vector_store_registry[].litellm_params",
        {"vector_store_registry": [STORE]},
        ("litellm.types.vector_stores.VectorStoreLiteLLMParams",),
        live="vector_stores",
    ),
    Place(
        "prompts[]",
        {"prompts": [PROMPT]},
        ("litellm.types.prompts.init_prompts.PromptSpec",),
        live="prompts",
    ),
    Place(
        "prompts[].litellm_params",
        {"prompts": [PROMPT]},
        ("litellm.types.prompts.init_prompts.PromptLiteLLMParams",),
        live="prompts",
        choices={"prompt_integration": f"{_PROMPTS}.prompt_initializer_registry"},
    ),
    Place(
        "agents[]",
        {"agents": [AGENT]},
        ("litellm.types.agents.AgentConfig",),
        live="agents",
    ),
    Place(
        "search_tools[]",
        {"search_tools": [TOOL]},
        ("litellm.types.router.SearchToolTypedDict",),
        live="search_tools",
    ),
    Place(
        "search_tools[].litellm_params",
        {"search_tools": [TOOL]},
        ("litellm.types.router.SearchToolLiteLLMParams",),
        live="search_tools",
    ),
    Place(
        "litellm_settings.default_team_settings[]",
        {"litellm_settings": {"default_team_settings": [{"team_id": "t"}]}},
        (f"{_TYPES}.TeamDefaultSettings",),
    ),
    Place(
        "litellm_settings.upperbound_key_generate_params",
        {"litellm_settings": {"upperbound_key_generate_params": {}}},
        ("litellm.types.proxy.management_endpoints.ui_sso.LiteLLM_UpperboundKeyGenerateParams",),
    ),
    Place(
        "litellm_settings.priority_reservation_settings",
        {"litellm_settings": {"priority_reservation_settings": {}}},
        ("litellm.types.utils.PriorityReservationSettings",),
    ),
    Place(
        "litellm_settings.model_group_settings",
        {"litellm_settings": {"model_group_settings": {}}},
        ("litellm.types.router.ModelGroupSettings",),
    ),
    Place(
        "litellm_settings.custom_provider_map[]",
        {
            "litellm_settings": {
                "custom_provider_map": [{"provider": "p", "custom_handler": "handler.handler"}]
            }
        },
        ("litellm.types.llms.custom_llm.CustomLLMItem",),
    ),
    Place(
        "general_settings.alerting_args",
        {"general_settings": {"alerting": ["slack"], "alerting_args": {}}},
        ("litellm.types.integrations.slack_alerting.SlackAlertingArgs",),
    ),
    Place(
        "general_settings.key_management_settings",
        {"general_settings": {"key_management_settings": {}}},
        ("litellm.types.secret_managers.main.KeyManagementSettings",),
    ),
    Place(
        "general_settings.role_permissions[]",
        {"general_settings": {"role_permissions": [{"role": "team"}]}},
        (f"{_TYPES}.RoleBasedPermissions",),
    ),
    Place(
        "general_settings.litellm_jwtauth",
        {"general_settings": {"litellm_jwtauth": {}}},
        (f"{_TYPES}.LiteLLM_JWTAuth",),
        ("proxy/_types.py", "kwargs"),
    ),
    Place(
        "general_settings.litellm_jwtauth.issuers[]",
        {"general_settings": {"litellm_jwtauth": {"issuers": [ISSUER]}}},
        (f"{_TYPES}.JWTIssuerConfig",),
    ),
    Place(
        "router_settings.provider_budget_config{}",
        {
            "router_settings": {
                "provider_budget_config": {"openai": {"budget_limit": 1, "time_period": "1d"}}
            }
        },
        reads=("router_strategy/budget_limiter.py", "config"),
    ),
    Place(
        "router_settings.routing_groups[]",
        {
            "router_settings": {
                "routing_groups": [
                    {
                        "group_name": "g",
                        "models": ["a"],
                        "routing_strategy": "simple-shuffle",
                    }
                ]
            }
        },
        ("litellm.types.router.RoutingGroup",),
    ),
    _by_strategy("latency-based-routing", "lowest_latency"),
    _by_strategy("usage-based-routing", "lowest_tpm_rpm"),
    _by_strategy("usage-based-routing-v2", "lowest_tpm_rpm_v2"),
)


def keys(place: Place, source: Package, load: Callable[[str], Any]) -> dict[str, dict[str, Any]]:
    """Each key with its type and choices. `load` finds a class by its dotted name, or None."""
    found: dict[str, dict[str, Any]] = {}
    for key in read_keys(place, source):
        found[key] = {"type": "any"}
    loaded = [model for model in map(load, place.models) if model is not None]
    for number, model in enumerate(loaded):
        # A later model is of what is made of the entry: it adds types and choices, and no keys.
        for key, each in of_model(model).items():
            known = found.get(key)
            if known is None and number:
                continue
            if known is None or known["type"] == "any" or "values" in each:
                found[key] = each
    for key, registry in place.choices.items():
        if choices := load(registry):
            found[key]["values"] = sorted(choices)
    for key, each in found.items():
        each.pop("required", None)
        if is_secret(key, each["type"]):
            each["secret"] = True
    return found


def read_keys(place: Place, source: Package) -> set[str]:
    """What code reads by itself; a file has moved between releases."""
    *files, variable = place.reads
    for name in files:
        if source.root / name in source.texts:
            return reads_of(ast.walk(source.tree(name)), frozenset({variable}))
    return set()


def keeps(place: Place, load: Callable[[str], Any]) -> bool:
    """Whether a key that no one knows is kept for whatever reads it later."""
    model = next(filter(None, map(load, place.models)), None)
    config = getattr(model, "model_config", {})
    return not place.reads[0] and config.get("extra") == "allow"
