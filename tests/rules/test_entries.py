"""Entries beyond models and settings: what nixcfg says of each, and what LiteLLM does with it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rules_support import Oracle, by_itself, in_project

from nixcfg import knowledge
from nixcfg.rules import context

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
IGNORED = {"NX316"}
"""A master key that the file leaves to the environment."""


def written(case: Case) -> str:
    return case.text.replace('"DATE"', "2024-05-01")


@pytest.mark.parametrize("name", CASES)
def test_what_is_found(name: str, tmp_path: Path):
    case = CASES[name]
    report = by_itself(tmp_path, {"config.yaml": written(case), "own.py": OWN})
    found = [p for p in report.problems if p.code not in IGNORED]
    if case.finding is None:
        assert found == []
        return
    code, part = case.finding
    assert any(p.code == code and part in p.message for p in found), found
    assert case.stops == any("does not start" in p.message for p in found), found


@pytest.fixture(scope="module")
def verdicts(oracle: type[Oracle]) -> dict[str, Any]:
    asked: list[dict[str, object]] = [
        {"text": written(case), "files": {"own.py": OWN}, "env": case.env}
        for case in CASES.values()
    ]
    return dict(zip(CASES, oracle.ask(asked), strict=True))


@pytest.mark.oracle
@pytest.mark.parametrize("name", CASES)
def test_what_litellm_does(name: str, verdicts: dict[str, Any]):
    case, verdict = CASES[name], verdicts[name]
    assert case.stops == (verdict["error"] is not None), verdict["error"]
    for section, names in case.live.items() if not case.stops else ():
        assert verdict["live"][section] == names


def test_a_service_that_needs_a_key(tmp_path: Path):
    text = json.dumps({"model_list": [MODEL], **guarded(guardrail="lasso")})
    files = {"nixcfg.yaml": "model_config: all\n", "providers/one.yaml": text}
    told = {p.code: p for p in in_project(tmp_path, files).problems}
    assert "lasso needs LASSO_API_KEY or api_key" in told["NX221"].message
    files["providers/one.yaml"] = json.dumps(
        {"model_list": [MODEL], **guarded(guardrail="lasso", api_key="os.environ/LASSO_API_KEY")}
    )
    assert not [p for p in in_project(tmp_path / "b", files).problems if p.is_error]


def test_stdio_needs_its_switch(tmp_path: Path):
    server = {"transport": "stdio", "command": "npx"}
    for number, (more, level) in enumerate(
        [({}, "error"), ({"environment_variables": {"LITELLM_ENABLE_MCP_STDIO": "true"}}, "")]
    ):
        text = json.dumps({"model_list": [MODEL], "mcp_servers": {"s": server}, **more})
        files = {"nixcfg.yaml": "model_config: all\n", "providers/one.yaml": text}
        report = in_project(tmp_path / str(number), files)
        assert [p.severity.value for p in report.problems if p.code == "NX220"] == [level][
            : bool(level)
        ]


@pytest.mark.parametrize("release", knowledge.known())
def test_every_release_has_its_entries(release: str):
    """The places that every release has, with their keys; and guardrails with modes."""
    facts = knowledge.of(release).entries
    for path in ("guardrails[].litellm_params", "mcp_servers{}", "prompts[]"):
        place = facts.place(path)
        assert place is not None
        assert len(place.keys) > 5
    assert "pre_call" in facts.modes
    assert len(facts.guardrails) > 30


def test_the_walk_reaches_lists_mappings_and_conditions():
    by_strategy = next(
        place for place in knowledge.default().entries.places if place.steps[0].value
    )
    from nixcfg.yamltext.document import Map

    settings = Map(routing_strategy=by_strategy.steps[0].value, routing_strategy_args=Map(a=1))
    data = Map(router_settings=settings)
    assert [path for path, _ in context.reached(data, by_strategy.steps)] == [
        ("router_settings", "routing_strategy_args")
    ]
    settings["routing_strategy"] = "simple-shuffle"
    assert not list(context.reached(data, by_strategy.steps))
