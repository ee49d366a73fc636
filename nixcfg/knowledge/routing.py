"""Which provider LiteLLM finds for a model name, by the rules of one release."""

import re
from collections.abc import Callable, Container, Mapping
from typing import Any
from urllib.parse import urlsplit


def split(  # noqa: C901 - one branch a step, in the order of LiteLLM's own
    model: str,
    declared_provider: str | None,
    api_base: str | None,
    *,
    rules: Mapping[str, Any],
    prefixes: Container[str],
    bare: Callable[[], Mapping[str, str]],
) -> tuple[str | None, str]:
    """Provider and bare name, as litellm.get_llm_provider finds them.

    `rules` is `routing` of litellm.json, `prefixes` the names of providers; `bare` gives the names
    that need no prefix, and is only called for a name that has none.
    """
    moved = rules["renamed"].get(model)
    if moved is not None and model.split("/", maxsplit=1)[0] in rules["renamed_in_name_only"]:
        return moved[0], moved[1]  # looked at before the declared provider is
    if declared_provider and model.split("/", maxsplit=1)[0] != declared_provider:
        model = f"{declared_provider}/{model}"
        declared = declared_provider in rules["renamed_in_name_only"]
    else:
        declared = False
    moved = rules["renamed"].get(model)
    if moved is not None and not declared:
        return moved[0], moved[1]
    prefix, slash, rest = model.partition("/")
    if slash and prefix in prefixes:
        if prefix == declared_provider and prefix in rules["keeps_own_prefix"]:
            return prefix, rest if "/" in rest else model
        if prefix in rules["shapes"] and not re.fullmatch(rules["shapes"][prefix], model):
            return None, model
        region, _, behind = rest.partition("/")
        if prefix in rules["drops_region"] and region in rules["regions"]:
            rest = behind or rest
        return prefix, model if prefix in rules["keeps_prefix"] else rest
    if model in prefixes:
        return None, model  # LiteLLM looks for the part behind the slash and fails
    if api_base:
        for endpoint, name in rules["endpoints"]:
            if _is_endpoint(api_base, endpoint):
                return (None if name is None else str(name)), model
    return _of_bare(model, rules, bare()) or declared_provider, model


def _is_endpoint(api_base: str, endpoint: str) -> bool:
    """Same host, and the endpoint's path is the start of the base's."""
    wanted = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
    given = urlsplit(api_base if "://" in api_base else f"https://{api_base}")
    path = wanted.path.rstrip("/")
    return given.hostname == wanted.hostname and (given.path.rstrip("/") + "/").startswith(
        path + "/"
    )


def _of_bare(model: str, rules: Mapping[str, Any], bare: Mapping[str, str]) -> str | None:
    known = bare.get(model)
    if known is not None:
        return known
    for pattern, name in rules["patterns"]:
        if re.search(pattern, model):
            return str(name)
    return None
