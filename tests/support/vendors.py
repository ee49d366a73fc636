"""Stand-ins on loopback for the HTTP APIs of Anthropic, OpenAI and Google's Gemini.

Each is one threaded HTTP server that speaks the vendor's own shapes (plain and server-sent
events), accepts one key only, and records every request byte for byte. They replace the vendors
and nothing else: whatever talks to them is the real program.

    with Anthropic(key="sk-ant-…") as vendor:
        vendor.environment      # the variable by which LiteLLM is sent here
        vendor.behave_as(vendor.refusal(429))   # the next request; then the usual answer again
        vendor.seen             # every request so far

Sources of the shapes: docs.anthropic.com/en/api/messages (and …/messages-streaming),
platform.openai.com/docs/api-reference/chat, ai.google.dev/api/generate-content.
"""

import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

from vendor import Reply, Seen, Vendor, event_stream, json_reply


class Anthropic(Vendor):
    """POST /v1/messages, key in `x-api-key`."""

    name = "anthropic"
    base_variable = "ANTHROPIC_API_BASE"
    base_path = ""

    def serves(self, path: str) -> bool:
        return path == "/v1/messages"

    def key_in(self, seen: Seen) -> str | None:
        return seen.headers.get("x-api-key")

    def wants_stream(self, seen: Seen) -> bool:
        return seen.json().get("stream") is True

    def wrong_key(self) -> Reply:
        return self._error(401, "authentication_error", "invalid x-api-key")

    def error(self, status: int, message: str) -> Reply:
        kinds = {404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
        return self._error(status, kinds.get(status, "api_error"), message)

    def _error(self, status: int, kind: str, message: str) -> Reply:
        return json_reply(status, {"type": "error", "error": {"type": kind, "message": message}})

    def answer(self, seen: Seen) -> Reply:
        asked = seen.json()
        message = {
            "id": f"msg_01StandIn{secrets.token_hex(8)}",
            "type": "message",
            "role": "assistant",
            "model": asked["model"],
            "content": [{"type": "text", "text": self.text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 12,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 9,
            },
        }
        if not self.wants_stream(seen):
            return json_reply(200, message)
        opening = {**message, "content": [], "stop_reason": None}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": opening},
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": ""},
            },
            {"type": "ping"},
            *(
                {
                    "type": "content_block_delta",
                    "index": 0,
                    "delta": {"type": "text_delta", "text": piece},
                }
                for piece in self.pieces
            ),
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 9},
            },
            {"type": "message_stop"},
        ]
        return event_stream(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


class OpenAI(Vendor):
    """POST /v1/chat/completions, key in `Authorization: Bearer`."""

    name = "openai"
    base_variable = "OPENAI_BASE_URL"
    base_path = "/v1"

    def serves(self, path: str) -> bool:
        return path == "/v1/chat/completions"

    def key_in(self, seen: Seen) -> str | None:
        scheme, _, key = seen.headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else None

    def wants_stream(self, seen: Seen) -> bool:
        return seen.json().get("stream") is True

    def wrong_key(self) -> Reply:
        return self._error(
            401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"
        )

    def error(self, status: int, message: str) -> Reply:
        return self._error(status, message, "server_error" if status >= 500 else "requests", None)

    def _error(self, status: int, message: str, kind: str, code: str | None) -> Reply:
        error = {"message": message, "type": kind, "param": None, "code": code}
        return json_reply(status, {"error": error})

    def answer(self, seen: Seen) -> Reply:
        asked = seen.json()
        # LiteLLM keeps one row of spend for each of these.
        own = f"chatcmpl-StandIn{secrets.token_hex(8)}"
        head = {"id": own, "created": 1764000000, "model": asked["model"]}
        usage = {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21}
        if not self.wants_stream(seen):
            message = {"role": "assistant", "content": self.text, "refusal": None}
            choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
            return json_reply(
                200, {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
            )

        def chunk(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return {**head, "object": "chat.completion.chunk", "choices": [choice]}

        chunks = [
            chunk({"role": "assistant", "content": "", "refusal": None}, None),
            *(chunk({"content": piece}, None) for piece in self.pieces),
            chunk({}, "stop"),
        ]
        if (asked.get("stream_options") or {}).get("include_usage"):
            chunks.append({**chunks[-1], "choices": [], "usage": usage})
        lines = [json.dumps(c) for c in chunks] + ["[DONE]"]
        return event_stream(f"data: {line}\n\n" for line in lines)


class Gemini(Vendor):
    """POST /v1beta/models/M:generateContent or :streamGenerateContent?alt=sse, key in
    `x-goog-api-key` (or the query parameter `key`)."""

    name = "gemini"
    base_variable = "GEMINI_API_BASE"
    base_path = "/v1beta"

    def serves(self, path: str) -> bool:
        model, _, method = path.removeprefix("/v1beta/models/").partition(":")
        return (
            path.startswith("/v1beta/models/")
            and bool(model)
            and method in ("generateContent", "streamGenerateContent")
        )

    def key_in(self, seen: Seen) -> str | None:
        in_query = parse_qs(urlsplit(seen.path).query).get("key", [None])[0]
        return seen.headers.get("x-goog-api-key", in_query)

    def wants_stream(self, seen: Seen) -> bool:
        return urlsplit(seen.path).path.endswith(":streamGenerateContent")

    def wrong_key(self) -> Reply:
        # Google answers a wrong key with 400, not 401.
        return self._error(
            400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT"
        )

    def error(self, status: int, message: str) -> Reply:
        kinds = {404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
        return self._error(status, message, kinds.get(status, "INTERNAL"))

    def _error(self, status: int, message: str, kind: str) -> Reply:
        return json_reply(status, {"error": {"code": status, "message": message, "status": kind}})

    def answer(self, seen: Seen) -> Reply:
        url = urlsplit(seen.path)
        model = url.path.rpartition("/")[2].partition(":")[0]
        if not self.wants_stream(seen):
            return json_reply(200, self._candidate(model, self.text, last=True))
        if parse_qs(url.query).get("alt") != ["sse"]:
            return self.error(404, "the stand-in streams server-sent events only")
        last = len(self.pieces) - 1
        return event_stream(
            f"data: {json.dumps(self._candidate(model, piece, last=n == last))}\r\n\r\n"
            for n, piece in enumerate(self.pieces)
        )

    def _candidate(self, model: str, text: str, *, last: bool) -> dict[str, Any]:
        candidate: dict[str, Any] = {
            "content": {"parts": [{"text": text}], "role": "model"},
            "index": 0,
        }
        if last:
            candidate["finishReason"] = "STOP"
        return {
            "candidates": [candidate],
            "usageMetadata": {
                "promptTokenCount": 12,
                "candidatesTokenCount": 9,
                "totalTokenCount": 21,
            },
            "modelVersion": model,
            "responseId": "StandIn",
        }
