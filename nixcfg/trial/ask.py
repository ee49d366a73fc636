"""Send the request of a step to a gateway; everything that can happen is an answer."""

import http.client
import time
from collections.abc import Callable, Mapping
from typing import Any

from nixcfg.gateway.client import Gateway
from nixcfg.trial import judge
from nixcfg.trial.case import Step
from nixcfg.trial.judge import Answered

ANSWER_SECONDS = 120.0
_WRONG_KEY = "sk-not-the-key-of-this-gateway"
_UPLOADS = ("/audio/transcriptions", "/audio/translations")
_BOUNDARY = "nixcfg-test-form"
_SILENCE = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\0\0\0"
"""A WAV of no length, for routes that want a sound."""


def ask(gateway: Gateway, step: Step, now: Callable[[], float] = time.monotonic) -> Answered:
    """Send it, with the key that it asks for, and read all of the answer; `now` is in seconds."""
    chosen = step.request.get("key")
    key = {"wrong": _WRONG_KEY, "none": ""}.get(chosen) if chosen else None
    body, headers = _encoded(step)
    lines: list[bytes] = []
    status, got = None, {}
    first, broken = None, ""
    began = now()
    try:
        with gateway.stream(step.route, body, ANSWER_SECONDS, key=key, headers=headers) as answer:
            status, got = answer[0].status, answer[0].headers
            for line in answer[1]:
                first = now() - began if first is None else first
                lines.append(line)
    except (OSError, http.client.HTTPException) as error:
        broken = str(error) or type(error).__name__
    if status is None:
        return Answered(None, broken=broken or "no answer", is_complete=False)
    return judge.answered(status, got, lines, broken, first)


def _encoded(step: Step) -> tuple[Mapping[str, Any] | bytes, Mapping[str, str]]:
    """The body and the headers: JSON, or a form where the route wants a sound."""
    headers = step.request.get("headers", {})
    if not step.route.endswith(_UPLOADS):
        return step.body, headers
    file = 'name="file"; filename="silence.wav"\r\nContent-Type: audio/wav'
    fields = [(f'name="{name}"', str(value).encode()) for name, value in step.body.items()]
    parts = b"".join(
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode()
        + value
        + b"\r\n"
        for head, value in [*fields, (file, _SILENCE)]
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    return parts + f"--{_BOUNDARY}--\r\n".encode(), {**kind, **headers}
