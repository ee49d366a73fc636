"""Ollama: /api/chat, /api/generate, /api/embed, /api/show. Source: docs.ollama.com/api."""

import json
from typing import Any
from urllib.parse import urlsplit

from nixcfg.trial.exchange import Reply, Request
from nixcfg.trial.vendors.base import NDJSON, VECTOR, Data, Good, json_reply, protocol


def _ollama(request: Request, good: Good) -> Reply:
    asked = request.json()
    path = urlsplit(request.path).path
    head = {"model": asked.get("model", "stand-in"), "created_at": "2025-01-01T00:00:00Z"}
    if path.endswith(("/embed", "/embeddings")):
        texts = asked.get("input") or [""]
        count = len(texts) if isinstance(texts, list) else 1
        return json_reply({**head, "embeddings": [VECTOR] * count, "prompt_eval_count": 1})
    counts = {"prompt_eval_count": good.prompt_tokens, "eval_count": good.completion_tokens}

    def said(text: str, *, is_done: bool) -> dict[str, Any]:
        if path.endswith("/generate"):
            return {**head, "response": text, "done": is_done, **(counts if is_done else {})}
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if good.tool and is_done:
            function = {"name": good.tool[0], "arguments": good.tool[1]}
            message = {"role": "assistant", "content": "", "tool_calls": [{"function": function}]}
        return {**head, "message": message, "done": is_done, **(counts if is_done else {})}

    if asked.get("stream") is False:
        return json_reply(said(good.text, is_done=True))
    pieces = () if good.tool else good.pieces
    chunks = [*(said(piece, is_done=False) for piece in pieces), said("", is_done=True)]
    return Reply(200, NDJSON, tuple(f"{json.dumps(chunk)}\n".encode() for chunk in chunks))


def _show(_request: Request, _good: Good) -> Reply:
    able = ["completion", "tools"]
    return json_reply({"template": "", "model_info": {}, "capabilities": able})


def _ollama_error(_status: int, message: str) -> Data:
    return {"error": message}


PROTOCOLS = (
    protocol("/api/(chat|generate|embed|embeddings)$", _ollama, _ollama_error),
    protocol("/api/show$", _show, _ollama_error, is_asked=False),
)
