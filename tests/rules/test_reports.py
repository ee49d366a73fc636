"""What people reported to LiteLLM about their configurations, and what nixcfg says of each.

The reports are public, by their numbers in BerriAI/litellm (in litellm-docs where it says so). The
files are our own, each with the one thing that its report is about. `holds` is what LiteLLM itself
does with it today: the report is still true, or it is not and nothing may be said.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rules_support import Oracle, by_itself

Answer = Mapping[str, Any]
KEY = "os.environ/OPENAI_API_KEY"
MASTER = {"master_key": "os.environ/LITELLM_MASTER_KEY"}
ENV = {"OPENAI_API_KEY": "sk-openai", "ANTHROPIC_API_KEY": "sk-anthropic"}
IGNORED = {"NX408", "NX211"}
"""Two deployments of one name, which a report about routing needs; and no database."""


def deployment(name: str = "m", /, model: str = "openai/gpt-4o", **params: Any) -> dict[str, Any]:
    return {"model_name": name, "litellm_params": {"model": model, "api_key": KEY, **params}}


@dataclass(frozen=True)
class Report:
    """`finding` is a code and a part of its message, or None where nothing is wrong today."""

    config: Mapping[str, Any]
    finding: tuple[str, str] | None
    holds: Callable[[Answer], bool]
    ask: str = ""
    times: int = 1
    status: int = 200
    env: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    text: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        if self.text:
            return self.text
        general = {**MASTER, **self.config.get("general_settings", {})}
        models = {"model_list": [deployment()]}
        return json.dumps({**models, **self.config, "general_settings": general}, indent=1)

    @property
    def question(self) -> dict[str, Any]:
        asked = {"ask": self.ask, "times": self.times, "tags": list(self.tags)} if self.ask else {}
        env = {**ENV, **self.env}
        given = {"text": self.file, "files": self.files, "env": env, "status": self.status}
        return {**given, **asked}


def stops(answer: Answer) -> bool:
    return answer["error"] is not None


def starts(answer: Answer) -> bool:
    return answer["error"] is None


def hosts(answer: Answer) -> set[str]:
    return {sent["url"].split("/")[2] for sent in answer["sent"]}


def passing(**endpoint: Any) -> dict[str, Any]:
    endpoints = [{"path": "/x", "target": "https://vendor.test/v1", **endpoint}]
    return {"general_settings": {"pass_through_endpoints": endpoints}}


def kept(period: int | str) -> dict[str, Any]:
    return {"general_settings": {"maximum_spend_logs_retention_period": period}}


def routed(tiers: Mapping[str, str]) -> dict[str, Any]:
    params = {"model": "auto_router/complexity_router", "complexity_router_default_model": "m"}
    config = {"complexity_router_config": {"tiers": tiers}}
    return {"model_name": "smart", "litellm_params": {**params, **config}}


TAGGED = [
    deployment(tags=["eu"], api_base="https://eu.test/v1"),
    deployment(tags=["us"], api_base="https://us.test/v1"),
]

ANY = [
    deployment(model="openai/*", tags=[tag], api_base=f"https://{tag}.test/v1")
    for tag in ("eu", "us")
]
AUTH = """\
from litellm.proxy._types import UserAPIKeyAuth


async def check(request, api_key):
    return UserAPIKeyAuth(api_key=api_key)
"""

REPORTS = {
    "858: a proxy for Ollama tries to run ollama": Report(
        {"model_list": [{"model_name": "m", "litellm_params": {"model": "ollama/llama3"}}]},
        ("NX417", "starts `ollama serve`"),
        lambda answer: answer["spawned"] == ["ollama serve"],
    ),
    "1848: a file without litellm_settings": Report({}, None, starts, ask="m"),
    "1853: api_base without /v1": Report(
        {"model_list": [deployment(api_base="https://api.openai.com")]},
        ("NX414", ""),
        lambda answer: answer["sent"][0]["url"] == "https://api.openai.com/chat/completions",
        ask="m",
    ),
    "3201: health checks every 30 seconds": Report(
        {"general_settings": {"background_health_checks": True, "health_check_interval": 30}},
        ("NX228", "2,880 times a day"),
        lambda answer: answer["general"]["health_check_interval"] == 30,
    ),
    "5501: drop_params of one model": Report(
        {"model_list": [deployment(drop_params=True)]},
        None,
        lambda answer: answer["params"][0]["drop_params"] is True,
    ),
    "5801: tags of a wildcard": Report(
        {
            "model_list": [{**each, "model_name": "openai/*"} for each in ANY],
            "router_settings": {"enable_tag_filtering": True},
        },
        None,
        lambda answer: hosts(answer) == {"eu.test"},
        ask="openai/gpt-4o",
        times=8,
        tags=("eu",),
    ),
    "8108: a guardrail without a mode": Report(
        {
            "guardrails": [
                {"guardrail_name": "g", "litellm_params": {"guardrail": "tool_permission"}}
            ]
        },
        ("NX219", "has no mode"),
        lambda answer: answer["live"]["guardrails"] == [],
    ),
    "8338: settings inside an entry of model_list": Report(
        {"model_list": [{**deployment(), "litellm_settings": {"success_callback": ["langfuse"]}}]},
        ("NX405", "litellm_settings"),
        lambda answer: "langfuse" not in answer["litellm"]["success_callback"],
    ),
    "9445: an Ollama whose address ends in /v1": Report(
        {"model_list": [deployment(model="ollama/gemma3", api_base="http://ollama.test:11434/v1")]},
        ("NX414", "/v1"),
        lambda answer: any("/v1/api/" in sent["url"] for sent in answer["sent"]),
        ask="m",
    ),
    "12383: a strategy under another name": Report(
        {"router_settings": {"strategy": "simple-shuffle"}},
        ("NX203", "knows no strategy in router_settings"),
        lambda answer: any("'strategy' is not a valid argument" in w for w in answer["warnings"]),
    ),
    "12515: a hyphen in the name of an MCP server": Report(
        {"mcp_servers": {"my-wiki": {"url": "http://wiki.test/mcp"}}},
        ("NX221", "cannot hold -"),
        stops,
    ),
    "13547: access groups of an MCP server": Report(
        {"mcp_servers": {"wiki": {"url": "http://wiki.test/mcp", "access_groups": ["staff"]}}},
        None,
        lambda answer: answer["live"]["mcp_servers"] == ["wiki"],
    ),
    "15944: tags with usage-based-routing": Report(
        {
            "model_list": TAGGED,
            "router_settings": {
                "enable_tag_filtering": True,
                "routing_strategy": "usage-based-routing",
            },
        },
        ("NX227", "looks at no tags"),
        lambda answer: hosts(answer) == {"eu.test", "us.test"},
        ask="m",
        times=12,
        tags=("eu",),
    ),
    "16541: a pass-through with a key and all headers": Report(
        passing(headers={"x-api-key": "os.environ/VENDOR_KEY"}, forward_headers=True),
        ("NX323", "goes on to the target"),
        lambda answer: answer["live"]["pass_through"] == ["/x"],
    ),
    "17092: the router's Redis": Report(
        {"router_settings": {"redis_host": "redis.test", "redis_port": 6379}},
        None,
        lambda answer: answer["redis"],
    ),
    "19229: model_list twice": Report(
        {},
        ("NX004", "model_list"),
        lambda answer: answer["names"] == ["b"],
        text=f"model_list: {json.dumps([deployment('a')])}\n"
        f"model_list: {json.dumps([deployment('b')])}\ngeneral_settings: {json.dumps(MASTER)}\n",
    ),
    "19507: a number of retries from the environment": Report(
        {"router_settings": {"num_retries": "os.environ/RETRIES"}},
        ("NX204", "a variable, which is always text"),
        lambda answer: "not supported between instances" in answer["replies"][0],
        ask="m",
        status=500,
        env={"RETRIES": "2"},
    ),
    "22088: a constant in environment_variables": Report(
        {"environment_variables": {"DEFAULT_MAX_RETRIES": "7"}},
        ("NX322", "reads DEFAULT_MAX_RETRIES when it is imported"),
        lambda answer: answer["constants"]["DEFAULT_MAX_RETRIES"] != "7",
    ),
    "22687: rows that are kept for a number of days": Report(
        kept(3), None, lambda answer: answer["general"]["maximum_spend_logs_retention_period"] == 3
    ),
    "22687: rows that are kept for a length of time without a unit": Report(
        kept("3"), ("NX224", "LiteLLM deletes nothing: 3 is no length of time"), starts
    ),
    "23699: a router whose tiers name no model": Report(
        {"model_list": [deployment(), routed({"SIMPLE": "nano"})]},
        ("NX226", "no model is named nano"),
        starts,
    ),
    "26233: cache_params without a type": Report(
        {"litellm_settings": {"cache": True, "cache_params": {"mode": "default_off"}}},
        ("NX214", "is a cache in memory"),
        starts,
    ),
    "26696: a budget from the environment": Report(
        {"litellm_settings": {"max_budget": "os.environ/BUDGET"}},
        None,
        starts,
        env={"BUDGET": "10"},
    ),
    "27473: a router whose tiers name models": Report(
        {"model_list": [deployment(), routed({"SIMPLE": "m", "REASONING": "m"})]},
        None,
        lambda answer: answer["live"]["routers"] == ["smart"],
    ),
    "31287: general_setting": Report(
        {"general_setting": {"health_check_interval": 30}},
        ("NX205", "no section general_setting"),
        lambda answer: "health_check_interval" not in answer["general"],
    ),
    "34362: a text in place of the models to fall back to": Report(
        {
            "model_list": [deployment(), deployment("backup", api_base="https://b.test/v1")],
            "router_settings": {"fallbacks": [{"m": "backup"}]},
        },
        ("NX423", ""),
        stops,
    ),
    "35526: custom_auth without LiteLLM's checks": Report(
        {"general_settings": {"custom_auth": "own.check"}},
        ("NX229", "checks no budget"),
        starts,
        files={"own.py": AUTH},
    ),
    "39655: context_window_fallbacks that are a list of texts": Report(
        {"router_settings": {"context_window_fallbacks": ["m"]}},
        ("NX422", ""),
        starts,
    ),
    "litellm-docs 1184: master_key in litellm_settings": Report(
        {"litellm_settings": {"master_key": "os.environ/OTHER_KEY"}},
        ("NX201", "master_key has no effect in litellm_settings"),
        lambda answer: answer["general"]["master_key"] != "sk-other",
        env={"OTHER_KEY": "sk-other"},
    ),
}


@pytest.mark.parametrize("name", REPORTS)
def test_what_is_found(name: str, tmp_path: Path):
    report = REPORTS[name]
    whole = by_itself(tmp_path, {"config.yaml": report.file, **report.files})
    found = [p for p in whole.problems if p.code not in IGNORED]
    expected = report.finding
    if expected is None:
        assert found == []
    else:
        code, part = expected
        assert any(p.code == code and part in p.message for p in found), found


@pytest.fixture(scope="module")
def answers(oracle: type[Oracle]) -> dict[str, Answer]:
    asked: list[dict[str, object]] = [report.question for report in REPORTS.values()]
    return dict(zip(REPORTS, oracle.ask(asked), strict=True))


@pytest.mark.oracle
@pytest.mark.parametrize("name", REPORTS)
def test_what_litellm_does(name: str, answers: dict[str, Answer]):
    assert REPORTS[name].holds(answers[name]), answers[name]
