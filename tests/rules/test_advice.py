"""Advice that someone follows: it must not make a harmless mistake one that does harm."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rules_support import Oracle, by_itself

from nixcfg.problems.problem import Problem
from nixcfg.project.nearest import nearest

MODEL = {"model_name": "m", "litellm_params": {"model": "openai/gpt-4.1", "api_key": "none"}}


def told(folder: Path, code: str, models: list[Mapping[str, Any]], **more: Any) -> list[Problem]:
    text = json.dumps({"model_list": models, **more}, indent=1)
    problems = by_itself(folder, {"config.yaml": text}).problems
    return [problem for problem in problems if problem.code == code]


def deployed(model: str, **params: Any) -> dict[str, Any]:
    return {"model_name": "m", "litellm_params": {"model": model, **params}}


@pytest.mark.parametrize(
    ("typed", "known", "meant"),
    [
        ("default_end_user_params", "default_internal_user_params", False),
        ("disable_health_checks", "enable_health_checks", False),
        ("disable_cost_tracking_prometheus_only", "disable_cost_tracking", False),
        ("enable_balancing_on_context_limits", "enable_balancing_on_batch_endpoints", False),
        ("max_rpm_limit", "max_tpm_limit", False),
        ("enable_pre_call_check", "enable_pre_call_checks", True),
        ("aws_regoin_name", "aws_region_name", True),
        ("team_id_jwt_feild", "team_id_jwt_field", True),
        ("redis_pass", "redis_password", True),
        ("litellm_setting", "litellm_settings", True),
        ("api_ky", "api_key", True),
        ("default_params", "default_team_params", True),
        ("drop-params", "drop_params", True),
        ("dropparams", "drop_params", True),
    ],
)
def test_another_word_is_no_typo(typed: str, known: str, meant: bool):
    assert nearest(typed, [known]) == (known if meant else "")


PROFILE = "bedrock/apac.anthropic.claude-9-sonnet-20250219-v1:0"


def test_no_advice_sends_prompts_to_another_part_of_the_world(tmp_path: Path):
    (found,) = told(tmp_path, "NX411", [deployed(PROFILE, aws_region_name="ap-northeast-1")])
    assert "bedrock/apac.anthropic" in found.help
    assert all(f"/{other}." not in found.help for other in ("us", "eu", "au", "jp", "global"))


@pytest.mark.parametrize(
    ("model", "base", "advice"),
    [
        (
            "google/gemma-2-9b-it",
            "https://openrouter.ai/api/v1",
            "openrouter/google/gemma-2-9b-it?",
        ),
        (
            "mistralai/mistral-7b",
            "https://openrouter.ai/api/v1",
            "openrouter/mistralai/mistral-7b?",
        ),
        ("no-such-model", "https://api.anthropic.com", "anthropic/no-such-model?"),
        ("Qwen/Qwen3", "http://vllm.test/v1", "openai/Qwen/Qwen3 or openai/Qwen3, as the server"),
        (
            "acme/model",
            "http://localhost:11434",
            "openai/acme/model or openai/model, as the server",
        ),
        ("gpt-oss:20b", None, "ollama_chat/gpt-oss:20b and the api_base"),
        ("claude-9", None, "anthropic/claude-9."),
    ],
)
def test_a_model_is_said_to_be_of_whoever_answers_there(
    tmp_path: Path, model: str, base: str | None, advice: str
):
    (found,) = told(tmp_path, "NX402", [deployed(model, **({"api_base": base} if base else {}))])
    assert advice in found.help


@pytest.mark.oracle
def test_litellm_loads_it_as_advised(oracle: type[Oracle]):
    params = {"api_base": "https://openrouter.ai/api/v1", "api_key": "none"}
    asked = [
        {"text": json.dumps({"model_list": [deployed(prefix + "google/gemma-2-9b-it", **params)]})}
        for prefix in ("", "openrouter/")
    ]
    assert [answer["loaded"] for answer in oracle.ask(asked)] == [0, 1]


def test_a_setting_is_moved_only_where_its_value_works(tmp_path: Path):
    (found,) = told(tmp_path / "a", "NX201", [MODEL], cache={"type": "redis"})
    assert found.fix is None
    assert found.help == "LiteLLM honours it in litellm_settings, as true or false."
    (found,) = told(tmp_path / "b", "NX201", [MODEL], drop_params=True)
    assert found.fix is not None


@pytest.mark.oracle
def test_a_mapping_as_cache_would_have_broken_every_request(oracle: type[Oracle]):
    """What the fix made of it, before it looked at the value."""
    cache = {"type": "redis"}
    asked: list[dict[str, object]] = [
        {"text": json.dumps({"model_list": [MODEL], **more}), "ask": "m"}
        for more in ({"cache": cache}, {"litellm_settings": {"cache": cache}})
    ]
    beside, moved = oracle.ask(asked)
    assert beside["replies"] == ["ok: hello"]
    assert moved["error"] or moved["replies"] != ["ok: hello"]


def test_the_same_note_for_many_deployments_is_one(tmp_path: Path):
    models = [deployed("bedrock/amazon.nova-pro-v1:0"), deployed("bedrock/amazon.nova-lite-v1:0")]
    (found,) = told(tmp_path, "NX429", models)
    assert [each.message for each in found.related] == ["here too"]
