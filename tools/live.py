"""What a loaded configuration put to work beside its models, as the oracle reports it.

Each section registers its entries in a place of its own; a release that lacks one has none there.
"""

import contextlib
import importlib
import os
from collections.abc import Iterator
from typing import Any

GUARDRAILS = "litellm.proxy.guardrails.guardrail_registry"
MCP = "litellm.proxy._experimental.mcp_server.mcp_server_manager"
MCP_LATER = "litellm.proxy.mcp_server.mcp_server_manager"  # from 1.109 on
PASS_THROUGH = "litellm.proxy.pass_through_endpoints.pass_through_endpoints"  # noqa: S105 (a module)
PROMPTS = "litellm.proxy.prompts.prompt_registry"
AGENTS = "litellm.proxy.agent_endpoints.agent_registry"
POLICIES = "litellm.proxy.policy_engine.policy_registry"

CALLBACKS = (
    "callbacks",
    "input_callback",
    "success_callback",
    "failure_callback",
    "_async_input_callback",
    "_async_success_callback",
    "_async_failure_callback",
)
ABSENT = (ImportError, AttributeError, TypeError)


def forget() -> None:
    """Take back what the last configuration registered: it would pass for the next one's."""
    import litellm

    handler = _of(GUARDRAILS, "IN_MEMORY_GUARDRAIL_HANDLER")
    manager = _mcp()
    prompts = _of(PROMPTS, "IN_MEMORY_PROMPT_REGISTRY")
    for owner, names in (
        (handler, ("IN_MEMORY_GUARDRAILS", "guardrail_id_to_custom_guardrail", "_sources")),
        (manager, ("config_mcp_servers", "registry")),
        (prompts, ("IN_MEMORY_PROMPTS", "prompt_id_to_custom_prompt")),
    ):
        for name in names:
            getattr(owner, name, {}).clear()
    (_of(PASS_THROUGH, "_registered_pass_through_routes") or {}).clear()
    agents = _of(AGENTS, "global_agent_registry")
    if agents is not None:
        agents.agent_list = []
    policies = _of(POLICIES, "get_policy_registry")
    if policies is not None:
        policies().clear()
    litellm.vector_store_registry = None
    litellm.guardrail_name_config_map = {}
    # LiteLLM adds no callback beyond a hundred.
    for name in CALLBACKS:
        getattr(litellm, name).clear()
    _of("litellm.proxy.proxy_server", "__dict__")["config_passthrough_endpoints"] = None
    earlier = _of("litellm.proxy.guardrails.init_guardrails", "all_guardrails")
    if earlier is not None:
        earlier.clear()


def seen(router: Any) -> dict[str, list[str]]:
    """The names of what is at work, by section; `runs` are the events at which guardrails do."""
    import litellm

    guardrails = getattr(_of(GUARDRAILS, "IN_MEMORY_GUARDRAIL_HANDLER"), "IN_MEMORY_GUARDRAILS", {})
    servers = getattr(_mcp(), "config_mcp_servers", {})
    routes = _of(PASS_THROUGH, "_registered_pass_through_routes") or {}
    prompts = getattr(_of(PROMPTS, "IN_MEMORY_PROMPT_REGISTRY"), "IN_MEMORY_PROMPTS", {})
    agents = getattr(_of(AGENTS, "global_agent_registry"), "agent_list", [])
    stores = getattr(litellm.vector_store_registry, "vector_stores", [])
    tools = getattr(router, "search_tools", None) or []
    return {
        "guardrails": [str(each["guardrail_name"]) for each in guardrails.values()],
        "runs": sorted({event for each in _callbacks() for event in _events(each)}),
        "mcp_servers": [str(each.server_name) for each in servers.values()],
        "pass_through": sorted({str(each["path"]) for each in routes.values()}),
        "prompts": [str(each.prompt_id) for each in prompts.values()],
        "agents": [str(each.agent_name) for each in agents],
        "vector_stores": [str(each.get("vector_store_name")) for each in stores],
        "routers": [
            str(each["model_name"])
            for each in getattr(router, "model_list", None) or []
            if str(each["litellm_params"]["model"]).startswith("auto_router/")
        ],
        "search_tools": [str(each.get("search_tool_name")) for each in tools],
    }


def _callbacks() -> list[Any]:
    handler = _of(GUARDRAILS, "IN_MEMORY_GUARDRAIL_HANDLER")
    found = getattr(handler, "guardrail_id_to_custom_guardrail", {}).values()
    return [callback for callback in found if callback is not None]


def _events(callback: Any) -> list[str]:
    """When LiteLLM would run a guardrail for a request that names it."""
    from litellm.types.guardrails import GuardrailEventHooks

    request = {"metadata": {"guardrails": [callback.guardrail_name]}}
    return [
        each.value
        for each in GuardrailEventHooks
        if callback.should_run_guardrail(data=dict(request), event_type=each)
    ]


def _mcp() -> Any:
    name = "global_mcp_server_manager"
    return _of(MCP_LATER, name) or _of(MCP, name)


def _of(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name)
    except ABSENT:
        return None


@contextlib.contextmanager
def looked_up() -> Iterator[set[str]]:
    """The environment variables that something asks for meanwhile."""
    asked: set[str] = set()
    kind: Any = type(os.environ)
    before = kind.__getitem__

    def listening(self: Any, name: str) -> Any:
        asked.add(name)
        return before(self, name)

    kind.__getitem__ = listening
    try:
        yield asked
    finally:
        kind.__getitem__ = before
