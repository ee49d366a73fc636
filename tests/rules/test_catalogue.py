"""Models that LiteLLM's list does not have, by how much the list says."""

import json
from pathlib import Path

import pytest
from rules_support import by_itself

from nixcfg import knowledge
from nixcfg.knowledge.listing import Listing


def codes(folder: Path, model: str, **params: str) -> list[str]:
    entry = {"model_name": "m", "litellm_params": {"model": model, **params}}
    report = by_itself(folder, {"config.yaml": json.dumps({"model_list": [entry]})})
    return [p.code for p in report.problems if p.code in ("NX411", "NX434")]


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("groq/mixtral-8x7b-32768", ["NX434"]),
        ("groq/openai/gpt-oss-120b", []),
        ("groq/OpenAI/GPT-OSS-120b", []),
        ("fireworks_ai/no-such-model", ["NX434"]),
        ("fireworks_ai/accounts/fireworks/models/llama-v3p3-70b-instruct", []),
        ("anthropic/claude-sonet-4-5", ["NX411"]),
        ("deepinfra/no/such", []),
        ("ollama/no-such", []),
        ("huggingface/no/such", []),
        ("groq/*", []),
        ("groq/", ["NX411"]),
        ("openai/", ["NX411"]),
        ("together_ai/", ["NX411"]),
        ("deepinfra/", ["NX411"]),
    ],
)
def test_a_model_that_is_not_listed(tmp_path: Path, model: str, found: list[str]):
    assert codes(tmp_path, model) == found


def test_another_server_has_models_of_its_own(tmp_path: Path):
    assert codes(tmp_path, "groq/no-such", api_base="http://10.0.0.5/v1") == []


def test_how_much_a_list_says():
    known = knowledge.default()
    assert known.listing("anthropic") is Listing.CLOSED
    assert known.listing("groq") is Listing.PARTIAL
    assert known.listing("cerebras") is Listing.PARTIAL
    assert known.listing("bedrock") is Listing.CLOSED
    assert known.listing("dashscope") is Listing.CLOSED
    assert known.listing("azure") is Listing.OPEN
    assert known.listing("no-such-provider") is Listing.OPEN


def test_a_model_is_reported_once_and_fixed_everywhere(tmp_path: Path):
    """The same words for ten deployments of one retired model would hide what else is wrong."""
    entry = {"model_name": "m", "litellm_params": {"model": "anthropic/claude-opus-4-66"}}
    text = json.dumps({"model_list": [entry, entry, entry]}, indent=1)
    problems = by_itself(tmp_path, {"config.yaml": text}).problems
    (found,) = [p for p in problems if p.code == "NX411"]
    assert [each.message for each in found.related] == ["here too", "here too"]
    assert found.fix is not None
    assert [edit.path[1] for edit in found.fix.edits] == [0, 1, 2]
