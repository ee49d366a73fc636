"""Which settings name a file that LiteLLM reads when it starts."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from learn.guarding import VARIABLE

ABSENT = "nixcfg_absent.json"
REFUSAL = re.compile(rf"(?is)(not found|no such file|does not exist).*{ABSENT}|{ABSENT}.*not exist")
# What a parameter of a guardrail that is a file is called.
_FILES = re.compile(r"_(file|path|recognizers)s?$")

Error = Callable[[str, Mapping[str, str]], str]


def found(
    texts: Iterator[tuple[str, str]], kinds: Mapping[str, Mapping[str, Any]], error: Error
) -> list[str]:
    """Paths of settings and of keys of entries.

    `texts` are configurations in which one of them is ABSENT, by its path; `kinds` the facts of
    each guardrail; `error` is that with which LiteLLM refuses a configuration where some variables
    are set, "" without one.
    """
    refused = {path for path, text in texts if REFUSAL.search(error(text, {}))}
    for path, text, variables in _of_guardrails(kinds):
        if REFUSAL.search(error(text, variables)):
            refused.add(path)
    return sorted(refused)


def settings(sections: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for section in ("litellm_settings", "general_settings", "router_settings"):
        for key in sections[section]["keys"]:
            yield f"{section}.{key}", json.dumps({**base, section: {key: ABSENT}})


def _of_guardrails(
    kinds: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each kind with what it needs, and one file."""
    from litellm.types.guardrails import LitellmParams

    named = [name for name in LitellmParams.model_fields if _FILES.search(name)]
    for kind, facts in kinds.items():
        needs = [choice[0] for choice in facts.get("needs", ())]
        variables = {name: "https://sample.test" for name in needs if VARIABLE.match(name)}
        own = {name: "https://sample.test" for name in needs if name not in variables}
        for name in named:
            params = {"guardrail": kind, "mode": "pre_call", **own, name: ABSENT}
            entry = {"guardrail_name": "sample", "litellm_params": params}
            path = f"guardrails[].litellm_params[guardrail={kind}].{name}"
            yield path, json.dumps({"model_list": [], "guardrails": [entry]}), variables
