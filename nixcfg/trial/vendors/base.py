"""What every family of vendors has: a good answer, an error, a path by which it is recognised."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nixcfg.trial.exchange import Reply, Request

Data = Mapping[str, Any]
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}
NDJSON = {"content-type": "application/x-ndjson"}
CREATED = 1764000000
VECTOR = [0.1, 0.2, 0.3]


@dataclass(frozen=True, slots=True)
class Good:
    """What a good answer holds: its text in the pieces in which it is streamed, a call of a tool
    (name and arguments) or none, and how many tokens it claims."""

    pieces: tuple[str, ...]
    tool: tuple[str, Data] | None
    prompt_tokens: int
    completion_tokens: int

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Protocol:
    """One shape of API. `model` reads the model that a request is for; `refusals` are, by why a
    prompt is refused, the status and the body of this vendor's answer; `is_asked` is False for
    what LiteLLM wants to know by itself, which is no request of a client's."""

    path: re.Pattern[str]
    answer: Callable[[Request, Good], Reply]
    error: Callable[[int, str], Data]
    model: Callable[[Request], str] = lambda request: str(request.json().get("model", ""))
    refusals: Mapping[str, tuple[int, Data]] = field(default_factory=dict)
    is_asked: bool = True


def error(protocol: Protocol, status: int, message: str) -> Reply:
    """An error in the vendor's own shape."""
    return json_reply(protocol.error(status, message), status)


def refusal(protocol: Protocol, why: str) -> Reply:
    """How the vendor says that a prompt is too long (`context_window`) or unwanted."""
    status, data = protocol.refusals.get(why) or (400, protocol.error(400, f"refused: {why}"))
    return json_reply(data, status)


def json_reply(data: Data, status: int = 200) -> Reply:
    """An answer of one JSON document."""
    return Reply(status, JSON, (json.dumps(data).encode(),))


def event_stream(lines: Iterable[str]) -> Reply:
    """An answer of server-sent events, one piece each."""
    return Reply(200, SSE, tuple(line.encode() for line in lines))


def protocol(path: str, *parts: Any, **more: Any) -> Protocol:
    """A protocol whose requests have a path that matches the pattern `path`."""
    return Protocol(re.compile(path), *parts, **more)
