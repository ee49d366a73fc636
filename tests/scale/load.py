"""A steady load of chat requests on one address, plain and streaming, and what became of each.

A client sends its next request when the last is answered and its pause is over, on a connection
that it keeps, as an OpenAI client does; but it never sends a request again. So whatever a change
behind the address costs is in the record, as an outcome with a reason.
"""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: More than any answer of the stand-in takes on a loaded machine, so that a request which hangs is
#: told from one that waits.
PATIENCE = 60.0


@dataclass(frozen=True)
class Outcome:
    """One request: `fault` is empty for a whole answer, `began` says whether any of it came."""

    begin: float
    seconds: float
    is_stream: bool
    model: str
    fault: str = ""
    began: bool = False


@dataclass
class Load:
    """The record of a running or finished load."""

    outcomes: list[Outcome] = field(default_factory=list)
    #: The models that requests are for, in turn; to be changed while the load runs.
    models: list[str] = field(default_factory=list)

    def failed(self) -> list[Outcome]:
        return [each for each in self.outcomes if each.fault]

    def since(self, moment: float) -> list[Outcome]:
        return [each for each in self.outcomes if each.begin >= moment]

    def summary(self) -> str:
        """For a person who reads a failed assertion, or wants the figures."""
        slowest = max((each.seconds for each in self.outcomes), default=0.0)
        streams = sum(each.is_stream for each in self.outcomes)
        counts = f"{len(self.outcomes)} requests, {streams} of them streams"
        lines = [f"{counts}, {len(self.failed())} failed, slowest {slowest:.1f} s"]
        for each in self.failed()[:5]:
            kind = "stream" if each.is_stream else "plain"
            lines.append(
                f"  {kind} {each.model} {'begun' if each.began else 'no byte'}: {each.fault}"
            )
        return "\n".join(lines)


@contextmanager
def load(
    port: int,
    key: str,
    models: list[str],
    *,
    clients: int = 8,
    pause: float = 0.1,
    apart: bool = False,
    record: Load | None = None,
    patience: float = PATIENCE,
) -> Iterator[Load]:
    """Requests on 127.0.0.1:PORT while the block runs, every other one a stream, or with `apart`
    all those of every other client, into `record`. At its end each client finishes the request
    that it has begun."""
    record = record or Load()
    record.models = models
    over = threading.Event()

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
        count = number
        while not over.is_set():
            count += 1
            model = record.models[count // 2 % len(record.models)]
            is_stream = (number if apart else count) % 2 == 0
            outcome = ask(connection, key, model, is_stream=is_stream)
            record.outcomes.append(outcome)
            if outcome.fault:
                connection.close()
            over.wait(pause)
        connection.close()

    threads = [threading.Thread(target=client, args=(n,), daemon=True) for n in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield record
    finally:
        over.set()
        for thread in threads:
            thread.join(timeout=2 * patience)


def ask(
    connection: http.client.HTTPConnection, key: str, model: str, *, is_stream: bool
) -> Outcome:
    """One request, and whether its answer came whole."""
    body = {"model": model, "messages": [{"role": "user", "content": "What is the answer?"}]}
    if is_stream:
        body["stream"] = True
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    began = False
    fault = ""
    begin = time.monotonic()
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        began = True
        text = response.read()
        if response.status != 200:
            fault = f"status {response.status}: {text[:300]!r}"
        elif is_stream and not text.rstrip().endswith(b"data: [DONE]"):
            fault = f"a stream that breaks off after {len(text)} bytes: {text[-200:]!r}"
        elif not is_stream and "choices" not in json.loads(text):
            fault = f"no answer: {text[:200]!r}"
    except (OSError, http.client.HTTPException, ValueError) as problem:
        fault = f"{type(problem).__name__}: {problem}"
    return Outcome(begin, time.monotonic() - begin, is_stream, model, fault, began)
