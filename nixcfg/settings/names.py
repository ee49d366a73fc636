"""Where files name things: models, configurations, variables, credentials. Pure.

A name is given in one place and used in others. Editors go from one to the other, and a rename
changes them all.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from nixcfg.problems.problem import Steps
from nixcfg.project.model import ENVIRONMENT, MODELS, SETTINGS
from nixcfg.project.values import dollar, referenced_at_end
from nixcfg.yamltext.data import walk
from nixcfg.yamltext.document import Document

MODEL, CONFIG, VARIABLE, CREDENTIAL = "model", "configuration", "variable", "credential"

_HOLD_MODELS = re.compile(r"model|fallback|group|alias")
"""Settings of LiteLLM that name models: fallbacks, aliases, groups, `completion_model`."""
_ACCESS = ("teams", "users", "keys")
"""Sections of nixcfg.yaml whose entries have a name of their own above their settings."""


class Name(NamedTuple):
    """A name where it is written; `is_given`: there it gets its meaning."""

    kind: str
    text: str
    path: Steps
    is_key: bool
    is_given: bool


def names_models(path: Steps) -> bool:
    """Whether a value there is a model's name as clients give it."""
    if not path:
        return False
    if path[0] == MODELS:
        in_entry = path[2:]
        is_fallback = len(in_entry) > 1 and in_entry[:2] == ("litellm_params", "fallbacks")
        return in_entry == ("model_name",) or is_fallback
    if path[0] in _ACCESS:
        path = path[1:]
    elif path[0] not in SETTINGS:
        return False
    return any(_HOLD_MODELS.search(step) for step in path[1:] if isinstance(step, str))


def is_model_key(path: Steps) -> bool:
    """Whether the key at a path is a model's name: `claude` in `fallbacks: [{claude: [gpt]}]`."""
    last = path[-1]
    return isinstance(last, str) and last != "model" and names_models(path[:-1])


def names(document: Document) -> Iterator[Name]:
    """Every name in a document. Of models also what may be one: any text where they are named."""
    for path, value in walk(document.data):
        yield from _models(path, value)
        yield from _configurations(path, value)
        yield from _variables(path, value)
        if isinstance(value, str):
            if path[-1] == "credential_name" and path[0] == "credential_list":
                yield Name(CREDENTIAL, value, path, is_key=False, is_given=True)
            elif path[-1] == "litellm_credential_name":
                yield Name(CREDENTIAL, value, path, is_key=False, is_given=False)


def given_models(document: Document) -> Iterator[tuple[str, Steps, bool]]:
    """The names that a document gives models: name, path, and whether it is the path's key."""
    for path, value in walk(document.data):
        if len(path) == 3 and path[0] == MODELS and path[2] == "model_name":
            yield str(value), path, False
        elif len(path) == 3 and path[1] == "model_group_alias" and path[0] in SETTINGS:
            yield str(path[2]), path, True
        elif path[-1] == "group_name" and path[0] in SETTINGS and path[1] == "routing_groups":
            yield str(value), path, False


def _models(path: Steps, value: Any) -> Iterator[Name]:
    last = path[-1]
    if isinstance(value, str) and names_models(path):
        is_given = (path[0] == MODELS and last == "model_name") or last == "group_name"
        yield Name(MODEL, value, path, is_key=False, is_given=is_given)
    if is_model_key(path):
        is_given = path[1] == "model_group_alias" and len(path) == 3
        yield Name(MODEL, str(last), path, is_key=True, is_given=is_given)


def _configurations(path: Steps, value: Any) -> Iterator[Name]:
    if path[0] == "profiles" and len(path) == 2:
        yield Name(CONFIG, str(path[1]), path, is_key=True, is_given=True)
    is_member = path[0] == "profiles" and len(path) == 3
    is_chosen = path[-1] == "model_config" and (len(path) == 1 or path[0] == "hosts")
    if (is_member or is_chosen) and isinstance(value, str):
        yield Name(CONFIG, value, path, is_key=False, is_given=False)


def _variables(path: Steps, value: Any) -> Iterator[Name]:
    last = path[-1]
    if isinstance(last, str):
        in_host = path[2:] if path[0] == "hosts" else path
        if len(in_host) == 2 and in_host[0] in (ENVIRONMENT, "secrets", "environment"):
            yield Name(VARIABLE, last, path, is_key=True, is_given=True)
    variable = referenced_at_end(value) or dollar(value)
    if variable:
        yield Name(VARIABLE, variable, path, is_key=False, is_given=False)
