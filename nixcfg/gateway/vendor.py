"""A vendor that gives one canned answer, for `nixcfg try --mock`: no key, no network, no cost.

LiteLLM has `mock_response` for this, but short-circuits its own routes with it: in 1.108.14 a
streamed /v1/messages becomes one JSON document, and a streamed /v1/responses an error. With a
server behind it LiteLLM does all that it does with a real one, so clients meet what they will meet.
"""

import contextlib
import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any, ClassVar

_ROUTE = "/v1/chat/completions"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers chat completions, whole or streamed, and calls a tool where `tool_choice` says so."""

    protocol_version = "HTTP/1.1"
    server: _Server
    created: ClassVar[int] = int(time.time())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        if self.path != _ROUTE or not isinstance(asked, dict):
            self._send(404, {"error": {"message": f"no {self.path} here", "type": "not_found"}})
            return
        tool = _tool(asked)
        if not asked.get("stream"):
            self._send(200, self._whole(asked, tool))
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for chunk in self._chunks(asked, tool):
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: what is asked is in LiteLLM's own log."""

    def _send(self, status: int, document: object) -> None:
        payload = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _head(self, asked: dict[str, Any], kind: str) -> dict[str, Any]:
        model = asked.get("model")
        return {"id": "chatcmpl-mock", "object": kind, "created": self.created, "model": model}

    def _usage(self, asked: dict[str, Any]) -> dict[str, int]:
        """A word is a token here."""
        prompt = len(json.dumps(asked.get("messages")).split())
        answer = len(self.server.answer.split())
        return {
            "prompt_tokens": prompt,
            "completion_tokens": answer,
            "total_tokens": prompt + answer,
        }

    def _whole(self, asked: dict[str, Any], tool: dict[str, Any] | None) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": self.server.answer}
        if tool:
            message |= {"content": None, "tool_calls": [tool]}
        choice = {"index": 0, "message": message, "finish_reason": _end(tool)}
        head = self._head(asked, "chat.completion")
        return {**head, "choices": [choice], "usage": self._usage(asked)}

    def _chunks(
        self, asked: dict[str, Any], tool: dict[str, Any] | None
    ) -> Iterator[dict[str, Any]]:
        head = self._head(asked, "chat.completion.chunk")
        words = re.findall(r"\S+\s*", self.server.answer)
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += (
            [{"tool_calls": [{"index": 0, **tool}]}] if tool else [{"content": w} for w in words]
        )
        for delta in deltas:
            yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _end(tool)}]}
        if (asked.get("stream_options") or {}).get("include_usage"):
            yield {**head, "choices": [], "usage": self._usage(asked)}


def _end(tool: dict[str, Any] | None) -> str:
    return "tool_calls" if tool else "stop"


def _tool(asked: dict[str, Any]) -> dict[str, Any] | None:
    """The call of a tool that the request insists on. Nothing is called unasked: a coding agent
    would run it."""
    choice = asked.get("tool_choice")
    functions = [each.get("function") or {} for each in asked.get("tools") or ()]
    wanted = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    if choice == "required":
        wanted = next((each.get("name") for each in functions), None)
    found = next((each for each in functions if wanted and each.get("name") == wanted), None)
    if found is None:
        return None
    needed = (found.get("parameters") or {}).get("required") or ()
    arguments = json.dumps(dict.fromkeys(needed, "mock"))
    function = {"name": wanted, "arguments": arguments}
    return {"id": "call_mock", "type": "function", "function": function}


@contextlib.contextmanager
def serving(answer: str) -> Iterator[str]:
    """The vendor while it runs, on a free port of the loopback address; gives its base URL."""
    with _Server(answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
