"""A stand-in vendor, in a process of its own, that takes as long as the first part of the path
says: `/at-once/v1/...`, `/after-2/...` (seconds), or `/pieces-31/...`, with PIECE_SECONDS before
each, whether they are streamed or not. So models may have the names of real ones, whose prices
LiteLLM knows."""

import asyncio
import itertools
import json
import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from gateway import free_port

#: What a vendor sends a second: fifty pieces, each of a token or two.
PIECE_SECONDS = 0.02
UNIT_SECONDS = {"after": 1.0, "pieces": PIECE_SECONDS}
#: What stands in an answer for its number: LiteLLM keeps one row of spend for each id.
NUMBER = "000000000000"
#: Of a plain answer.
WORDS = 100
DIMENSIONS = 1536


def _whole(content_type: str, data: Any) -> bytes:
    text = json.dumps(data)
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(text)}\r\n\r\n{text}".encode()
    )


@cache
def _plain(path: str) -> bytes:
    """The answer of the API that is at this path, as OpenAI or Anthropic gives it."""
    text = "word " * WORDS
    if path.endswith("/messages"):
        data: dict[str, Any] = {
            "id": f"msg_{NUMBER}",
            "type": "message",
            "role": "assistant",
            "model": "stand-in",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 12, "output_tokens": WORDS},
        }
    elif path.endswith("/embeddings"):
        numbers = [round(0.001 * n, 3) for n in range(DIMENSIONS)]
        data = {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": numbers}],
            "model": "stand-in",
            "usage": {"prompt_tokens": 12, "total_tokens": 12},
        }
    else:
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": 12, "completion_tokens": WORDS, "total_tokens": 12 + WORDS}
        data = {
            "id": f"chatcmpl-{NUMBER}",
            "object": "chat.completion",
            "created": 1764000000,
            "model": "stand-in",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": usage,
        }
    return _whole("application/json", data)


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


@cache
def _piece(delta: str, reason: str | None) -> bytes:
    choice = {"index": 0, "delta": {"content": delta} if delta else {}, "finish_reason": reason}
    head = {"id": f"chatcmpl-{NUMBER}", "created": 1764000000, "model": "stand-in"}
    data = {**head, "object": "chat.completion.chunk", "choices": [choice]}
    return _chunk(f"data: {json.dumps(data)}\n\n")


def _chunk(line: str) -> bytes:
    return b"%x\r\n%s\r\n" % (len(line), line.encode())


class _Vendor(asyncio.Protocol):
    numbers = itertools.count()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return
        first, *others = head.split(b"\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in others)
        if b"content-length" not in fields:  # no question
            self.transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            self.received = b""
            return
        if len(body) < int(fields[b"content-length"]):
            return
        self.received = b""
        asked = json.loads(body)
        path = first.split(b" ")[1].decode()
        self.number = b"%0*d" % (len(NUMBER), next(self.numbers))
        behaviour, _, number = path.split("/")[1].partition("-")
        loop = asyncio.get_running_loop()
        if asked.get("stream"):
            self.transport.write(STREAM_HEAD)
            self.left = int(number)
            self.due = loop.time()
            self._stream()
        else:
            seconds = UNIT_SECONDS[behaviour] * int(number) if behaviour in UNIT_SECONDS else 0.0
            answer = _plain(path)
            loop.call_later(seconds, self._write, answer)

    def _stream(self) -> None:
        """Each piece when it is due, however late the one before it was."""
        if self.left:
            self.left -= 1
            self.due += PIECE_SECONDS
            asyncio.get_running_loop().call_at(self.due, self._send_piece)
        else:
            self._write(_piece("", "stop") + _chunk("data: [DONE]\n\n") + b"0\r\n\r\n")

    def _send_piece(self) -> None:
        self._write(_piece("word ", None))
        if not self.transport.is_closing():
            self._stream()

    def _write(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer.replace(NUMBER.encode(), self.number))


def _serve(port: int, ready: Any) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(_Vendor, "127.0.0.1", port, backlog=1000) as server:
            ready.set()
            await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def vendor() -> Iterator[str]:
    """The stand-in, as `http://HOST:PORT`."""
    port = free_port()
    ready = multiprocessing.Event()
    process = multiprocessing.Process(target=_serve, args=(port, ready), daemon=True)
    process.start()
    try:
        if not ready.wait(30):
            sys.exit("the stand-in did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join()
