"""A request that LiteLLM sends to a vendor, and what a stand-in answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived. `path` has its query, `headers` names in lower case."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """The document in its body; empty where there is none."""
        try:
            data = json.loads(self.body)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. `pieces` are sent one by one; with `is_cut` the connection breaks after
    them. `delay` is in seconds, before the first byte. Status 0 is no answer: the connection
    closes."""

    status: int
    headers: Mapping[str, str]
    pieces: tuple[bytes, ...]
    delay: float = 0.0
    is_cut: bool = False


NOTHING = Reply(0, {}, (), is_cut=True)
"""The connection closes without an answer."""
