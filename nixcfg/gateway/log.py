"""What LiteLLM writes into its log, made readable."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

_HEAD = re.compile(
    r"(?:\d\d:\d\d:\d\d - )?(?P<who>LiteLLM[\w ]*):(?P<level>[A-Z]+): (?:\S+:\d+ - )?(?P<text>.*)"
)
_REQUEST = re.compile(r'INFO: +\S+ - "(?P<what>[A-Z]+ \S+) HTTP/[\d.]+" (?P<status>\d+.*)')
_UVICORN = re.compile(r"(?P<level>INFO|WARNING|ERROR|CRITICAL): +(?P<text>.*)")
_NOISE = (
    "trusted_proxy_ranges is not set",
    "Exception in ASGI application",
    "Application startup failed. Exiting.",
    "This looks like a bug in LiteLLM rather than in your request",
)
_ORIGIN = re.compile(r"litellm\.proxy\S+\(\): Exception occured - (?:litellm_call_id=\S+ - )?")
_TRACEBACK = "Traceback (most recent call last)"
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*: \S")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that LiteLLM reported: `level` is error, warning, request or info."""

    level: str
    text: str


def events(lines: Iterable[str]) -> list[Event]:
    """What is worth reporting of a log: warnings, errors and requests; no banner, no traceback.

    A traceback that is all there is becomes the exception at its end.
    """
    found: list[Event] = []
    goes_on, is_traceback = False, False
    for line in lines:
        event = _event(line)
        if event:
            is_noise = any(noise in event.text for noise in _NOISE)
            goes_on = event.level in ("error", "warning") and not is_noise
            is_traceback = event.text.startswith(_TRACEBACK)
            if not is_noise:
                found.append(event)
        elif line.startswith(_TRACEBACK):
            goes_on = False
        elif goes_on and is_traceback:
            if _EXCEPTION.match(line):
                found[-1] = replace(found[-1], text=line)
        elif goes_on and line.strip():
            found[-1] = replace(found[-1], text=f"{found[-1].text} {line.strip()}")
    return found


def last_words(lines: Sequence[str]) -> tuple[str, ...]:
    """The end of a log, for a LiteLLM that ended without an error of its own."""
    return tuple(line for line in lines if line.strip())[-8:]


def _event(line: str) -> Event | None:
    if match := _REQUEST.fullmatch(line):
        return Event("request", f"{match['what']}: {match['status']}")
    if line.startswith('{"'):
        return _json_event(line)
    if match := _HEAD.fullmatch(line) or _UVICORN.fullmatch(line):
        return Event(_level(match["level"]), _ORIGIN.sub("", match["text"]))
    return None


def _json_event(line: str) -> Event | None:
    """As `litellm_settings.json_logs` writes it."""
    try:
        data = json.loads(line)
        text = str(data["message"])
    except (ValueError, LookupError, TypeError):
        return None
    if match := _REQUEST.fullmatch(f"INFO: {text}"):
        return Event("request", f"{match['what']}: {match['status']}")
    return Event(_level(str(data.get("level"))), _ORIGIN.sub("", " ".join(text.split())))


def _level(name: str) -> str:
    return {"WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}.get(name, "info")
