"""What LiteLLM releases do with a configuration, as data.

``litellm.json`` (sections, keys, providers), ``models.json`` (model catalogue),
``bare_models.json`` (names that need no provider before them), ``refused.json`` and
``vendor_params.json`` are written by ``tools/follow.py`` from an installed LiteLLM; nothing here
is typed by hand. store.py says how several releases are stored, lines.py which of them a project
is judged by.

The functions of this module are those of the default release. Where the release of a configuration
is known, ask its ``Knowledge`` instead.

Section names are those of the configuration file, with four more for places that have no name of
their own: ``top_level`` (the file itself), ``deployment`` (an entry of ``model_list``),
``credential`` (an entry of ``credential_list``) and ``guardrail`` (an entry of ``guardrails``).
"""

from typing import Any

from nixcfg.knowledge.facts import ApiBase, Credential, Key, ModelFacts, ProviderFacts, Section
from nixcfg.knowledge.lines import Choice, choose, default, known, of, of_image
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
    "bare_models",
    "callbacks",
    "choose",
    "competing",
    "default",
    "file_variables",
    "find_model",
    "homes",
    "honoured",
    "keys",
    "known",
    "models",
    "of",
    "of_image",
    "provider",
    "providers",
    "sections",
    "shared_catalogues",
    "split_model",
]

sections = default().sections
keys = default().keys
honoured = default().honoured
homes = default().homes
providers = default().providers
provider = default().provider
file_variables = default().file_variables
competing = default().competing
callbacks = default().callbacks
split_model = default().split_model
models = default().models
shared_catalogues = default().shared_catalogues
bare_models = default().bare_models
find_model = default().find_model

LITELLM_VERSION: str
BLOCKED_VARIABLES: frozenset[str]


def __getattr__(name: str) -> Any:
    # Read on first use: importing the package costs nothing for commands that need no facts.
    if name == "LITELLM_VERSION":
        return default().version
    if name == "BLOCKED_VARIABLES":
        return default().blocked_variables
    raise AttributeError(name)
