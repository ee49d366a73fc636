"""Gemini and Vertex: models/NAME:generateContent.

Source of the shapes: ai.google.dev/api/generate-content.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from nixcfg.trial.exchange import Reply, Request
from nixcfg.trial.vendors.base import (
    JSON,
    VECTOR,
    Data,
    Good,
    event_stream,
    json_reply,
    protocol,
)


def _google_model(request: Request) -> str:
    return unquote(urlsplit(request.path).path.rpartition("/models/")[2].partition(":")[0])


def _generate(request: Request, good: Good) -> Reply:
    def candidate(parts: list[Data], *, is_last: bool) -> dict[str, Any]:
        content = {"parts": parts, "role": "model"}
        end = {"finishReason": "STOP"} if is_last else {}
        return {
            "candidates": [{"content": content, "index": 0, **end}],
            "usageMetadata": {
                "promptTokenCount": good.prompt_tokens,
                "candidatesTokenCount": good.completion_tokens,
                "totalTokenCount": good.prompt_tokens + good.completion_tokens,
            },
            "modelVersion": _google_model(request),
            "responseId": "1",
        }

    parts: list[Data] = [{"text": piece} for piece in good.pieces]
    if good.tool:
        parts = [{"functionCall": {"name": good.tool[0], "args": good.tool[1]}}]
    url = urlsplit(request.path)
    if not url.path.endswith(":streamGenerateContent"):
        return json_reply(candidate(parts if good.tool else [{"text": good.text}], is_last=True))
    chunks = [candidate([part], is_last=part is parts[-1]) for part in parts]
    if parse_qs(url.query).get("alt") != ["sse"]:
        return Reply(200, JSON, (json.dumps(chunks).encode(),))
    return event_stream(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks)


def _google_embed(request: Request, _good: Good) -> Reply:
    asked = request.json()
    if ":batchEmbedContents" in request.path:
        return json_reply({"embeddings": [{"values": VECTOR} for _ in asked.get("requests", [{}])]})
    if ":predict" in request.path:
        made = {"embeddings": {"values": VECTOR, "statistics": {"token_count": 1}}}
        return json_reply({"predictions": [made for _ in asked.get("instances", [{}])]})
    return json_reply({"embedding": {"values": VECTOR}})


def _google_error(status: int, message: str) -> Data:
    kinds = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
    kind = kinds.get(status, "UNAVAILABLE" if status == 503 else "INTERNAL")
    return {"error": {"code": status, "message": message, "status": kind}}


_TOO_LONG = (
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
)
_REFUSALS: Mapping[str, tuple[int, Data]] = {
    "context_window": (400, _google_error(400, _TOO_LONG)),
    "content_policy": (
        200,
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 1}},
    ),
}
PROTOCOLS = (
    protocol(
        ":(generate|streamGenerate)Content$",
        _generate,
        _google_error,
        _google_model,
        refusals=_REFUSALS,
    ),
    protocol(
        ":(embedContent|batchEmbedContents|predict)$", _google_embed, _google_error, _google_model
    ),
)
