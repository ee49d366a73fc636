"""A stand-in vendor that answers at once, in a process of its own."""

import asyncio
import json
import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from gateway import free_port

#: Pieces of a streamed answer; a vendor sends about one a token or two.
PIECES = 100


def _vendor(port: int, ready: Any) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(_Vendor, "127.0.0.1", port) as server:
            ready.set()
            await server.serve_forever()

    asyncio.run(serve())


def _answers() -> tuple[bytes, bytes]:
    head = {"id": "chatcmpl-StandIn", "created": 1764000000, "model": "stand-in"}
    usage = {"prompt_tokens": 12, "completion_tokens": PIECES, "total_tokens": 12 + PIECES}
    message = {"role": "assistant", "content": "word " * PIECES}
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
    plain = json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": usage})

    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "word "}]
    deltas += [{"content": "word "}] * (PIECES - 1) + [{}]
    lines = []
    for delta in deltas:
        choice = {"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}
        chunk = {**head, "object": "chat.completion.chunk", "choices": [choice]}
        lines.append(f"data: {json.dumps(chunk)}\n\n")
    lines.append("data: [DONE]\n\n")
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(plain)}\r\n\r\n{plain}".encode(),
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x\r\n%s\r\n" % (len(line), line.encode()) for line in lines)
        + b"0\r\n\r\n",
    )


class _Vendor(asyncio.Protocol):
    """Answers each request after as many seconds as its model's name says."""

    plain, streamed = _answers()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if b"content-length" not in fields:  # no question
            self._answer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            self.received = b""
            return
        if len(body) < int(fields[b"content-length"]):
            return
        self.received = b""
        asked = json.loads(body)
        answer = self.streamed if asked.get("stream") else self.plain
        delay = float(asked["model"].removeprefix("after-"))
        asyncio.get_running_loop().call_later(delay, self._answer, answer)

    def _answer(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)


@contextmanager
def vendor() -> Iterator[str]:
    """The stand-in, as the base URL of an OpenAI-compatible API."""
    port = free_port()
    ready = multiprocessing.Event()
    process = multiprocessing.Process(target=_vendor, args=(port, ready), daemon=True)
    process.start()
    try:
        if not ready.wait(30):
            sys.exit("the stand-in did not start")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.join()
