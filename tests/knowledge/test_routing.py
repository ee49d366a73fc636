"""split_model gives LiteLLM's own verdict."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from nixcfg import knowledge

PROGRAM = """
import litellm

litellm.suppress_debug_info = True
answer = []
for model, provider, base in question:
    try:
        name, found, _, _ = litellm.get_llm_provider(model, provider, base)
        answer.append([found, name])
    except litellm.BadRequestError:
        answer.append([None, None])
"""
pytestmark = pytest.mark.slow
LOGIN = {"chatgpt", "github_copilot"}
Case = tuple[str, str | None, str | None]


def catalogue() -> list[str]:
    bare = {model for p in knowledge.providers() for model in knowledge.models(p)}
    names = {f"{p}/{model}" for p in knowledge.providers() for model in knowledge.models(p)}
    return sorted(names | bare)


def typo(name: str, chance: random.Random) -> str:
    place = chance.randrange(len(name))
    return chance.choice((name[:place] + name[place + 1 :], name[:place] + "x" + name[place:]))


def configured() -> list[Case]:
    """Names as people write them, and bases that decide for a name that does not."""
    names = [
        "gpt-4o",
        "claude-3-7-sonnet-20250219",
        "claude-3-5-sonnet-20241022",
        "claude-sonnet-4-5",
        "claude-opus-99",
        "gpt-4-turbo-preview",
        "gpt-image-9",
        "ft:gpt-4o:acme::abc",
        "antropic/claude-sonnet-4-5",
        "zhipu/glm-4",
        "openrouter/auto",
        "openrouter/anthropic/claude-3.5-sonnet",
        "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock/arn:aws:bedrock:us-east-1:123:inference-profile/x",
        "us.anthropic.claude-new-9",
        "azure/my-deployment",
        "azure/command-r-plus",
        "cohere/command-r-plus",
        "ragflow/chat/1/m",
        "ragflow/m",
        "ollama/llama3.1:8b",
        "ollama_chat/qwen2.5-coder:32b",
        "hosted_vllm/meta-llama/Llama-3.3-70B-Instruct",
        "meta/llama-2-70b-chat:" + "0" * 64,
        "meta-llama/Llama-3",
        "anthropic/*",
        "openai/*",
        "*",
        "os.environ/MODEL",
        "OpenAI/gpt-4o",
        "openai",
        "mistral",
        "maritalk",
        "amazon_nova_pro",
        "dall-e-3",
        "text-embedding-3-small",
        "gemini/gemini-2.0-flash",
        "vertex_ai/claude-sonnet-4-5@20250929",
        "aihubmix/anything",
        "github/gpt-4o",
        "custom_openai/x",
    ]
    bases = [
        "http://localhost:8000/v1",
        "https://api.deepinfra.com/v1/openai",
        "https://api.groq.com/openai/v1",
        "https://API.GROQ.COM/openai/v1/",
        "https://api.x.ai/v1",
        "https://attacker.test/api.groq.com/openai/v1",
        "api.mistral.ai/v1",
        "https://api.mistral.ai",
        "https://open.bigmodel.cn/api/paas/v4",
        "https://api.reka.ai/v1",
    ]
    cases: list[Case] = [(name, None, None) for name in names]
    return cases + [(name, None, base) for name in ("zhipu/glm-4", "x") for base in bases]


def all_cases() -> dict[str, list[Case]]:
    chance = random.Random(20261123)
    names = catalogue()
    prefixes = [*knowledge.providers(), "nosuch", "zhipu", "openai-compatible"]
    mixed = [f"{chance.choice(prefixes)}/{chance.choice(names)}" for _ in range(10000)]
    found: dict[str, list[Case]] = {
        "catalogue": [(name, None, None) for name in names],
        "misspelt": [(typo(name, chance), None, None) for name in names if len(name) > 1],
        "any prefix": [(name, None, None) for name in mixed],
        "declared": [(chance.choice(names), chance.choice(prefixes), None) for _ in range(10000)],
        "configured": configured(),
    }
    # A provider with a device login would start it, being asked.
    return {
        group: [c for c in cases if c[0].split("/")[0] not in LOGIN and c[1] not in LOGIN]
        for group, cases in found.items()
    }


@pytest.fixture(scope="module")
def verdicts(ask_litellm: Callable[[str, Any], Any]) -> dict[str, list[tuple[Case, Any]]]:
    cases = all_cases()
    answers = iter(ask_litellm(PROGRAM, [case for group in cases.values() for case in group]))
    return {group: [(case, next(answers)) for case in cases[group]] for group in cases}


@pytest.mark.parametrize("group", ["catalogue", "misspelt", "any prefix", "declared", "configured"])
def test_same_verdict(group: str, verdicts: dict[str, list[tuple[Case, Any]]]):
    assert len(verdicts[group]) >= 50
    wrong = []
    for case, (provider, name) in verdicts[group]:
        found = knowledge.split_model(*case)
        if found[0] != provider or (provider is not None and found[1] != name):
            wrong.append((case, (provider, name), found))
    assert wrong == []
