"""What a vendor's error means, in one line, and what to do about it."""

import json
import re

from nixcfg.gateway.targets import Target
from nixcfg.keys.mask import masked

RESTING = "LiteLLM rests this model after failures; try again in some seconds."

_WRAPPING = re.compile(r"^(?:litellm\.)?\w*(?:Error|Exception)\w*(?::| -) *")
_BEHIND = re.compile(
    r"(?s)\s*(?:\n\nLiteLLM: model group|\.? ?Received Model Group=|No fallback model group found"
    r"|LiteLLM Retried:|Available Model Group Fallbacks|\.? ?Passed model=|\. Handle with `litellm"
    r").*"
)


def vendor_message(text: str) -> str:
    """The vendor's own message, without LiteLLM's wrapping, on one line, keys masked.

    LiteLLM 1.106.2 writes `litellm.X: YException - {the vendor's JSON}` and more behind it.
    """
    text = _BEHIND.sub("", text)
    while (shorter := _WRAPPING.sub("", text)) != text:
        text = shorter
    text = _inner(text) or text
    line = " ".join(masked(text).split())
    return line if len(line) <= 200 else f"{line[:197]}..."


def _inner(text: str) -> str:
    """The message in a vendor's JSON error, "" where there is none."""
    found = re.search(r"(?s)\{.*\}", text)
    if not found:
        return ""
    raw = found[0]
    try:
        data = json.loads(raw)
    except ValueError:
        try:
            data = json.loads(raw.encode().decode("unicode_escape"))
        except ValueError:
            return ""
    for key in ("error", "message", "detail"):
        if isinstance(data, dict) and data.get(key):
            data = data[key]
    if isinstance(data, dict):
        data = data.get("message")
    return data if isinstance(data, str) else ""


_KEY_WORDS = re.compile(r"(?i)api[ _-]?key|x-api-key|authentication|unauthori[sz]ed|credentials")
_BROKEN_WORDS = re.compile(r"(?i)payload is not completed|incomplete chunked read|without sending")
_NETWORK_WORDS = re.compile(
    r"(?i)connection error|cannot connect|connection refused|name resolution"
)
_MONEY_WORDS = re.compile(r"(?i)insufficient|billing|credit|quota|payment")


def advice(status: int, text: str, target: Target) -> str:
    """What to do about an error that came with HTTP `status`."""
    if "no healthy deployments" in text or "Invalid model name" in text:
        return (
            "LiteLLM dropped this model at its start, or runs another configuration: "
            "`nixcfg rehearse`, then `nixcfg render` and switch."
        )
    if status in (401, 403) or (status in (400, 500) and _KEY_WORDS.search(text)):
        return _refused_key(target)
    if status == 429 and "No deployments available" in text:
        return RESTING
    if status == 402 or (status in (400, 429) and _MONEY_WORDS.search(text)):
        return "The vendor wants money or a higher limit: see your account there."
    if status == 404:
        return _retired(target)
    if status >= 500 and _BROKEN_WORDS.search(text):
        return "The vendor's answer broke off in the middle: try again."
    if status >= 500 and _NETWORK_WORDS.search(text):
        return "The gateway cannot reach the vendor: see api_base, DNS and the network."
    return _ADVICE.get(status) or _ADVICE[500 if status >= 500 else 400]


_ADVICE = {
    400: "See `nixcfg validate`, and the parameters of the deployment.",
    408: "The vendor was too slow; `timeout` in litellm_params says how long LiteLLM waits.",
    429: "Too many requests for this key: wait, or see your limits in the account there.",
    500: "The vendor's side is in trouble: try later, or give the model a fallback.",
    504: "The vendor was too slow; `timeout` in litellm_params says how long LiteLLM waits.",
}


def _refused_key(target: Target) -> str:
    if not target.key_files:
        return "The vendor refuses the key; see the deployment's api_key."
    files = " and ".join(f"{variable} in {file}" for variable, file in target.key_files)
    return f"The vendor refuses the key {files}: `nixcfg set-key {target.key_files[0][0]}`."


def _retired(target: Target) -> str:
    date = target.facts.deprecation_date if target.facts else None
    name = next(iter(target.deployments), target.name)
    prefix = name.partition("/")[0]
    when = f" (it retires on {date})" if date else ""
    return f"The vendor has no {name}{when}: `nixcfg models {prefix}/` lists those there are."
