"""OpenAI, Azure, and everyone who speaks OpenAI's API.

Source of the shapes: platform.openai.com/docs/api-reference.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from nixcfg.trial.exchange import Reply, Request
from nixcfg.trial.vendors.base import (
    CREATED,
    VECTOR,
    Data,
    Good,
    Protocol,
    event_stream,
    json_reply,
    protocol,
)


def _usage(good: Good) -> Data:
    total = good.prompt_tokens + good.completion_tokens
    return {
        "prompt_tokens": good.prompt_tokens,
        "completion_tokens": good.completion_tokens,
        "total_tokens": total,
    }


def _openai_calls(good: Good) -> list[Data]:
    if good.tool is None:
        return []
    name, arguments = good.tool
    function = {"name": name, "arguments": json.dumps(arguments)}
    return [{"index": 0, "id": "call_1", "type": "function", "function": function}]


def _chat(request: Request, good: Good) -> Reply:
    asked = request.json()
    head = {"id": "chatcmpl-1", "created": CREATED, "model": asked.get("model", "stand-in")}
    calls = _openai_calls(good)
    finish = "tool_calls" if calls else "stop"
    if not asked.get("stream"):
        content = {"content": None, "tool_calls": calls} if calls else {"content": good.text}
        choice = {"index": 0, "message": {"role": "assistant", **content}, "finish_reason": finish}
        return json_reply(
            {**head, "object": "chat.completion", "choices": [choice], "usage": _usage(good)}
        )

    def chunk(delta: Data, end: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": end}
        return {**head, "object": "chat.completion.chunk", "choices": [choice]}

    deltas = [{"tool_calls": calls}] if calls else [{"content": piece} for piece in good.pieces]
    chunks = [chunk({"role": "assistant", "content": ""}), *map(chunk, deltas), chunk({}, finish)]
    if (asked.get("stream_options") or {}).get("include_usage"):
        chunks.append({**head, "object": "chat.completion.chunk", "choices": []})
        chunks[-1]["usage"] = _usage(good)
    return event_stream(f"data: {line}\n\n" for line in [*map(json.dumps, chunks), "[DONE]"])


def _completion(request: Request, good: Good) -> Reply:
    asked = request.json()
    head = {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": CREATED,
        "model": asked.get("model", "stand-in"),
    }

    def body(text: str, finish: str | None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "text": text, "finish_reason": finish}]}

    if not asked.get("stream"):
        return json_reply({**body(good.text, "stop"), "usage": _usage(good)})
    chunks = [*(body(piece, None) for piece in good.pieces), body("", "stop")]
    return event_stream(f"data: {line}\n\n" for line in [*map(json.dumps, chunks), "[DONE]"])


def _embeddings(request: Request, good: Good) -> Reply:
    asked = request.json()
    texts = asked.get("input")
    count = len(texts) if isinstance(texts, list) else 1
    return json_reply(
        {
            "object": "list",
            "model": asked.get("model", "stand-in"),
            "data": [
                {"object": "embedding", "index": index, "embedding": VECTOR}
                for index in range(count)
            ],
            "usage": {"prompt_tokens": good.prompt_tokens, "total_tokens": good.prompt_tokens},
        }
    )


def _responses(request: Request, good: Good) -> Reply:
    asked = request.json()
    part = {"type": "output_text", "text": good.text, "annotations": []}
    item: Data = {
        "type": "message",
        "id": "msg_1",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }
    if good.tool:
        name, arguments = good.tool
        item = {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "status": "completed",
            "name": name,
            "arguments": json.dumps(arguments),
        }
    total = good.prompt_tokens + good.completion_tokens
    whole = {
        "id": "resp_1",
        "object": "response",
        "created_at": CREATED,
        "status": "completed",
        "model": asked.get("model", "stand-in"),
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": good.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": good.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": total,
        },
    }
    if not asked.get("stream"):
        return json_reply(whole)
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        *(
            {
                "type": "response.output_text.delta",
                "item_id": "msg_1",
                "output_index": 0,
                "content_index": 0,
                "delta": piece,
            }
            for piece in ([] if good.tool else good.pieces)
        ),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    numbered = [{**each, "sequence_number": number} for number, each in enumerate(events)]
    return event_stream(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in numbered)


def no_answer(_request: Request, _good: Good) -> Reply:
    """Of an API whose good answers no one knows."""
    return Reply(501, {}, ())


def openai_error(status: int, message: str) -> Data:
    """An error in the shape of OpenAI's API."""
    kinds = {401: "invalid_request_error", 429: "requests"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    code = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status)
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def named_model(request: Request) -> str:
    """The model in the body, or with Azure the deployment in the path."""
    found = re.search(r"/deployments/([^/]+)/", request.path)
    return unquote(found[1]) if found else str(request.json().get("model", ""))


def _refused(code: str, message: str, **more: Any) -> tuple[int, Data]:
    kind = "invalid_request_error"
    return 400, {"error": {"message": message, "type": kind, "code": code, **more}}


_TOO_LONG = _refused(
    "context_length_exceeded",
    "This model's maximum context length is 128000 tokens. However, your messages resulted in "
    "130000 tokens. Please reduce the length of the messages.",
    param="messages",
)
_OPENAI_REFUSALS = {
    "context_window": _TOO_LONG,
    "content_policy": _refused(
        "invalid_prompt",
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please "
        "try again with a different prompt.",
        param=None,
    ),
}
_AZURE_REFUSALS = {
    "context_window": _TOO_LONG,
    "content_policy": _refused(
        "content_filter",
        "The response was filtered due to the prompt triggering Azure OpenAI's content management "
        "policy. Please modify your prompt and retry.",
        param="prompt",
        innererror={"code": "ResponsibleAIPolicyViolation"},
    ),
}


def _azure(name: str, answer: Callable[[Request, Good], Reply]) -> Protocol:
    path = f"/openai/deployments/[^/]+/{name}$"
    return protocol(path, answer, openai_error, named_model, refusals=_AZURE_REFUSALS)


def _openai(name: str, answer: Callable[[Request, Good], Reply]) -> Protocol:
    return protocol(f"/{name}$", answer, openai_error, refusals=_OPENAI_REFUSALS)


PROTOCOLS = (
    _azure("chat/completions", _chat),
    _azure("embeddings", _embeddings),
    _openai("chat/completions", _chat),
    _openai("completions", _completion),
    _openai("embeddings", _embeddings),
    _openai("responses", _responses),
)
