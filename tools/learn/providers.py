"""What the catalogue adds to the facts about providers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from learn.models import same_vendor

# Fewer catalogue entries than this say that LiteLLM keeps samples rather than a list.
FEW = 5


def with_catalogue(providers: dict[str, Any], catalogue: Mapping[str, Any]) -> dict[str, Any]:
    """Mark the providers whose models LiteLLM cannot know."""
    openai = providers["openai"]["api_base"]
    for name, facts in providers.items():
        base = facts["api_base"]
        if "default" not in base and base.get("appends") == openai["appends"]:
            # A server of one's own that is spoken to as OpenAI is.
            base["path"] = openai["path"]
        models = catalogue["models"].get(name, {})
        hosted = sum("/" in model for model in models)
        default = facts["api_base"].get("default") or ""
        facts["open_catalogue"] = (
            len(models) < FEW
            or facts["api_base"].get("required", False)
            or urlsplit(default).hostname in ("localhost", "127.0.0.1")
            # Names such as `meta-llama/Llama-3` are those of models made elsewhere, which a
            # hosting service adds at will.
            or hosted * 2 > len(models)
        )
        if not facts["open_catalogue"]:
            del facts["open_catalogue"]
    return providers


def shares_catalogue(
    providers: Mapping[str, Any], catalogue: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Other providers whose entries hold for a provider's models too.

    Those that LiteLLM itself prices it with, and those that are the same service under another
    prefix: same key, same host (openai and text-completion-openai, cohere and cohere_chat).
    """
    owners = catalogue["models"].keys()

    def service(name: str) -> tuple[str, str] | None:
        facts = providers[name]
        keys = [item["variable"] for item in facts["credentials"] if item.get("secret")]
        host = urlsplit(facts["api_base"].get("default") or "").hostname
        return (keys[0], host or "") if keys else None

    found = {}
    for name in sorted(providers):
        priced = {owner for owner in owners if same_vendor(owner, name)}
        if len(priced) > len(owners) // 2:  # takes anybody's prices
            priced = set()
        same = {owner for owner in owners if service(owner) and service(owner) == service(name)}
        shared = sorted((priced | same) - {name})
        if shared:
            found[name] = shared
    return found
