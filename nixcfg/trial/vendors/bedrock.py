"""Bedrock: /model/NAME/converse and /converse-stream.

Source of the shapes: the Converse API and event streams, docs.aws.amazon.com/bedrock.
"""

import json
import re
import struct
import zlib
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from nixcfg.trial.exchange import Reply, Request
from nixcfg.trial.vendors.base import Data, Good, json_reply, protocol


def _bedrock_model(request: Request) -> str:
    found = re.search(r"/model/([^/]+)/", request.path)
    return unquote(found[1]) if found else ""


def _converse(request: Request, good: Good) -> Reply:
    usage = {
        "inputTokens": good.prompt_tokens,
        "outputTokens": good.completion_tokens,
        "totalTokens": good.prompt_tokens + good.completion_tokens,
    }
    stop = "tool_use" if good.tool else "end_turn"
    tool = {"toolUseId": "tool_1", "name": good.tool[0]} if good.tool else {}
    if not urlsplit(request.path).path.endswith("-stream"):
        made = {"toolUse": {**tool, "input": good.tool[1]}} if good.tool else {"text": good.text}
        message = {"role": "assistant", "content": [made]}
        return json_reply({"output": {"message": message}, "stopReason": stop, "usage": usage})
    deltas: list[Data] = [{"text": piece} for piece in good.pieces]
    if good.tool:
        deltas = [{"toolUse": {"input": json.dumps(good.tool[1])}}]
    start = {"start": {"toolUse": tool}} if good.tool else {"start": {}}
    events: list[tuple[str, Data]] = [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockStart", {**start, "contentBlockIndex": 0}),
        *(("contentBlockDelta", {"delta": each, "contentBlockIndex": 0}) for each in deltas),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": stop}),
        ("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}),
    ]
    head = {"content-type": "application/vnd.amazon.eventstream"}
    return Reply(200, head, tuple(_frame(kind, data) for kind, data in events))


def _frame(kind: str, data: Data) -> bytes:
    """One message of an AWS event stream."""
    named = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value))
        + value.encode()
        for name, value in named.items()
    )  # fmt: skip
    payload = json.dumps(data).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return body + struct.pack("!I", zlib.crc32(body))


def _bedrock_error(_status: int, message: str) -> Data:
    return {"message": message}


_FILTERED = {
    "output": {"message": {"role": "assistant", "content": [{"text": ""}]}},
    "stopReason": "content_filtered",
    "usage": {"inputTokens": 1, "outputTokens": 0, "totalTokens": 1},
}
_REFUSALS: Mapping[str, tuple[int, Data]] = {
    "context_window": (400, _bedrock_error(400, "Input is too long for requested model.")),
    "content_policy": (200, _FILTERED),
}
PROTOCOLS = (
    protocol(
        "/model/[^/]+/converse(-stream)?$",
        _converse,
        _bedrock_error,
        _bedrock_model,
        refusals=_REFUSALS,
    ),
)
