"""Which settings name Python that LiteLLM imports when it starts."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

SECTIONS = ("litellm_settings", "general_settings", "router_settings")
ABSENT = "nixcfg_absent.thing"
# A refusal that only quotes the value is about something else than a module.
REFUSAL = re.compile(r"(?i)(import|module)\b.*nixcfg_absent")


def found(
    sections: Mapping[str, Any],
    entries: Iterator[tuple[str, str]],
    stops: Callable[[str], str],
    base: Mapping[str, Any],
) -> list[str]:
    """Paths of settings and of keys of entries; `[]` where each item of a list is imported.

    `entries` are the configurations in which a key of an entry names the module, by its path;
    `stops` is the error with which LiteLLM refuses a configuration, "" without one.
    """
    asked = [*_settings(sections, base), *entries]
    return sorted({path for path, text in asked if REFUSAL.search(stops(text))})


def _settings(sections: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for section in SECTIONS:
        for key in sections[section]["keys"]:
            for end, value in (("", ABSENT), ("[]", [ABSENT])):
                yield f"{section}.{key}{end}", json.dumps({**base, section: {key: value}})


def values(types: Sequence[str], absent: str = ABSENT) -> Iterator[tuple[str, Any]]:
    """What a key of these types can be given to name a module, with the end of its path."""
    if {"str", "any"} & set(types):
        yield "", absent
    if {"list", "list[str]", "any"} & set(types):
        yield "[]", [absent]
