"""What the gateway answered, beside what a case expects. Pure."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nixcfg.problems.problem import Steps
from nixcfg.trial.case import Step
from nixcfg.trial.standin import Exchange

_COST = "x-litellm-response-cost"
_GUARDRAILS = "x-litellm-applied-guardrails"
_CACHE_KEY = "x-litellm-cache-key"
_LONG = 300


_Found = Iterator[tuple[Steps, str, str]]
"""Where in the expectation, what was expected, what was got."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a client got: `status` is None where there was no answer, and `broken` says why.

    `text`, `tool` and `error` are read out of whatever shape the API has. `is_complete` is False
    for an error, and for a stream that broke off or ended without its last event. `first` are the
    seconds until the first piece came, None where none did.
    """

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    tool: str = ""
    error: str = ""
    is_complete: bool = True
    broken: str = ""
    first: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that is not met. `path` is where it is in the document of the case."""

    path: Steps
    what: str
    expected: str
    got: str


def answered(
    status: int,
    headers: Mapping[str, str],
    lines: Sequence[bytes],
    broken: str,
    first: float | None = None,
) -> Answered:
    """Read an answer, which is one document or server-sent events."""
    if "text/event-stream" in headers.get("content-type", ""):
        return replace(_streamed(status, headers, lines, broken), first=first)
    try:
        data = json.loads(b"".join(lines))
    except ValueError:
        data = None
    data = data if isinstance(data, dict) else {}
    text, tool = _content(data)
    return Answered(
        status=status,
        headers=headers,
        text=text,
        tool=tool,
        error=_error(data),
        is_complete=status < 400 and not broken,
        broken=broken,
        first=first,
    )


def _streamed(
    status: int, headers: Mapping[str, str], lines: Sequence[bytes], broken: str
) -> Answered:
    text, tool, error, is_ended = "", "", "", False
    for line in lines:
        raw = line.decode("utf-8", "replace").strip().removeprefix("data:").strip()
        if raw == "[DONE]":
            is_ended = True
            continue
        try:
            data = json.loads(raw)
        except ValueError:
            continue
        if not isinstance(data, dict):
            continue
        is_ended |= data.get("type") in ("message_stop", "response.completed")
        piece, called = _delta(data)
        text += piece
        tool = tool or called
        error = error or _error(data)
    return Answered(
        status=status,
        headers=headers,
        text=text,
        tool=tool,
        error=error,
        is_complete=is_ended and not error and not broken,
        broken=broken,
    )


def _error(data: Mapping[str, Any]) -> str:
    error = data.get("error") or data.get("detail") or ""
    if isinstance(error, dict):
        error = error.get("message") or error.get("error") or error
    return error if isinstance(error, str) else json.dumps(error)


def _content(data: Mapping[str, Any]) -> tuple[str, str]:
    """The text and the tool of a whole answer, in the shapes of OpenAI and Anthropic."""
    for choice in data.get("choices") or ():
        message = choice.get("message") or {}
        calls = message.get("tool_calls") or [{}]
        name = (calls[0].get("function") or {}).get("name") or ""
        return str(message.get("content") or choice.get("text") or ""), name
    text, tool = str(data.get("text") or ""), ""  # of a sound that was written down
    parts = [
        *(data.get("content") or () if isinstance(data.get("content"), list) else ()),
        *(part for item in data.get("output") or () for part in item.get("content") or [item]),
    ]
    for part in parts:
        text += str(part.get("text") or "")
        if part.get("type") in ("tool_use", "function_call"):
            tool = tool or str(part.get("name"))
    return text, tool


def _delta(data: Mapping[str, Any]) -> tuple[str, str]:
    """The text and the tool that one event of a stream adds."""
    for choice in data.get("choices") or ():
        delta = choice.get("delta") or {}
        calls = delta.get("tool_calls") or [{}]
        name = (calls[0].get("function") or {}).get("name") or ""
        return str(delta.get("content") or choice.get("text") or ""), name
    delta = data.get("delta")
    if isinstance(delta, str):
        return delta, ""
    block = data.get("content_block") or data.get("item") or {}
    tool = str(block.get("name")) if block.get("type") in ("tool_use", "function_call") else ""
    return str((delta or {}).get("text") or ""), tool


def failures(
    step: Step, got: Answered, log: Sequence[Exchange], last: Sequence[Exchange] | None = None
) -> list[Failure]:
    """What of a step's expectation is not met; `log` are the exchanges of this step alone, `last`
    those of its last request, where it was sent several times."""
    checks: Mapping[str, Callable[[str, Any, Answered, Sequence[Exchange]], _Found]] = {
        "status": _status,
        "content": _text,
        "contains": _contains,
        "tool": _tool,
        "error": _message,
        "within": _within,
        "guardrails": _guardrails,
        "cost": _cost,
        "cached": _cached,
        "complete": _complete,
        "answered_by": _by,
        "asked": _asked,
        "headers": _headers,
        "sent": _sent,
    }
    return [
        Failure((*step.path, *steps), ".".join(map(str, steps)), expected, actual)
        for name, check in checks.items()
        if name in step.expect
        for steps, expected, actual in check(
            name, step.expect[name], got, log if name != "cached" or last is None else last
        )
    ]


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


def _status(name: str, wanted: int, got: Answered, _log: Sequence[Exchange]) -> _Found:
    if got.status != wanted:
        why = _shown(got.broken or got.error)
        yield (
            (name,),
            f"{wanted}",
            f"{got.status or 'no answer'}" + (f" {why}" if why != '""' else ""),
        )


def _text(name: str, wanted: str, got: Answered, _log: Sequence[Exchange]) -> _Found:
    if got.text != wanted:
        yield (name,), _shown(wanted), _shown(got.text)


def _contains(name: str, wanted: str, got: Answered, _log: Sequence[Exchange]) -> _Found:
    if wanted not in got.text:
        yield (name,), f"text with {_shown(wanted)}", _shown(got.text or got.error)


def _tool(name: str, wanted: str, got: Answered, _log: Sequence[Exchange]) -> _Found:
    if got.tool != wanted:
        yield (name,), f"a call of {wanted}", f"a call of {got.tool}" if got.tool else "no call"


def _message(name: str, wanted: str, got: Answered, _log: Sequence[Exchange]) -> _Found:
    if wanted not in got.error:
        yield (name,), f"an error with {_shown(wanted)}", _shown(got.error) if got.error else "none"


def _within(name: str, wanted: float, got: Answered, _log: Sequence[Exchange]) -> _Found:
    if got.first is None or got.first > wanted:
        said = "no answer" if got.first is None else f"{got.first:.2f} s"
        yield (name,), f"a first piece within {wanted:g} s", said


def _guardrails(
    name: str, wanted: Sequence[str], got: Answered, _log: Sequence[Exchange]
) -> _Found:
    applied = [each for each in got.headers.get(_GUARDRAILS, "").split(",") if each]
    if not wanted and applied:
        yield (name,), "none", ", ".join(applied)
    for index, each in enumerate(wanted):
        if each not in applied:
            yield (name, index), each, ", ".join(applied) or "none"


def _cost(name: str, wanted: float, got: Answered, _log: Sequence[Exchange]) -> _Found:
    raw = got.headers.get(_COST, "")
    try:
        counted = float(raw)
    except ValueError:
        yield (name,), f"{wanted:g}", "no cost"
        return
    if not math.isclose(counted, wanted, rel_tol=1e-6, abs_tol=1e-12):
        yield (name,), f"{wanted:g}", f"{counted:g}"


def _cached(name: str, wanted: bool, got: Answered, log: Sequence[Exchange]) -> _Found:
    is_cached = _CACHE_KEY in got.headers and not log
    if is_cached != wanted:
        said = {True: "an answer from the cache", False: "an answer by a vendor"}
        yield (name,), said[wanted], said[is_cached]


def _complete(name: str, wanted: bool, got: Answered, _log: Sequence[Exchange]) -> _Found:
    if got.is_complete != wanted:
        said = {True: "a stream with its end", False: "a stream that breaks off"}
        yield (name,), said[wanted], said[got.is_complete]


def _by(name: str, wanted: str, _got: Answered, log: Sequence[Exchange]) -> _Found:
    good = next((each for each in reversed(log) if each.is_good), None)
    if good is None or wanted not in good.names:
        who = good.deployment if good else None
        said = f"{who.provider} ({who.model})" if who else good.request.host if good else ""
        yield (name,), wanted, said or "no vendor"


def _asked(name: str, wanted: Mapping[str, int], _got: Answered, log: Sequence[Exchange]) -> _Found:
    for who, times in wanted.items():
        count = sum(who in each.names for each in log)
        if count != times:
            yield (name, who), _times(times), _times(count)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times" if count else "not at all"


def _headers(
    name: str, wanted: Mapping[str, str], got: Answered, _log: Sequence[Exchange]
) -> _Found:
    for header, part in wanted.items():
        value = got.headers.get(header.lower())
        if value is None or part not in value:
            yield (name, header), _shown(part), "no such header" if value is None else _shown(value)


def _sent(name: str, wanted: Mapping[str, Any], _got: Answered, log: Sequence[Exchange]) -> _Found:
    if not log:
        yield (name,), "a request to a vendor", "none"
        return
    body = log[-1].request.json()
    for key, value in wanted.items():
        if body.get(key) != value:
            has = _shown(body[key]) if key in body else "no such key"
            yield (name, key), "no such key" if value is None else _shown(value), has
