"""The few collections of rpds that jsonschema needs, which has no build for the browser.

Each change gives another collection and leaves the old one as it is. Schemas are small, so a copy
does.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self


class HashTrieMap(dict):  # type: ignore[type-arg]
    """A mapping that never changes."""

    def __init__(self, given: Mapping[Any, Any] | Iterable[Any] = (), **named: Any) -> None:
        super().__init__(given, **named)

    @classmethod
    def convert(cls, value: Any) -> "HashTrieMap":
        return value if isinstance(value, cls) else cls(value)

    def insert(self, key: Any, value: Any) -> "HashTrieMap":
        return HashTrieMap({**self, key: value})

    def update(self, *given: Any, **named: Any) -> "HashTrieMap":  # type: ignore[override]
        made = dict(self)
        made.update(*given, **named)
        return HashTrieMap(made)

    def remove(self, key: Any) -> "HashTrieMap":
        if key not in self:
            raise KeyError(key)
        return HashTrieMap({each: value for each, value in self.items() if each != key})

    discard = remove


class HashTrieSet(frozenset):  # type: ignore[type-arg]
    """A set that never changes."""

    def insert(self, value: Any) -> "HashTrieSet":
        return HashTrieSet({*self, value})

    def remove(self, value: Any) -> "HashTrieSet":
        if value not in self:
            raise KeyError(value)
        return HashTrieSet(self - {value})

    def update(self, *others: Any) -> "HashTrieSet":
        return HashTrieSet(self.union(*others))


class List(tuple):  # type: ignore[type-arg]
    """A list that grows at its front."""

    __slots__ = ()

    def __new__(cls, *given: Any) -> Self:
        items = given[0] if len(given) == 1 and not isinstance(given[0], str) else given
        return super().__new__(cls, items)

    @property
    def first(self) -> Any:
        return self[0]

    @property
    def rest(self) -> "List":
        return List(self[1:])

    def push_front(self, value: Any) -> "List":
        return List((value, *self))

    def drop_first(self) -> "List":
        return List(self[1:])
