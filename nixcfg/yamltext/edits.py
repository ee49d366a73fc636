"""What can be asked of a YAML text: the edits, as values. nixcfg.yamltext.editor makes them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nixcfg.problems.problem import MoveKey, RenameKey, SetValue, Steps


@dataclass(frozen=True, slots=True)
class AddKey:
    """Write an entry that is not there yet, as the last one of its mapping, or as the first.

    Mappings that are missing on the way are made. `value` is any data that YAML can hold.
    """

    path: Steps
    value: Any
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class AddItem:
    """Write another item at the end of the list at `path`."""

    path: Steps
    value: Any


@dataclass(frozen=True, slots=True)
class Remove:
    """Take an entry or an item away with its comments, and each collection that this empties."""

    path: Steps


Edit = SetValue | RenameKey | MoveKey | AddKey | AddItem | Remove


class RefusedError(Exception):
    """An edit that cannot be made without risk; the message says why."""


def dotted(path: Iterable[str | int]) -> str:
    """A path in a message: `router_settings.retry_policy[0]`."""
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path).removeprefix(".")
