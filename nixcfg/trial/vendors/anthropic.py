"""Anthropic: /v1/messages. Source of the shapes: docs.anthropic.com/en/api/messages."""

import json
from typing import Any

from nixcfg.trial.exchange import Reply, Request
from nixcfg.trial.vendors.base import Data, Good, event_stream, json_reply, protocol


def _messages(request: Request, good: Good) -> Reply:
    asked = request.json()
    block: dict[str, Any] = {"type": "text", "text": good.text}
    if good.tool:
        name, arguments = good.tool
        block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": arguments}
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": asked.get("model", "stand-in"),
        "content": [block],
        "stop_reason": "tool_use" if good.tool else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": good.prompt_tokens, "output_tokens": good.completion_tokens},
    }
    if not asked.get("stream"):
        return json_reply(message)
    empty = {**block, "input": {}} if good.tool else {**block, "text": ""}
    deltas: list[dict[str, Any]] = [{"type": "text_delta", "text": each} for each in good.pieces]
    if good.tool:
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(good.tool[1])}]
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": empty},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": end,
            "usage": {"output_tokens": good.completion_tokens},
        },
        {"type": "message_stop"},
    ]
    return event_stream(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events)


def _anthropic_error(status: int, message: str) -> Data:
    kinds = {
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        429: "rate_limit_error",
        529: "overloaded_error",
    }
    return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": message}}


_TOO_LONG = "prompt is too long: 205000 tokens > 200000 maximum"
_REFUSALS = {
    "context_window": (
        400,
        _anthropic_error(400, _TOO_LONG),
    ),
    "content_policy": (400, _anthropic_error(400, "Output blocked by content filtering policy")),
}
PROTOCOLS = (protocol("/messages$", _messages, _anthropic_error, refusals=_REFUSALS),)
