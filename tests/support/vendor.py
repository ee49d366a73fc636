"""What the stand-ins for vendors have in common: an HTTP server that records every request."""

import json
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Seen:
    """One request as it arrived: `path` with its query, header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def everything(self) -> bytes:
        """All that the vendor could have read a key from."""
        headers = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        return f"{self.path}\n{headers}\n\n".encode() + self.body


@dataclass(frozen=True)
class Reply:
    """What goes back. `chunks` are sent one by one as they come, so an iterable that waits makes
    a slow answer, and one that raises ConnectionError makes an answer that breaks off."""

    status: int
    content_type: str
    chunks: Iterable[bytes]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed closes what it kept open, which is no one's mistake."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


Behaviour = Callable[[Seen], Reply]


class Vendor(ABC):
    """What the three have in common: the server, the record, the key check, the script."""

    name: ClassVar[str]
    #: The variable by which LiteLLM is told where the vendor is, and the path it wants there.
    base_variable: ClassVar[str]
    base_path: ClassVar[str]

    def __init__(self, key: str) -> None:
        self.key = key
        self.seen: list[Seen] = []
        self.pieces = [f"{self.name} stand-in says: ", "forty-two, ", "naïvely — ✓."]
        self._script: deque[Behaviour] = deque()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        return {self.base_variable: self.url + self.base_path}

    @property
    def text(self) -> str:
        """The whole text of every ordinary answer, however it is cut for streaming."""
        return "".join(self.pieces)

    def behave_as(self, *behaviours: Behaviour) -> None:
        """Script the next requests, one behaviour each; after the last, the usual answer."""
        with self._lock:
            self._script = deque(behaviours)

    def forget(self) -> None:
        """Back to an empty record and no script."""
        with self._lock:
            self.seen.clear()
            self._script.clear()

    def refusal(self, status: int, message: str = "scripted by the test") -> Behaviour:
        """An error answer in the vendor's shape."""
        reply = self.error(status, message)
        return lambda _seen: reply

    def respond(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            if not self.serves(urlsplit(seen.path).path):
                return self.error(404, "no such route")
            if self.key_in(seen) != self.key:
                return self.wrong_key()
            behaviour = self._script.popleft() if self._script else self.answer
        return behaviour(seen)

    # What each vendor does in its own way.

    @abstractmethod
    def serves(self, path: str) -> bool:
        """Whether the vendor has an endpoint at this path."""

    @abstractmethod
    def key_in(self, seen: Seen) -> str | None:
        """The key that a request brings, None where the vendor looks for one in vain."""

    @abstractmethod
    def wants_stream(self, seen: Seen) -> bool:
        """Whether a request asks for an answer in pieces."""

    @abstractmethod
    def wrong_key(self) -> Reply:
        """The vendor's answer to a key that is not its own."""

    @abstractmethod
    def error(self, status: int, message: str) -> Reply:
        """An error in the vendor's own shape."""

    @abstractmethod
    def answer(self, seen: Seen) -> Reply:
        """What the vendor answers to a good request."""


def json_reply(status: int, value: object) -> Reply:
    return Reply(status, "application/json", [json.dumps(value).encode()])


def event_stream(lines: Iterable[str]) -> Reply:
    return Reply(200, "text/event-stream", [line.encode() for line in lines])


def _handler(vendor: Vendor) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = vendor.respond(Seen(self.path, headers, body))
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for chunk in reply.chunks:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.write(b"0\r\n\r\n")
            except ConnectionError:  # the client left, or the behaviour breaks off
                self.close_connection = True

        def do_GET(self) -> None:
            """Recorded too, then refused: no route above is for GET."""
            self.do_POST()

        def log_message(self, *_args: object) -> None:
            """Silent: `Vendor.seen` is the log."""

    return Handler
