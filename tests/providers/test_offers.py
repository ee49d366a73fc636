"""Which models a provider gets when none is named: current ones, whatever the provider."""

import datetime as dt

import pytest

from nixcfg import knowledge
from nixcfg.knowledge import ModelFacts
from nixcfg.providers import catalogue, names, offers

TODAY = dt.date(2026, 11, 23)
WITH_MODELS = [name for name in names.addable() if offers.recommended(name, TODAY)]


def known(provider: str) -> dict[str, ModelFacts]:
    every = (*knowledge.shared_catalogues(provider), provider)
    return {n: facts for each in every for n, facts in knowledge.models(each).items()}


@pytest.mark.parametrize("provider", WITH_MODELS)
def test_a_default_model_is_current_and_for_chat(provider: str) -> None:
    models = known(provider)
    chat = [f for f in models.values() if f.mode == "chat" and not catalogue.is_retired(f, TODAY)]
    best = offers.recommended(provider, TODAY)
    assert 1 <= len(best) <= offers.RECOMMENDED
    for facts in best:
        assert not catalogue.is_retired(facts, TODAY + dt.timedelta(days=90))
        assert facts.mode == "chat" or not chat
        assert "*" not in facts.name
    if any(f.input_cost_per_token for f in chat):
        assert best[0].input_cost_per_token is not None
    if any((f.max_input_tokens or 0) >= 100_000 for f in chat):
        assert (best[0].max_input_tokens or 32_000) >= 32_000


#: Brands of which the newest version there is has to be the first that its vendor offers.
OWN = {
    "anthropic": "claude", "openai": "gpt", "gemini": "gemini", "mistral": "mistral",
    "xai": "grok", "deepseek": "deepseek", "moonshot": "kimi", "zai": "glm",
    "dashscope": "qwen", "perplexity": "sonar", "cohere": "command", "cohere_chat": "command",
}  # fmt: skip


@pytest.mark.parametrize("provider", OWN)
def test_a_vendor_offers_its_own_brand_first_and_newest(provider: str) -> None:
    best = offers.recommended(provider, TODAY)
    assert {facts.name.partition("-")[0].rstrip("0123456789.") for facts in best[:1]} == {
        OWN[provider]
    }
    same = [f for f in offers.offers(provider, TODAY) if OWN[provider] in f.name]
    newest = min(offers.age(facts)[0] for facts in same if "latest" not in facts.name)
    assert offers.age(best[0])[0] <= newest


def test_who_serves_many_brands_offers_several() -> None:
    for provider in ("bedrock", "vertex_ai", "together_ai", "fireworks_ai"):
        best = offers.recommended(provider, TODAY)
        brands = {offers.brand_of(facts) for facts in best}
        assert len(brands) == len(best), provider
    first = offers.recommended("bedrock", TODAY)[0]
    assert "claude" in first.name


def test_newer_versions_come_first() -> None:
    def age(name: str) -> tuple[int, bool, int, int]:
        return offers.age(knowledge.models("anthropic")[name])

    names_by_age = ["claude-opus-5-5", "claude-opus-4-8", "claude-opus-4-5-20251101"]
    assert sorted(names_by_age, key=age) == names_by_age


def test_own_endpoints_are_named_by_their_owner() -> None:
    for provider in ("sagemaker", "sagemaker_chat", "azure", "ollama", "hosted_vllm"):
        assert offers.recommended(provider, TODAY) == []
