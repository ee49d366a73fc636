"""What people call a provider: the right one, or a question, never a wrong guess."""

import re
from collections.abc import Callable

import pytest
from in_process import Done

from nixcfg import knowledge
from nixcfg.providers import names

Run = Callable[..., Done]


@pytest.mark.parametrize("name", names.NAMES)
def test_a_name_leads_to_providers_that_there_are(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name), "as `meaning` folds what is typed"
    called = names.NAMES[name]
    assert called.why or called.providers
    for provider in called.providers:
        assert provider in names.addable(), provider
    assert names.meaning(name).providers == called.providers


def test_no_name_hides_a_provider_but_those_that_mean_another() -> None:
    hidden = {name for name in knowledge.providers() if names.provider_of(name) != name}
    not_meant = {"chatgpt", "cursor", "github_copilot", "vllm"}
    assert hidden == not_meant & {*knowledge.providers()}


#: What people type, and the provider that they mean.
SURE = {
    "grok": "xai", "x.ai": "xai", "groq": "groq", "aws": "bedrock", "AWS Bedrock": "bedrock",
    "kimi": "moonshot", "moonshotai": "moonshot", "glm": "zai", "Z.AI": "zai", "zhipu": "zai",
    "llama.cpp": "llamafile", "llama-cpp": "llamafile", "claude": "anthropic",
    "vllm": "hosted_vllm", "vertexai": "vertex_ai", "vertex": "vertex_ai", "gcp": "vertex_ai",
    "google-ai-studio": "gemini", "together": "together_ai", "Together-AI": "together_ai",
    "together.ai": "together_ai", "fireworks": "fireworks_ai", "hf": "huggingface",
    "hugging-face": "huggingface", "azure-openai": "azure", "deep-seek": "deepseek",
    "deepseek-ai": "deepseek", "mistralai": "mistral", "LM Studio": "lm_studio",
    "lmstudio": "lm_studio", "nim": "nvidia_nim", "ibm": "watsonx", "open-router": "openrouter",
    "google-gemini": "gemini", "gemini-api": "gemini", "openai-api": "openai", "gpt4": "openai",
    "anthropic claude": "anthropic", "GroqCloud": "groq", "amazon web services": "bedrock",
    "azure ai foundry": "azure_ai", "gcp-vertex": "vertex_ai", "cerebras-cloud": "cerebras",
    "perplexityai": "perplexity", "gpt": "openai", "OpenAI": "openai", "nanogpt": "nano-gpt",
}  # fmt: skip


@pytest.mark.parametrize("typed", SURE)
def test_what_people_type_means_one_provider(typed: str) -> None:
    assert names.provider_of(typed) == SURE[typed]


ASKED = {
    "google": {"gemini", "vertex_ai"},
    "amazon": {"bedrock", "amazon_nova"},
    "qwen": {"dashscope", "qwencloud", "qwen_ai_platform"},
    "microsoft": {"azure", "azure_ai", "github"},
    "llama": {"meta_llama", "meta", "ollama", "groq"},
    "copilot": {"github", "openai"},
    "github_copilot": {"github", "openai"},
    "chatgpt": {"openai"},
    "claude-code": {"anthropic"},
    "cursor": set(),
    "google/gemini-2.5-flash": {"gemini", "vertex_ai"},
    "qwen3": {"dashscope", "qwencloud", "qwen_ai_platform"},
    "kimi-k2": {"moonshot", "vercel_ai_gateway"},
    "codellama": {"ollama"},
}


@pytest.mark.parametrize("typed", ASKED)
def test_what_may_mean_several_is_asked(typed: str, run: Run) -> None:
    meaning = names.meaning(typed)
    assert set(meaning.providers) == ASKED[typed]
    assert meaning.provider is None
    done = run("add-provider", typed, fails=True)
    for provider in ASKED[typed]:
        assert provider in done.stderr


MODELS = {
    "openai/gpt-4o": ("openai", "gpt-4o"),
    "anthropic/claude-opus-5-5": ("anthropic", "claude-opus-5-5"),
    "openrouter/anthropic/claude-sonnet-4": ("openrouter", "anthropic/claude-sonnet-4"),
    "claude-opus-5-5": ("anthropic", "claude-opus-5-5"),
    "gpt-4o": ("openai", "gpt-4o"),
    "moonshotai/Kimi-K3": ("moonshot", "kimi-k3"),
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0": (
        "bedrock",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
}


@pytest.mark.parametrize("typed", MODELS)
def test_a_model_says_its_provider(typed: str) -> None:
    provider, model = MODELS[typed]
    meaning = names.meaning(typed)
    assert meaning.provider == provider
    assert names.spelt(provider, meaning.model) or meaning.model == model


def test_a_makers_name_before_a_model_is_no_provider() -> None:
    """`openai/gpt-oss-120b` is what other vendors call it; OpenAI's API has no such model."""
    meaning = names.meaning("openai/gpt-oss-120b")
    assert "groq" in meaning.providers
    assert "openai" not in meaning.providers


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "/",
        "x/",
        "/x",
        "nosuch",
        "nosuch/model",
        "ä",
        "-",
        "all",
        "box-ai",
        "my-openai",
        "ollama-cloud",
    ],
)
def test_what_no_one_knows_means_nothing(typed: str) -> None:
    assert names.meaning(typed).provider is None
