"""What becomes of parameters that LiteLLM has no use for, by provider: fates.json.

tools/measure_fates.py asked a router with one deployment. Most names go one way on one road (a
provider and the mode of a model), and those that LiteLLM's code mentions may go another. Nothing is
known of a road that was not asked, nor of a release for which no one did.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """What becomes of a parameter on its way to the vendor."""

    SENT = "sent"
    """It goes into the body of every request, under its name."""
    LEFT_OUT = "left out"
    """It is in no request."""
    REFUSED = "refused"
    """No request is made."""
    OWN = "own"
    """LiteLLM does something else with it, or what it does depends on what the parameter holds."""
    UNKNOWN = ""
    """No one has tried."""


class Fates:
    """The roads of one release."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._roads: Mapping[str, Mapping[str, Any]] = data["roads"]
        self._common = {usual: _by_name(group) for usual, group in data["common"].items()}

    def of(self, provider: str, mode: str | None, model: str, key: str) -> Fate:
        """The fate of a parameter. Without a mode it is the one that all roads of a provider share.

        `model` without its provider's name; `mode` as in LiteLLM's catalogue.
        """
        roads = self._roads.get(provider, {})
        chosen = roads.values() if mode is None else filter(None, [roads.get(mode)])
        found = {self._on(road, model, key, listed=mode is not None) for road in chosen}
        if Fate.OWN in found:
            return Fate.OWN
        return found.pop() if len(found) == 1 else Fate.UNKNOWN

    def _on(self, road: Mapping[str, Any], model: str, key: str, *, listed: bool) -> Fate:
        # Some models of this provider go another way, and a model in no catalogue may be like them.
        others = road.get("others", ())
        if model in others or (others and not listed):
            return Fate.UNKNOWN
        usual = road["usual"]
        layers = (_by_name(road.get("apart", {})), self._common.get(usual, {}))
        begun = next((n for names in layers for n in names if _stands_for(n, key)), "")
        for each in (key, begun):
            for names in layers:
                if fate := names.get(each):
                    # Sent where others are not: this name LiteLLM knows.
                    return Fate.OWN if fate == Fate.SENT != usual else Fate(fate)
        # Where it depends on what such a parameter holds, no one knows it for this one.
        return Fate.UNKNOWN if usual == Fate.OWN else Fate(usual)


def _stands_for(name: str, key: str) -> bool:
    return name.endswith("*") and key.startswith(name[:-1])


def _by_name(group: Mapping[str, list[str]]) -> Mapping[str, str]:
    return {name: fate for fate, names in group.items() for name in names}
