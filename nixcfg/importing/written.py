"""Which texts of a foreign configuration are keys, written out."""

import re
from collections.abc import Iterator
from typing import Any

from nixcfg import knowledge
from nixcfg.keys.shapes import (
    has_prefix,
    is_harmless,
    looks_like_key,
    names_no_secret,
    names_secret,
    password_in_url,
)
from nixcfg.problems.problem import Steps
from nixcfg.project.credentials import credentials
from nixcfg.project.model import ENVIRONMENT, MODELS
from nixcfg.project.values import dollar
from nixcfg.yamltext.data import walk
from nixcfg.yamltext.document import Document

_DOLLAR = re.compile(r"\$\{[^}]*\}")


def names_key(variable: str) -> bool:
    """Whether an environment variable is called like one that holds a key."""
    return is_secret_field((ENVIRONMENT, variable), variable)


def is_key_for(variable: str, text: str) -> bool:
    """Whether a text is a key, as the value of an environment variable."""
    if is_reference(text):
        return False
    if password_in_url(text) or has_prefix(text.removeprefix("Bearer ")):
        return True
    return names_key(variable) and _is_no_dummy(text)


def all_texts(value: Any) -> Iterator[str]:
    """Every text in a configuration."""
    return (text for _, _, text in texts(value))


def is_reference(text: str) -> bool:
    return text.startswith(("os.environ/", "oidc/")) or dollar(text) is not None


def is_key(document: Document, path: Steps, key: str, text: str) -> bool:
    """Whether a text is a key that must not be copied."""
    if not text.strip() or is_reference(text):
        return False
    if "${" in text:
        # LiteLLM expands none of it: what is around it may be the key.
        text = _DOLLAR.sub("", text).removeprefix("Bearer ")
        return is_secret_field(path, key) and len(text) >= 8 and _is_no_dummy(text)
    if text in document.secrets():
        return True
    if password_in_url(text) or has_prefix(text.removeprefix("Bearer ")):
        return True
    if not is_secret_field(path, key):
        return False
    if path[0] == MODELS:
        params = document.data[MODELS][path[1]]["litellm_params"]
        has_own_server = any(name in params for name in ("api_base", "base_url"))
        if not has_own_server and credentials({"model": params["model"]}, (), knowledge.current()):
            return True  # the vendor's own server takes no placeholder
    return _is_no_dummy(text)


def _is_no_dummy(text: str) -> bool:
    return looks_like_key(text) or not (_is_dummy(text) or is_harmless(text))


def _is_dummy(text: str) -> bool:
    """What people write for a server of their own that wants no key: `none`, `sk-local`."""
    return text == "sk-1234" or (len(text) < 24 and not re.search(r"[0-9]", text))


def is_secret_field(path: Steps, key: str) -> bool:
    if "model_info" in path[2:3]:
        return False  # free-form: descriptions may hold anything
    section = "litellm_params" if path[0] == MODELS else str(path[0])
    known = knowledge.keys(section).get(key) if section in knowledge.sections() else None
    if known:
        return known.secret
    above = [step for step in path[1:] if isinstance(step, str)]
    return any(map(names_secret, above)) and not names_no_secret(key)


def texts(value: Any) -> Iterator[tuple[Steps, str, str]]:
    """Every text in a document with its path and the nearest key above it."""
    for path, inner in walk(value):
        if isinstance(inner, str):
            yield path, next((s for s in reversed(path) if isinstance(s, str)), ""), inner
