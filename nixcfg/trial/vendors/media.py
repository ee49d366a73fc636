"""OpenAI's pictures, sounds and moderation. Source: platform.openai.com/docs/api-reference."""

import base64
import re

from nixcfg.trial.exchange import Reply, Request
from nixcfg.trial.vendors.base import CREATED, Data, Good, json_reply, protocol
from nixcfg.trial.vendors.openai import named_model, openai_error

_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel."""
_SOUND = b"ID3\x04\x00\x00\x00\x00\x00\x00"
"""An MP3 of no length: its header alone."""
_CATEGORIES = ("harassment", "hate", "self-harm", "sexual", "violence")


def _images(request: Request, _good: Good) -> Reply:
    asked = request.json()
    picture = {"b64_json": base64.b64encode(_PICTURE).decode()}
    count = asked.get("n") or 1
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    return json_reply({"created": CREATED, "data": [picture] * int(count), "usage": usage})


def _speech(_request: Request, _good: Good) -> Reply:
    return Reply(200, {"content-type": "audio/mpeg"}, (_SOUND,))


def _transcription(_request: Request, good: Good) -> Reply:
    return json_reply({"text": good.text})


def _moderation(request: Request, _good: Good) -> Reply:
    texts = request.json().get("input")
    return json_reply(_judged(len(texts) if isinstance(texts, list) else 1, is_flagged=False))


def _judged(count: int, *, is_flagged: bool) -> Data:
    judged = {
        "flagged": is_flagged,
        "categories": dict.fromkeys(_CATEGORIES, is_flagged),
        "category_scores": dict.fromkeys(_CATEGORIES, float(is_flagged)),
        "category_applied_input_types": {each: ["text"] for each in _CATEGORIES},
    }
    return {"id": "modr-1", "model": "omni-moderation-latest", "results": [judged] * count}


def _form_model(request: Request) -> str:
    """The field `model` of a form, which is how a sound is sent."""
    found = re.search(rb'name="model"\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]+)', request.body)
    return found[1].decode("utf-8", "replace") if found else named_model(request)


PROTOCOLS = (
    protocol("/images/generations$", _images, openai_error, named_model),
    protocol("/audio/speech$", _speech, openai_error, named_model),
    protocol("/audio/(transcriptions|translations)$", _transcription, openai_error, _form_model),
    protocol(
        "/moderations$",
        _moderation,
        openai_error,
        refusals={"content_policy": (200, _judged(1, is_flagged=True))},
    ),
)
