"""How much it says that LiteLLM's list of a vendor's models does not have one.

Decided by what the list holds; docs/catalogues.md shows it for each vendor.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from nixcfg.knowledge.facts import ModelFacts, ProviderFacts

_MAKER = re.compile(r"[a-z]+")
_EVERYWHERE, _SEVERAL = 5, 3


class Listing(StrEnum):
    """What it says about a model that LiteLLM's list of this vendor does not have it."""

    CLOSED = "closed"
    """The vendor's own models, all of them: it is misspelt, retired or newer."""
    PARTIAL = "partial"
    """A choice of what a vendor hosts: it may be gone, misspelt, or not listed."""
    OPEN = "open"
    """Nothing: a few samples, or what everyone calls as they like."""


def listing(
    facts: ProviderFacts | None, models: Mapping[str, ModelFacts], common: frozenset[str]
) -> Listing:
    """What a list is; `common` are the families that many vendors have (see `families`)."""
    if facts is None or not models:
        return Listing.OPEN
    is_dated = any(each.deprecation_date for each in models.values())
    if not facts.open_catalogue:
        counted = Counter(map(family, models))
        several = len(common & counted.keys()) >= _SEVERAL
        hosts = several and max(counted.values()) * 2 < len(models)
        return Listing.PARTIAL if hosts and not is_dated else Listing.CLOSED
    is_vendors = facts.api_base.default and not facts.api_base.required
    return Listing.PARTIAL if is_dated and is_vendors else Listing.OPEN


def family(model: str) -> str:
    """What a model's name begins with: `llama` of `meta-llama/Llama-3.3-70B`."""
    found = _MAKER.match(model.rpartition("/")[2].lower())
    return found[0] if found else ""


def families(lists: Iterable[Iterable[str]]) -> frozenset[str]:
    """The families of which five vendors or more have a model: llama, qwen, deepseek."""
    counted = Counter(name for models in lists for name in set(map(family, models)))
    return frozenset(name for name, vendors in counted.items() if name and vendors >= _EVERYWHERE)
