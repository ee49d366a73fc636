"""One thing that changes, or that has changed: what plan and drift are made of."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What becomes of a thing."""

    ADDED = "+"
    REMOVED = "-"
    CHANGED = "~"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changes: what it is (model, key, image ...), its name, and how."""

    what: str
    kind: Kind
    name: str
    detail: str = ""
