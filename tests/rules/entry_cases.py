"""Entries beyond models and settings: a configuration each, the finding, and what LiteLLM does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MODEL = {"model_name": "m", "litellm_params": {"model": "openai/gpt-4o", "api_key": "none"}}
OWN = """\
from litellm.integrations.custom_guardrail import CustomGuardrail


class Own(CustomGuardrail):
    pass
"""


@dataclass(frozen=True)
class Case:
    """A configuration, the finding in it, and what LiteLLM does.

    `stops`: it does not start. Else `live` is what is at work, by section of tools/live.py.
    """

    config: Mapping[str, Any]
    finding: tuple[str, str] | None = None
    stops: bool = False
    live: Mapping[str, list[str]] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        general = {"master_key": "os.environ/LITELLM_MASTER_KEY", **self.config.get("general", {})}
        rest = {key: value for key, value in self.config.items() if key != "general"}
        return json.dumps({"model_list": [MODEL], "general_settings": general, **rest})


def guarded(beside: Mapping[str, Any] | None = None, /, **params: Any) -> dict[str, Any]:
    given = {"guardrail": "tool_permission", "mode": "pre_call", **params}
    given = {key: value for key, value in given.items() if value is not ...}
    return {"guardrails": [{"guardrail_name": "g", "litellm_params": given, **(beside or {})}]}


def served(name: str = "wiki", **server: Any) -> dict[str, Any]:
    return {"mcp_servers": {name: {"url": "http://wiki.test/mcp", **server}}}


def passing(**endpoint: Any) -> dict[str, Any]:
    return {"general": {"pass_through_endpoints": [{"path": "/x", **endpoint}]}}


def prompted(integration: str) -> dict[str, str]:
    return {"prompt_id": "p", "prompt_integration": integration, "dotprompt_content": "hello"}


def cached(**params: Any) -> dict[str, Any]:
    return {"litellm_settings": {"cache": True, "cache_params": {"type": "redis", **params}}}


def routed(**params: Any) -> dict[str, Any]:
    given = {"model": "auto_router/complexity_router", **params}
    return {"model_list": [MODEL, {"model_name": "smart", "litellm_params": given}]}


NO_GUARDRAIL = {"guardrails": []}
CASES = {
    "a guardrail": Case(guarded(), None, live={"guardrails": ["g"], "runs": ["pre_call"]}),
    "in capitals": Case(guarded(mode="PRE_CALL"), None, live={"runs": ["pre_call"]}),
    "two modes": Case(
        guarded(mode=["pre_call", "post_call"]), None, live={"runs": ["post_call", "pre_call"]}
    ),
    "a misspelt mode": Case(
        guarded(mode="pre-call"), ("NX219", "there is no mode pre-call"), live=NO_GUARDRAIL
    ),
    "one of two modes misspelt": Case(
        guarded(mode=["pre_call", "post-call"]), ("NX219", "no mode post-call"), live=NO_GUARDRAIL
    ),
    "a mode by tag": Case(
        guarded(mode={"tags": {"x": "pre_call"}, "default": "precall"}),
        ("NX219", "no mode precall"),
        live=NO_GUARDRAIL,
    ),
    "a mode of others": Case(
        guarded(mode="during_call"),
        ("NX219", "tool_permission runs at no during_call"),
        live=NO_GUARDRAIL,
    ),
    "no mode": Case(guarded(mode=...), ("NX219", "has no mode"), live=NO_GUARDRAIL),
    "a misspelt kind": Case(
        guarded(guardrail="tool_permissions"),
        ("NX219", "has no kind tool_permissions"),
        live=NO_GUARDRAIL,
    ),
    "a kind that takes any mode": Case(
        guarded(guardrail="llm_shield_proxy", mode="pre-call", api_base="http://x.test"),
        ("NX219", "no mode pre-call: the guardrail never runs in it"),
        live={"guardrails": ["g"], "runs": []},
    ),
    "one's own class": Case(
        guarded(guardrail="own.Own", mode="pre_call", anything=1),
        None,
        live={"guardrails": ["g"], "runs": ["pre_call"]},
    ),
    "one's own class in no mode": Case(
        guarded(guardrail="own.Own", mode="precall"),
        ("NX219", "no mode precall"),
        live={"guardrails": ["g"], "runs": []},
    ),
    "default_on in the wrong place": Case(
        guarded({"default_on": True}),
        ("NX219", "default_on has no effect beside litellm_params"),
        live={"guardrails": ["g"]},
    ),
    "a date as text": Case(
        guarded(api_version="DATE"), ("NX219", "api_version cannot be a date"), live=NO_GUARDRAIL
    ),
    "a number as text": Case(
        guarded(guard_name=5), ("NX219", "guard_name cannot be"), live=NO_GUARDRAIL
    ),
    "text as a number": Case(guarded(timeout="5"), None, live={"guardrails": ["g"]}),
    "text as a switch": Case(guarded(default_on="true"), None, live={"guardrails": ["g"]}),
    "a word that is no choice": Case(
        guarded(default_action="denny"), ("NX219", "cannot be denny"), live=NO_GUARDRAIL
    ),
    "no text for a guardrail": Case({"guardrails": ["g"]}, ("NX216", "does not start"), stops=True),
    "a server": Case(served(transport="sse"), None, live={"mcp_servers": ["wiki"]}),
    "a server with a hyphen": Case(served("deep-wiki"), ("NX221", "cannot hold -"), stops=True),
    "a server with a dot": Case(served("deep.wiki"), None, live={"mcp_servers": ["deep.wiki"]}),
    "an unknown transport": Case(
        served(transport="htpp"), ("NX208", "transport cannot be htpp"), stops=True
    ),
    "a transport in capitals": Case(
        served(transport="HTTP"), ("NX208", "transport cannot be HTTP"), stops=True
    ),
    "an unknown auth_type": Case(served(auth_type="bearer"), ("NX208", "auth_type"), stops=True),
    "a known auth_type": Case(
        served(auth_type="bearer_token"), None, live={"mcp_servers": ["wiki"]}
    ),
    "oauth2 without its flow": Case(
        served(auth_type="oauth2"), ("NX221", "oauth2 needs oauth2_flow"), stops=True
    ),
    "a key that no server has": Case(
        served(adress="x"), ("NX203", "knows no adress"), live={"mcp_servers": ["wiki"]}
    ),
    "a server without a url": Case(
        served(url=""), ("NX220", "mcp_servers.wiki has no url"), live={"mcp_servers": ["wiki"]}
    ),
    "headers as a list": Case(
        served(static_headers=["x"]), ("NX209", "static_headers"), stops=True
    ),
    "an endpoint": Case(passing(target="http://x.test"), None, live={"pass_through": ["/x"]}),
    "an endpoint without target": Case(
        passing(), ("NX220", "has no target"), live={"pass_through": []}
    ),
    "headers as text": Case(
        passing(target="http://x.test", headers="x"), ("NX209", "headers"), stops=True
    ),
    "a store without id": Case(
        {"vector_store_registry": [{"vector_store_name": "s", "litellm_params": {"a": 1}}]},
        ("NX221", "has no vector_store_id"),
        stops=True,
    ),
    "a prompt of no kind": Case(
        {"prompts": [{"prompt_id": "p", "litellm_params": {"prompt_id": "p"}}]},
        ("NX218", "has no prompt_integration"),
        stops=True,
    ),
    "a limit in words": Case(
        {"litellm_settings": {"upperbound_key_generate_params": {"max_budget": "ten"}}},
        ("NX209", "max_budget"),
        stops=True,
    ),
    "an alert in words": Case(
        {"general": {"alerting": ["slack"], "alerting_args": {"daily_report_frequency": "daily"}}},
        ("NX209", "daily_report_frequency"),
        stops=True,
    ),
    "a policy for a guardrail": Case(
        {**guarded(), "policies": {"p": {"guardrails": {"add": ["g"]}}}},
        None,
        live={"guardrails": ["g"]},
    ),
    "a policy with a list": Case(
        {**guarded(), "policies": {"p": {"guardrails": ["g"]}}}, None, live={"guardrails": ["g"]}
    ),
    "a policy for another": Case(
        {**guarded(), "policies": {"p": {"guardrails": {"add": ["gg"]}}}},
        ("NX222", "LiteLLM does not start"),
        stops=True,
    ),
    "a policy for nothing": Case(
        {"policies": {"p": {"guardrails": {"add": ["g"]}}}},
        ("NX222", "nothing is checked"),
        live=NO_GUARDRAIL,
    ),
}
C = "complexity_router_config"
CASES |= {
    "a router": Case(routed(**{C: {"tiers": {"SIMPLE": "m"}}}), None, live={"routers": ["smart"]}),
    "a setting above a router's": Case(
        routed(**{C: {"tiers": {"SIMPLE": "m"}}, "tier_boundaries": {"simple_medium": 0.2}}),
        ("NX221", "tier_boundaries beside complexity_router_config"),
        stops=True,
    ),
    "a router's switch as a list": Case(
        routed(**{C: {"tiers": {"SIMPLE": "m"}, "session_affinity": ["x"]}}),
        ("NX220", "session_affinity cannot be a list"),
        live={"routers": []},
    ),
    "a tier of no model": Case(
        routed(**{C: {"tiers": {"SIMPLE": "n"}}}), ("NX226", "no model is named n")
    ),
    "a guardrail of a pass-through that is not there": Case(
        {**guarded(), **passing(target="http://x.test", guardrails=["h"])},
        ("NX222", "there is no guardrail h: nothing is checked"),
        live={"pass_through": ["/x"], "guardrails": ["g"]},
    ),
    "with the fields it reads": Case(
        {
            **guarded(),
            **passing(target="http://x.test", guardrails={"g": None, "h": {"request_fields": []}}),
        },
        ("NX222", "there is no guardrail h: nothing is checked"),
        live={"pass_through": ["/x"], "guardrails": ["g"]},
    ),
    "a guardrail that every key is to have": Case(
        {
            **guarded(),
            "litellm_settings": {"default_key_generate_params": {"guardrails": ["g"]}},
        },
        ("NX219", "LiteLLM gives new keys no guardrails from here"),
        live={"guardrails": ["g"]},
    ),
    "the older form": Case(
        {"litellm_settings": {"guardrails": [{"g": {"callbacks": ["x"], "default_on": False}}]}},
        None,
    ),
    "a misspelt callback in the older form": Case(
        {
            "litellm_settings": {
                "guardrails": [{"g": {"callbacks": ["presido"], "default_on": True}}]
            }
        },
        ("NX213", "LiteLLM has no callback presido"),
        stops=True,
    ),
    "a kind of prompts that is not there": Case(
        {"prompts": [{"prompt_id": "p", "litellm_params": prompted("dotpromt")}]},
        ("NX208", "prompt_integration cannot be dotpromt"),
        stops=True,
    ),
    "what a role may do": Case(
        {"general": {"role_permissions": [{"role": "team", "models": ["m"]}]}}, None
    ),
    "models of a role as text": Case(
        {"general": {"role_permissions": [{"role": "team", "models": "m"}]}},
        ("NX209", "as models"),
        stops=True,
    ),
    "a role that is not there": Case(
        {"general": {"role_permissions": [{"role": "teams"}]}},
        ("NX208", "role cannot be teams"),
        stops=True,
    ),
    "claims of a token": Case({"general": {"litellm_jwtauth": {"team_id_jwt_field": "t"}}}, None),
    "an old name of a claim": Case({"general": {"litellm_jwtauth": {"jwt_client_id_field": "t"}}}),
    "a misspelt claim": Case(
        {"general": {"litellm_jwtauth": {"team_id_jwt_feild": "t"}}},
        ("NX203", "knows no team_id_jwt_feild in general_settings.litellm_jwtauth"),
        stops=True,
    ),
    "a claim that is a number": Case(
        {"general": {"litellm_jwtauth": {"team_id_jwt_field": 5}}},
        ("NX209", "as team_id_jwt_field"),
        stops=True,
    ),
    "a misspelt argument of a Redis": Case(
        cached(host="r.test", port=6379, pasword="x"),
        ("NX203", "knows no pasword in litellm_settings.cache_params: LiteLLM does not start"),
        stops=True,
    ),
    "an argument of its client": Case(cached(host="r.test", port=6379, socket_timeout=1), None),
    "a misspelt argument beside a URL": Case(
        cached(url="redis://r.test", pasword="x"), ("NX203", "knows no pasword")
    ),
    "a provider that is not there": Case(
        {
            "litellm_settings": {
                "custom_provider_map": [{"provider": "p", "custom_handler": "no.x"}]
            }
        },
        ("NX217", "there is no no.py"),
        stops=True,
    ),
    "rules that are not there": Case(
        {"litellm_settings": {"post_call_rules": "no.x"}},
        ("NX217", "there is no no.py"),
        stops=True,
    ),
}
