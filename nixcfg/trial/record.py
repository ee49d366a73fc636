"""Cases out of what a running gateway answers: one request to each model, and what came of it."""

import http.client
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nixcfg.gateway.client import Gateway
from nixcfg.trial.ask import ask
from nixcfg.trial.case import Step
from nixcfg.trial.judge import Answered
from nixcfg.yamltext import emit

PROMPT = "Say hello in one word."
"""What each model is asked unless a person says otherwise: no user's prompt gets into a case."""
_ID = "x-litellm-model-id"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a model answered to a prompt. `group` is the model whose deployment it was, "" where
    the gateway does not say; another one than was asked for is a fallback."""

    model: str
    answered: Answered
    group: str
    prompt: str = PROMPT

    @property
    def is_good(self) -> bool:
        return self.answered.status == 200 and self.answered.is_complete


def record(gateway: Gateway, models: Iterable[str], prompt: str = PROMPT) -> Iterator[Recorded]:
    """Ask each of these models once. What goes wrong is an answer too."""
    groups = _groups(gateway)
    for name in models:
        answered = ask(gateway, Step({"model": name, "prompt": prompt}, {}, 1, ()))
        yield Recorded(name, answered, groups.get(answered.headers.get(_ID, ""), ""), prompt)


def _groups(gateway: Gateway) -> dict[str, str]:
    """The name that clients use by the id of a deployment; {} where the key does not open that."""
    try:
        data = gateway.get("/model/info", 30).json()
    except (OSError, http.client.HTTPException):
        return {}
    entries = data.get("data") if isinstance(data, dict) else None
    return {
        str((each.get("model_info") or {}).get("id")): str(each.get("model_name"))
        for each in (entries if isinstance(entries, list) else ())
    }


def text(found: Sequence[Recorded], deployments: Mapping[str, Sequence[str]], heading: str) -> str:
    """The text of a file of cases. `deployments` are by model those of the sources. Pure."""
    cases = [_case(each, deployments) for each in found if each.is_good]
    lines = [f"# {line}\n" for line in heading.splitlines()]
    return "".join(lines) + emit.block({"cases": cases}) + "\n"


def _case(each: Recorded, deployments: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Of an answer what stays true on stand-ins: neither its words nor its tokens."""
    is_known = each.group in deployments
    group = each.group if is_known else each.model
    is_fallback = group != each.model
    behind = dict.fromkeys(deployments[group])
    expect: dict[str, Any] = {"status": each.answered.status}
    if is_known and len(behind) == 1:  # of several, LiteLLM takes any
        expect["answered_by"] = next(iter(behind))
    failing = [model for model in dict.fromkeys(deployments[each.model]) if model not in behind]
    return {
        "name": f"{group} takes over from {each.model}" if is_fallback else f"{each.model} answers",
        # With which status a vendor failed, the gateway does not say.
        **({"vendors": {model: {"status": 503} for model in failing}} if is_fallback else {}),
        "request": {"model": each.model, "prompt": each.prompt},
        "expect": expect,
    }
