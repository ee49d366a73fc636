"""What people call a provider, and the provider of LiteLLM that they mean. Pure.

A name that means one provider leads there. One that may mean several, or none that a service can
use, is a question: a wrong guess would send prompts, and a key, to someone else.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from nixcfg import knowledge
from nixcfg.knowledge import Knowledge
from nixcfg.project import wiring

_MODEL = "is the name of a model, which several providers may serve"
_CLIENT = "is a program that uses a gateway (see nixcfg client), not a provider of models"
_SUBSCRIPTION = "is a subscription with a login in a browser, which a service cannot do"


_ENDING = re.compile(r"-?(ai|api|cloud|inc|inference|labs|platform|runtime|studio)$")


class Called(NamedTuple):
    """Providers that a name may mean, likeliest first; `why` a single one has to be confirmed."""

    providers: tuple[str, ...]
    why: str = ""


def _sure(provider: str, names: str) -> dict[str, Called]:
    return {name: Called((provider,)) for name in names.split()}


def _either(providers: str, names: str) -> dict[str, Called]:
    return {name: Called(tuple(providers.split())) for name in names.split()}


def _unsure(providers: str, why: str, names: str) -> dict[str, Called]:
    return {name: Called(tuple(providers.split()), why) for name in names.split()}


NAMES: Mapping[str, Called] = {
    **_sure("ai21", "jamba"),
    **_either("bedrock amazon_nova", "amazon nova"),
    **_sure("bedrock", "aws aws-bedrock amazon-bedrock amazon-web-services"),
    **_sure("anthropic", "claude haiku opus sonnet"),
    **_unsure("anthropic", _CLIENT, "claude-code claude-desktop"),
    **_unsure("", _CLIENT, "aider cline continue crush cursor goose librechat open-webui opencode"),
    **_unsure("", _CLIENT, "roo-code zed"),
    **_sure("azure", "aoai azure-openai azure-open-ai"),
    **_sure("azure_ai", "ai-foundry azure-ai-foundry azure-foundry foundry"),
    **_either("azure azure_ai github", "microsoft"),
    **_sure("cloudflare", "workers-ai"),
    **_sure("cohere_chat", "command command-a command-r"),
    **_either(
        "dashscope qwencloud qwen_ai_platform",
        "alibaba alibaba-cloud aliyun bailian model-studio qianwen qwen tongyi",
    ),
    **_sure("docker_model_runner", "docker dmr model-runner"),
    **_sure("gemini", "ai-studio aistudio google-ai google-ai-studio makersuite"),
    **_either("gemini vertex_ai", "bard google"),
    **_sure("github", "github-models"),
    **_unsure("github openai", _SUBSCRIPTION, "copilot ghcp github-copilot"),
    **_sure("gradient_ai", "digitalocean do-ai"),
    **_sure("hosted_vllm", "vllm v-llm vllm-openai"),
    **_sure("huggingface", "hf"),
    **_sure("inception", "mercury"),
    **_sure("lambda_ai", "lambda-labs"),
    **_sure("litellm_proxy", "litellm"),
    **_sure("llamafile", "llama-cpp llama-cpp-server llama-server"),
    **_either("meta_llama meta ollama groq", "llama"),
    **_sure("mistral", "ministral mixtral magistral la-plateforme le-chat"),
    **_sure("moonshot", "kimi"),
    **_sure("nvidia_nim", "nim nvidia nemotron"),
    **_sure("oci", "oracle oracle-cloud"),
    **_sure("oobabooga", "text-generation-webui"),
    **_sure("openai", "gpt gpts open-ai"),
    **_unsure("openai", _SUBSCRIPTION, "chatgpt chatgpt-plus chatgpt-pro"),
    **_unsure("openai", _CLIENT, "codex codex-cli"),
    **_sure("perplexity", "pplx sonar"),
    **_sure("sagemaker_chat", "aws-sagemaker amazon-sagemaker"),
    **_sure("sap", "sap-ai-core"),
    **_sure("snowflake", "cortex"),
    **_sure("tencent", "hunyuan"),
    **_sure("vercel_ai_gateway", "vercel ai-gateway"),
    **_sure("vertex_ai", "gcp google-cloud google-vertex google-vertex-ai vertex"),
    **_sure("volcengine", "ark byteplus bytedance doubao volcano"),
    **_sure("wandb", "weights-and-biases"),
    **_sure("watsonx", "ibm ibm-watsonx watson"),
    **_sure("xai", "grok x-ai twitter"),
    **_sure("xiaomi_mimo", "mimo xiaomi"),
    **_sure("zai", "chatglm bigmodel glm zhipu zhipuai"),
}
"""By what people type, in small letters with dashes."""


class Meaning(NamedTuple):
    """What a name means: `providers`, likeliest first, none where it is unknown.

    `model` is the model in `google/gemini-2.5-flash`, "" for a provider alone. `why` says that
    even a single provider is a guess.
    """

    providers: tuple[str, ...]
    model: str = ""
    why: str = ""

    @property
    def provider(self) -> str | None:
        """The only one that can be meant, None where it has to be asked."""
        return self.providers[0] if len(self.providers) == 1 and not self.why else None


def meaning(typed: str) -> Meaning:
    """What someone means by a name: a provider, a brand, `provider/model`, or a model alone."""
    found = _provider(typed)
    if found:
        return Meaning(found.providers, why=found.why)
    head, slash, model = typed.partition("/")
    found = _provider(head) if slash and model else None
    if found is None:
        return _of_model(typed)
    offering = tuple(each for each in found.providers if spelt(each, model))
    if not offering and all(knowledge.models(each) for each in found.providers):
        elsewhere = tuple(name for name in addable() if spelt(name, typed))
        if elsewhere:  # `openai/gpt-oss-120b` is a name at Groq
            return Meaning(elsewhere, typed, _MODEL if len(elsewhere) == 1 else "")
    return Meaning(offering or found.providers, model, found.why)


def spelt(provider: str, model: str) -> str:
    """The model as the provider's catalogue spells it, "" where it has none of that name."""
    models = knowledge.models(provider)
    if model in models:
        return model
    return next((each for each in models if each.lower() == model.lower()), "")


def provider_of(typed: str) -> str | None:
    """The provider that a name means for sure; None for any other name."""
    return meaning(typed).provider


def known() -> Iterator[str]:
    """Every name that leads to a provider which can be added, as Tab offers them."""
    yield from (
        name for name, called in NAMES.items() if len(called.providers) == 1 and not called.why
    )
    yield from addable()


def addable() -> tuple[str, ...]:
    """Every provider that can be added: chat, and without a login in a browser.

    Not LiteLLM's SDK `vllm`, which loads a model into the proxy itself: see NAMES.
    """
    return _addable(knowledge.current())


@cache
def _addable(release: Knowledge) -> tuple[str, ...]:
    return tuple(
        sorted(
            name
            for name, facts in release.providers().items()
            if facts.chat and not facts.interactive_login and name not in NAMES
        )
    )


def _provider(typed: str) -> Called | None:
    dashed = re.sub(r"[^a-z0-9]+", "-", typed.lower()).strip("-")
    return _called(typed, dashed) or _without_ending(dashed) or _of_words(dashed.split("-"))


def _called(typed: str, dashed: str) -> Called | None:
    """What a name means as a whole, however it is written."""
    if dashed in NAMES:
        return NAMES[dashed]
    providers = knowledge.providers()
    for guess in (typed, typed.lower(), dashed.replace("-", "_")):
        if guess in providers:
            return Called((guess,))
    folded, bare = _folded(), dashed.replace("-", "")
    for each in (bare, bare.removesuffix("ai"), f"{bare}ai"):
        if len(bare) > 2 and each in folded:
            return folded[each]
    return None


def _without_ending(dashed: str) -> Called | None:
    """`groq-cloud` and `openai-api` are what they are without their last word."""
    bare = _ENDING.sub("", dashed).strip("-")
    found = _called(bare, bare) if bare and bare != dashed else None
    if found is None:
        return None
    local = (knowledge.provider(name) for name in found.providers)
    is_own = any(facts and wiring.is_loopback(facts.api_base.default or "") for facts in local)
    return None if is_own else found  # Ollama's cloud is no server of one's own


def _of_words(words: Sequence[str]) -> Called | None:
    """`google-gemini` is what all of its words may mean."""
    meanings = [_called(word, word) for word in words]
    if len(words) < 2 or None in meanings:
        return None
    several = [each for each in meanings if each]
    common = [n for n in several[0].providers if all(n in each.providers for each in several)]
    why = next((each.why for each in several if each.why), "")
    return Called(tuple(common), why) if common else None


def _folded() -> Mapping[str, Called]:
    """Names without dashes: `TogetherAI`, `deep-seek` and `x.ai` mean what they look like."""
    brands = {name.replace("-", ""): called for name, called in NAMES.items()}
    return {**{re.sub(r"[^a-z0-9]", "", n.lower()): Called((n,)) for n in addable()}, **brands}


def _of_model(typed: str) -> Meaning:
    """The providers of a model that is named without its provider, or with its maker."""
    word = re.match(r"[a-z]*", typed.lower())
    brand = word[0] if word else ""
    maker = NAMES.get(brand) or Called((brand,) if brand in addable() else ())
    offering = tuple(each for each in maker.providers if spelt(each, typed))
    if offering:
        return Meaning(offering, typed)
    home = knowledge.bare_models().get(typed)
    if home in addable():
        return Meaning((home,), typed)
    wanted = typed.lower().rpartition("/")[2]
    listing = [
        name
        for name in addable()
        if any(each.lower().rpartition("/")[2] == wanted for each in knowledge.models(name))
    ]
    if listing:
        either = tuple(dict.fromkeys((*maker.providers, *listing)))
        return Meaning(either, typed, _MODEL if len(either) == 1 else "")
    if re.fullmatch(rf"{brand}[ -]?v?\d[\d.]*", typed.lower()):  # `gpt4`, `qwen3`
        return Meaning(maker.providers, why=maker.why)
    return Meaning(())
