"""What LiteLLM releases do with a configuration, as data.

``litellm.json`` (sections, keys, providers), ``models.json`` (model catalogue),
``bare_models.json`` (names that need no provider before them), ``refused.json``,
``vendor_params.json`` and ``fates.json`` are written by ``tools/follow.py`` from an installed
LiteLLM; nothing here is typed by hand. store.py says how several releases are stored, lines.py
which of them a project is judged by.

The functions of this module ask the release that a command works with (`asking`), by default the
one that nixcfg renders. Where the release of a configuration is known, ask its ``Knowledge``.

Section names are those of the configuration file, with four more for places that have no name of
their own: ``top_level`` (the file itself), ``deployment`` (an entry of ``model_list``),
``credential`` (an entry of ``credential_list``) and ``guardrail`` (an entry of ``guardrails``).
"""

from collections.abc import Mapping
from typing import Any

from nixcfg.knowledge.facts import ApiBase, Credential, Key, ModelFacts, ProviderFacts, Section
from nixcfg.knowledge.lines import (
    Choice,
    asking,
    choose,
    current,
    default,
    judge,
    known,
    migrations,
    of,
    of_image,
    running,
)
from nixcfg.knowledge.release import Knowledge

__all__ = [
    "ApiBase",
    "Choice",
    "Credential",
    "Key",
    "Knowledge",
    "ModelFacts",
    "ProviderFacts",
    "Section",
    "asking",
    "bare_models",
    "callbacks",
    "choose",
    "competing",
    "current",
    "default",
    "file_variables",
    "find_model",
    "homes",
    "honoured",
    "judge",
    "keys",
    "known",
    "migrations",
    "models",
    "of",
    "of_image",
    "provider",
    "providers",
    "running",
    "sections",
    "shared_catalogues",
    "split_model",
]


def sections() -> Mapping[str, Section]:
    return current().sections()


def keys(section: str) -> Mapping[str, Key]:
    return current().keys(section)


def honoured(section: str, key: str) -> bool:
    return current().honoured(section, key)


def homes(key: str) -> tuple[str, ...]:
    return current().homes(key)


def providers() -> Mapping[str, ProviderFacts]:
    return current().providers()


def provider(name: str) -> ProviderFacts | None:
    return current().provider(name)


def file_variables() -> frozenset[str]:
    return current().file_variables()


def competing() -> frozenset[tuple[str, str]]:
    return current().competing()


def callbacks(setting: str) -> frozenset[str]:
    return current().callbacks(setting)


def split_model(
    model: str, custom_llm_provider: str | None = None, api_base: str | None = None
) -> tuple[str | None, str]:
    return current().split_model(model, custom_llm_provider, api_base)


def models(provider: str) -> Mapping[str, ModelFacts]:
    return current().models(provider)


def shared_catalogues(provider: str) -> tuple[str, ...]:
    return current().shared_catalogues(provider)


def bare_models() -> Mapping[str, str]:
    return current().bare_models()


def find_model(model: str, provider: str | None = None) -> ModelFacts | None:
    return current().find_model(model, provider)


LITELLM_VERSION: str
BLOCKED_VARIABLES: frozenset[str]


def __getattr__(name: str) -> Any:
    # Read on first use: importing the package costs nothing for commands that need no facts.
    if name == "LITELLM_VERSION":
        return default().version
    if name == "BLOCKED_VARIABLES":
        return default().blocked_variables
    raise AttributeError(name)
