"""Azure's addresses and versions, keys of other vendors, and what starts without a cache."""

import json
from pathlib import Path
from typing import Any

import pytest
from rules_support import Oracle, by_itself

from nixcfg.problems.problem import Problem

HOST = "https://a.test"


def text(model: str, params: dict[str, Any], **sections: Any) -> str:
    entry = {"model_name": "m", "litellm_params": {"model": model, **params}}
    return json.dumps({"model_list": [entry], **sections})


def told(folder: Path, written: str) -> dict[str, Problem]:
    report = by_itself(folder, {"config.yaml": written})
    return {p.code: p for p in report.problems}


AZURE = {
    "": True,
    "/": True,
    "/gateway": True,
    "/openai/deployments/d": True,
    "/openai/deployments/d/chat/completions?api-version=2024-10-21": True,
    "/openai/deployments/d/chat/completions": False,
    "/gateway/openai/deployments/d/chat/completions": False,
    "/openai/v1": False,
    "/openai/v1/": False,
    "/openai": False,
    "/v1": False,
    "/chat/completions": False,
}
"""Paths behind a host, and whether LiteLLM asks a deployment of Azure's there."""


@pytest.mark.parametrize("path", AZURE)
def test_the_address_of_azure(tmp_path: Path, path: str):
    found = told(tmp_path, text("azure/d", {"api_base": HOST + path}))
    assert ("NX414" not in found) is AZURE[path]
    if path.startswith("/openai/v1"):
        assert "Write https://a.test, and api_version: v1." in found["NX414"].help
    if path.startswith("/gateway/"):
        assert "Write https://a.test/gateway." in found["NX414"].help


@pytest.mark.oracle
def test_where_litellm_asks_azure(oracle: type[Oracle]):
    questions: list[dict[str, object]] = [
        {"text": text("azure/d", {"api_base": HOST + p, "api_key": "x"}), "ask": "m"} for p in AZURE
    ]
    wanted = r"/openai/deployments/d/chat/completions?api-version="
    for (path, is_right), answer in zip(AZURE.items(), oracle.ask(questions), strict=True):
        sent: Any = answer["sent"]
        asked = sent[0]["url"].removeprefix(HOST).removeprefix("/gateway").replace("/?", "?")
        assert asked.startswith(wanted) is is_right or path == "/chat/completions", (path, asked)


@pytest.mark.parametrize(
    ("model", "params", "is_found"),
    [
        ("deepinfra/x/y", {"api_key": "os.environ/OPENAI_API_KEY"}, True),
        ("groq/x", {"api_key": "os.environ/ANTHROPIC_API_KEY"}, True),
        ("deepinfra/x/y", {"api_key": "os.environ/DEEPINFRA_API_KEY"}, False),
        ("deepinfra/x/y", {"api_key": "os.environ/TEAM_KEY"}, False),
        ("gemini/gemini-2.5-flash", {"api_key": "os.environ/GOOGLE_API_KEY"}, False),
        ("openai/x", {"api_key": "os.environ/GROQ_API_KEY", "api_base": f"{HOST}/v1"}, False),
        ("azure/d", {"api_key": "os.environ/OPENAI_API_KEY", "api_base": HOST}, False),
        ("text-completion-openai/x", {"api_key": "os.environ/OPENAI_API_KEY"}, False),
        ("cohere_chat/command-r", {"api_key": "os.environ/COHERE_API_KEY"}, False),
        ("hosted_vllm/x", {"api_key": "os.environ/OPENAI_API_KEY", "api_base": HOST}, False),
    ],
)
def test_a_key_of_another_vendor(tmp_path: Path, model: str, params: Any, is_found: bool):
    assert ("NX321" in told(tmp_path, text(model, params))) is is_found


MASTER_KEYS = {
    "true": False,
    "True": False,
    "": True,
    " ": True,
    "sk-1234": True,
    " sk-1234 ": True,
}
"""Texts as a master key, and whether LiteLLM refuses to start."""


@pytest.mark.parametrize("key", MASTER_KEYS)
def test_a_master_key_that_is_refused(tmp_path: Path, key: str):
    found = told(tmp_path, text("openai/gpt-4o", {}, general_settings={"master_key": key}))
    assert ("NX314" in found) is MASTER_KEYS[key]


@pytest.mark.parametrize("kind", [None, ""])
def test_a_cache_of_no_type(tmp_path: Path, kind: str | None):
    cache = {"cache": True, "cache_params": {"type": kind, "host": "redis.test", "port": 6379}}
    found = told(tmp_path, text("openai/gpt-4o", {}, litellm_settings=cache))
    assert found["NX209"].is_error
    assert "NX214" not in found


@pytest.mark.oracle
def test_what_keeps_litellm_from_starting(oracle: type[Oracle]):
    keys: list[dict[str, object]] = [
        {"text": text("openai/gpt-4o", {}, general_settings={"master_key": key})}
        for key in MASTER_KEYS
    ]
    caches: list[dict[str, object]] = [
        {
            "text": text(
                "openai/gpt-4o",
                {},
                litellm_settings={"cache": True, "cache_params": {"type": kind}},
            )
        }
        for kind in (None, "")
    ]
    told = oracle.ask(keys + caches)
    assert [answer["refused"] for answer in told[: len(keys)]] == list(MASTER_KEYS.values())
    assert all("no attribute 'cache'" in str(answer["error"]) for answer in told[len(keys) :])
