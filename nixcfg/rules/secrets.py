"""Secrets: named, wired to one file each, and never written out."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nixcfg import knowledge, wiring
from nixcfg.model import ENVIRONMENT, MODELS, Project
from nixcfg.problem import Problem, Rule, Severity, Steps
from nixcfg.source import Document

DOLLAR = Rule("NX301", Severity.WARNING, "LiteLLM does not expand ${VARIABLE}")
LITERAL = Rule("NX302", Severity.ERROR, "a key is written out in a file")
ONE_FILE = Rule("NX303", Severity.ERROR, "two variables read one key file")
TWICE = Rule("NX304", Severity.ERROR, "a variable is both a secret and plain environment")
UNUSED = Rule("NX305", Severity.WARNING, "nothing uses a secret")

# Letters and digits without a break; dummies for local servers (`none`, `sk-1234`) are shorter.
_KEY = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9])[^\s{}$]{20,}")


def check(document: Document) -> Iterator[Problem]:
    """Secrets in one provider file."""
    for path, key, value in _strings(document.data, ()):
        declares = path[0] == ENVIRONMENT and key == wiring.dollar(value)
        variable = wiring.dollar(value)
        if variable and not declares:
            yield document.problem(
                DOLLAR,
                path,
                f"LiteLLM would send the text {value} as it stands",
                help=f"Write {wiring.reference(variable)}; nixcfg renders it so.",
            )
        elif _is_secret(path, key) and looks_like_key(value):
            yield document.problem(
                LITERAL,
                path,
                f"the key in {key} would be world-readable in the Nix store",
                help=f"Write os.environ/NAME here, keep the key in a file, and replace the key "
                f"with its vendor: it has been in {document.name}.",
            )


def across(project: Project) -> Iterator[Problem]:
    """Secrets over all files."""
    document = project.document
    given = document.data.get("secrets", {})
    for name in given:
        if name in project.environment:
            yield document.problem(
                TWICE,
                ("environment", name),
                f"{name} is also under secrets",
                help="Keep it in one of the two.",
                key=True,
                related=[document.related(("secrets", name), "the secret")],
            )
        elif name not in project.key_files:
            yield document.problem(
                UNUSED,
                ("secrets", name),
                f"no provider uses {name}",
                help="Declare it in a provider's environment_variables, or remove it.",
                key=True,
            )
    first_with: dict[str, str] = {}
    for key in project.key_files.values():
        first = first_with.setdefault(key.file, key.variable)
        if first != key.variable:
            yield document.problem(
                ONE_FILE,
                ("secrets", key.variable if key.variable in given else first),
                f"{first} and {key.variable} would both be read from {key.file}",
                help="Give one of them a file of its own under secrets.",
            )
    for name, value in project.environment.items():
        if looks_like_key(value) and _names_secret(name):
            yield document.problem(
                LITERAL,
                ("environment", name),
                f"the key in {name} would be world-readable in the Nix store",
                help="Remove it here and keep it in a key file; see `secrets`.",
            )


def looks_like_key(value: str) -> bool:
    """Whether a text has the shape of a real key. The text itself goes into no message."""
    return not wiring.referenced(value) and bool(_KEY.fullmatch(value))


def _is_secret(path: Steps, key: str) -> bool:
    section = "litellm_params" if path[0] == MODELS else str(path[0])
    if section == ENVIRONMENT:
        return _names_secret(key)
    known = knowledge.keys(section).get(key) if section in knowledge.sections() else None
    return known.secret if known else _names_secret(key)


def _names_secret(name: str) -> bool:
    words = re.split(r"[_-]", name.lower())
    if "public" in words:
        return False
    return any(word in ("key", "token", "secret", "password", "apikey") for word in words)


def _strings(value: Any, path: Steps) -> Iterator[tuple[Steps, str, str]]:
    """Every text in mappings, with its path and its key."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, str):
                yield (*path, key), key, inner
            else:
                yield from _strings(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings(inner, (*path, index))
