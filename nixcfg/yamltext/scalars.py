"""What a scalar means: YAML 1.1, as PyYAML and LiteLLM read it (`yes` is True, `010` is 8)."""

import datetime as dt
import functools
import json
import re
from typing import Any

import yaml

TAG = "tag:yaml.org,2002:"
NUMBERS = {TAG + "int", TAG + "float"}
_SCALARS = {TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp")}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
RESOLVERS = LOADER.yaml_implicit_resolvers
"""By first character ("" for no text): what an unquoted scalar may be other than a text."""
_constructor = yaml.constructor.SafeConstructor()


def construct(tag: str, text: str) -> Any:
    """The value of a text with a tag. Raises YAMLError, or what PyYAML raises for a misfit."""
    if tag not in _SCALARS:
        raise yaml.YAMLError(tag)
    return _constructor.construct_object(yaml.ScalarNode(tag, text))


def is_number(text: str) -> bool:
    """Whether an unquoted text is a number."""
    resolvers = RESOLVERS.get(text[:1], ())
    return any(tag in NUMBERS and pattern.match(text) for tag, pattern in resolvers)


@functools.lru_cache(maxsize=4096)
def plain(text: str) -> tuple[Any, str]:
    """The value of an unquoted scalar, and what is odd about it ("" if nothing)."""
    for tag, pattern in RESOLVERS.get(text[:1], ()):
        if pattern.match(text) and tag in _SCALARS:
            try:
                value = construct(tag, text)
            except ValueError:  # 2024-13-45 looks like a date and is none
                return text, ""
            return value, _odd(tag, text, value)
    return text, ""


def _odd(tag: str, text: str, value: Any) -> str:
    if tag.endswith("timestamp"):
        return describe(value)
    octal = tag.endswith(":int") and re.fullmatch(r"[-+]?0[0-7_]+", text)
    sexagesimal = tag.endswith((":int", ":float")) and ":" in text
    return describe(value) if octal or sexagesimal else ""


def describe(value: Any) -> str:
    """A YAML value in words, for messages: `the number 8`, `a list`, `true`."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case dt.date():
            return f"a date ({value})"
        case str():
            shown = value if len(value) <= 40 else f"{value[:37]}..."
            return f"the text {json.dumps(shown, ensure_ascii=False)}"
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return type(value).__name__
