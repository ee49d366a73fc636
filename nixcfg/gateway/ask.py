"""Ask a running gateway what its users would ask.

For each model the three requests of the README: plain, with a system message, streaming.
"""

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nixcfg.gateway import errors
from nixcfg.gateway.client import Answer, Gateway
from nixcfg.gateway.targets import Target

SLOW_SECONDS = 5.0
"""A first token that takes longer is worth a word."""
USUAL_TOKENS = 300
"""What an answer to such a question has, for an estimate of the cost."""

_QUESTION = {"role": "user", "content": "What is the meaning of life?"}
_SYSTEM = {
    "role": "system",
    "content": "You are a helpful assistant that gives concise answers.",
}
_POEM = {"role": "user", "content": "Write a short poem about coding."}

REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {"messages": [_QUESTION]},
    "system": {"messages": [_SYSTEM, _QUESTION]},
    "stream": {
        "messages": [_POEM],
        "stream": True,
        "stream_options": {"include_usage": True},
    },
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request. `status` is ok, slow or failed; times are in seconds. `mend` is
    what to do about a failure, which is its name in the JSON.
    """

    kind: str
    status: str
    http: int | None
    first: float | None
    total: float
    prompt_tokens: int
    completion_tokens: int
    message: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One model and its outcomes, in the order of REQUESTS."""

    target: Target
    outcomes: tuple[Outcome, ...]

    @property
    def has_failed(self) -> bool:
        return any(outcome.status == "failed" for outcome in self.outcomes)

    @property
    def cost(self) -> float | None:
        prompt = sum(outcome.prompt_tokens for outcome in self.outcomes)
        return self.target.cost(prompt, sum(o.completion_tokens for o in self.outcomes))

    @property
    def causes(self) -> list[Outcome]:
        """What went wrong, each thing once; that LiteLLM rests a model follows from it."""
        found: dict[str, Outcome] = {}
        for outcome in self.outcomes:
            if outcome.message:
                found.setdefault(outcome.message, outcome)
        causes = [outcome for outcome in found.values() if outcome.mend != errors.RESTING]
        return causes or list(found.values())


def usual_cost(asked: Sequence[Target]) -> tuple[float, int]:
    """What all requests to some models cost, in US dollars, and how many have no known price."""
    prices = [target.cost(60, 3 * USUAL_TOKENS) for target in asked]
    known = [price for price in prices if price is not None]
    return sum(known), len(prices) - len(known)


def run(
    gateway: Gateway,
    asked: Sequence[Target],
    *,
    jobs: int,
    seconds: float,
    tick: Callable[[], None] = lambda: None,
) -> list[Row]:
    """All requests of all targets, those of one model one after the other, `jobs` models at a time.
    `tick` is called after each request.

    The workers are daemons, so that Ctrl-C waits for no vendor.
    """
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Outcome | BaseException]] = queue.SimpleQueue()
    for index in range(len(asked)):
        todo.put(index)

    def work() -> None:
        while True:
            try:
                index = todo.get_nowait()
            except queue.Empty:
                return
            for kind in REQUESTS:
                try:
                    done.put((index, ask(gateway, asked[index], kind, seconds)))
                except BaseException as error:  # noqa: BLE001 (raised by the thread that waits)
                    done.put((index, error))

    for _ in range(min(jobs, len(asked))):
        threading.Thread(target=work, daemon=True).start()
    outcomes: dict[int, list[Outcome]] = {index: [] for index in range(len(asked))}
    for _ in range(len(asked) * len(REQUESTS)):
        index, outcome = done.get()
        if isinstance(outcome, BaseException):
            raise outcome
        outcomes[index].append(outcome)
        tick()
    return [Row(target, tuple(outcomes[index])) for index, target in enumerate(asked)]


@dataclass(slots=True)
class _Stream:
    """What has come of a streamed answer."""

    pieces: int = 0
    first: float | None = None
    is_complete: bool = False
    usage: dict[str, Any] = field(default_factory=dict)
    error: object = None


def ask(
    gateway: Gateway,
    target: Target,
    kind: str,
    seconds: float,
    *,
    question: str | None = None,
    tell: Callable[[str], None] = lambda _text: None,
) -> Outcome:
    """One request. Everything that can go wrong is an outcome. `seconds` without a byte end it.

    `question` is asked instead of that of REQUESTS; `tell` gets each piece of a stream.
    """
    body = {"model": target.name, **REQUESTS[kind]}
    if question is not None:
        body["messages"] = [{"role": "user", "content": question}]
    began = time.monotonic()
    stream = _Stream()
    answer: Answer | None = None
    problem: tuple[str, str] | None
    try:
        if kind == "stream":
            with gateway.stream("/chat/completions", body, seconds) as (head, lines):
                is_fine = head.status == 200
                answer = head if is_fine else replace(head, body=b"".join(lines))
                if is_fine:
                    _read(lines, stream, began, tell)
        else:
            answer = gateway.post("/chat/completions", body, seconds)
    except (OSError, http.client.HTTPException) as error:
        problem = _broken(error, stream, seconds)
    else:
        problem = _problem(answer, stream, kind, target)
    total = time.monotonic() - began
    usage = stream.usage or _usage(answer)
    status = "failed" if problem else "ok"
    wait = total if stream.first is None else stream.first
    if not problem and wait > SLOW_SECONDS and kind == "stream":
        status = "slow"
        problem = (f"the first token came after {wait:.1f} s", "Try again; the vendor may be busy.")
    return Outcome(
        kind=kind,
        status=status,
        http=answer.status if answer else None,
        first=stream.first,
        total=total,
        prompt_tokens=_number(usage.get("prompt_tokens")),
        completion_tokens=_number(usage.get("completion_tokens")),
        message=problem[0] if problem else "",
        mend=problem[1] if problem else "",
    )


def _read(
    lines: Iterator[bytes], stream: _Stream, began: float, tell: Callable[[str], None]
) -> None:
    for line in lines:
        text = line.decode("utf-8", "replace").strip()
        if not text.startswith("data:"):
            continue
        text = text.removeprefix("data:").strip()
        if text == "[DONE]":
            stream.is_complete = True
            continue
        try:
            chunk = json.loads(text)
        except ValueError:
            continue
        if not isinstance(chunk, dict):
            continue
        stream.error = chunk.get("error") or stream.error
        stream.usage = chunk.get("usage") or stream.usage
        choices = chunk.get("choices") or [{}]
        if content := (choices[0].get("delta") or {}).get("content"):
            tell(str(content))
            stream.pieces += 1
            if stream.first is None:
                stream.first = time.monotonic() - began


def _usage(answer: Answer | None) -> dict[str, Any]:
    data = answer.json() if answer and answer.status == 200 else None
    usage = data.get("usage") if isinstance(data, dict) else None
    return usage if isinstance(usage, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _broken(error: Exception, stream: _Stream, seconds: float) -> tuple[str, str]:
    if isinstance(error, TimeoutError):
        after = f" after {stream.pieces} pieces of the answer" if stream.pieces else ""
        return (
            f"no word for {seconds:g} s{after}",
            "Give it more time with --timeout, or see the gateway's log.",
        )
    if isinstance(error, ConnectionRefusedError):
        return "no one listens there", "See `nixcfg doctor`."
    if stream.pieces:
        return f"the stream broke off after {stream.pieces} pieces", "See the gateway's log."
    return f"the connection broke: {type(error).__name__}", "See the gateway's log."


def _problem(answer: Answer, stream: _Stream, kind: str, target: Target) -> tuple[str, str] | None:
    """The vendor's error in one line, and what to do about it."""
    if answer.status == 200:
        if kind != "stream":
            return None if answer.json() else ("the answer is no JSON", "Is this LiteLLM?")
        if stream.error is not None:
            error = stream.error
            text = error.get("message") if isinstance(error, dict) else error
            code = _code(error)
            message = errors.vendor_message(str(text))
            broke = f"the stream broke off after {stream.pieces} pieces: {message}"
            return broke, errors.advice(code, str(text), target)
        if not stream.is_complete:
            broke = f"the stream broke off after {stream.pieces} pieces, without an end"
            return broke, "Try again; if it stays, see the gateway's log."
        return None
    data = answer.json()
    error = data.get("error") if isinstance(data, dict) else None
    text = error.get("message") if isinstance(error, dict) else None
    raw = str(text or answer.body.decode("utf-8", "replace"))
    message = f"{answer.status}: {errors.vendor_message(raw) or 'no message'}"
    return message, errors.advice(answer.status, raw, target)


def _code(error: object) -> int:
    code = str(error.get("code")) if isinstance(error, dict) else ""
    return int(code) if code.isdecimal() else 500
