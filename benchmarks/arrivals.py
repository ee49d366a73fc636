"""Requests that arrive at a given rate, whatever becomes of those before them: by h2load.

Of the load generators that Debian has, it is the one that paces its requests and logs each of them.
A client of it sends one request in each of its periods, and the clients begin one after the other,
whole milliseconds apart: a steady stream. A higher rate is several streams at once. A client is
late only when an answer takes longer than its period; then fewer requests arrive than were meant,
which counts as not having kept up.
"""

import json
import math
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

State = TypeVar("State")

#: Of the requests that were meant to arrive, so many have to.
KEPT = 0.97
#: How long a client waits for an answer, beyond what the vendor takes, before it is late.
PATIENCE_SECONDS = 1.0
#: Requests a second in one stream: apart by enough milliseconds for the rate to be fine.
STREAM_RATE = 60.0


@dataclass(frozen=True)
class Question:
    """What is asked. `path` is the same at the gateway and at the stand-in, below what it is to do
    there (`behaviour`), which takes `seconds`."""

    path: str
    body: dict[str, Any]
    behaviour: str = "at-once"
    seconds: float = 0.0


@dataclass(frozen=True)
class Target:
    """Who is asked: `http://HOST:PORT`, and a key that it accepts."""

    base: str
    key: str

    def arguments(self, path: str) -> list[str]:
        headers = ("Content-Type: application/json", f"Authorization: Bearer {self.key}")
        return [*(f"--header={header}" for header in headers), f"{self.base}{path}"]


@dataclass(frozen=True)
class Answers:
    """Of the requests sent in a window: milliseconds until each was answered as a whole."""

    rate: float
    seconds: float
    times: list[float] = field(repr=False)
    failed: int

    @property
    def kept_up(self) -> bool:
        whole = len(self.times) >= KEPT * self.rate * self.seconds
        return whole and not self.failed

    def percentile(self, part: float) -> float:
        """By nearest rank; infinite when nothing was answered."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else math.inf


def absent() -> str | None:
    """Why no load can be made here, and what to do."""
    if shutil.which("h2load"):
        return None
    return "h2load is not installed here (Debian: nghttp2-client)"


def spacings(rate: float) -> list[int]:
    """Milliseconds between the requests of each stream that together come to about `rate`."""
    count = math.ceil(rate / STREAM_RATE)
    chosen: list[int] = []
    for left in range(count, 0, -1):
        lacking = rate - sum(1000 / each for each in chosen)
        chosen.append(max(1, round(1000 * left / lacking)))
    return chosen


def ask(
    target: Target, question: Question, rate: float, seconds: float, look: Callable[[], State]
) -> tuple[Answers, State, State]:
    """Asks for `seconds` at `rate` requests a second, once the clients have begun; and what `look`
    saw at both ends of that time."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nixcfg-load-")))
        body = folder / "body.json"
        body.write_text(json.dumps(question.body))
        streams = [_Stream(spacing, question.seconds) for spacing in spacings(rate)]
        logs = [folder / f"{number}.tsv" for number in range(len(streams))]
        running = []
        for stream, log in zip(streams, logs, strict=True):
            arguments = [f"--data={body}", f"--log-file={log}", *target.arguments(question.path)]
            process = subprocess.Popen(  # noqa: S603 (our own arguments)
                [*stream.command(seconds), *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            running.append(process)
        longest = max(stream.period for stream in streams)
        time.sleep(longest)  # every client has begun
        before, begin = look(), time.time()
        time.sleep(seconds)
        after, end = look(), time.time()
        until = time.monotonic() + 2 * longest
        for process in running:
            # What is not answered then is not in the log.
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.1, until - time.monotonic()))
            process.kill()
        times, failed = [], 0
        for line in (line for log in logs for line in log.read_text().splitlines()):
            start, status, microseconds = map(int, line.split("\t")[:3])
            if begin <= start / 1e6 < end:
                times.append(microseconds / 1000)
                failed += status != 200
    meant = sum(1000 / stream.spacing for stream in streams)
    return Answers(meant, end - begin, times, failed), before, after


class _Stream:
    """Requests that are `spacing` milliseconds apart, from as many clients as it takes when an
    answer takes `answer` seconds."""

    def __init__(self, spacing: int, answer: float) -> None:
        self.spacing = spacing
        self.clients = math.ceil(1000 * (answer + PATIENCE_SECONDS) / spacing)
        self.period = self.clients * spacing / 1000

    def command(self, seconds: float) -> list[str]:
        """h2load, for so many seconds after its last client has begun, and a little longer."""
        requests = self.clients * math.ceil((2 * self.period + seconds) / self.period)
        return [
            *("h2load", "--h1", f"--clients={self.clients}", f"--requests={requests}"),
            *("--rate=1", f"--rate-period={self.spacing}ms", f"--rps={1 / self.period:.6f}"),
        ]
