"""Block YAML. Every value that reaches a YAML file is written here.

PyYAML's emitter, on libyaml, takes ten times as long, and a rendering of thousands of models would
mostly wait for it. A text is plain where nobody could read it as anything else, in YAML 1.1 or
1.2, and else quoted as in JSON, on one line: that is valid in every place, whatever stands around
it.
"""

import datetime as dt
import functools
import json
import re
from typing import Any

import yaml

_HARMLESS = r"[\w./@+=()*,;!?&%$<>|~^-]"
_PLAIN = re.compile(
    rf"[A-Za-z_/]{_HARMLESS}*(?:(?:[ ]+|:){_HARMLESS}+)*|\$\{{[A-Za-z_]\w*\}}", re.ASCII
)
_CONSTANTS = {None: "null", True: "true", False: "false"}
_WORDS = re.compile(r"(?i:y|n|yes|no|on|off|true|false|null)")
"""What some YAML reader takes for a truth, or for nothing."""
_REPRESENTER = yaml.representer.SafeRepresenter()
_LONGEST_PLAIN = 10_000
_LONGEST_KEY = 1000
"""A reader looks 1,024 characters ahead for the colon."""


def block(data: Any) -> str:
    """Block YAML in the order of the data, which `yaml.safe_load` reads back unchanged.

    `data` is what a YAML file can hold: mappings with texts for keys, lists, texts, numbers,
    truths, dates and None. There is no newline at the end. Raises TypeError for anything else.
    """
    lines: list[str] = []
    _put(data, "", "", lines)
    return "\n".join(lines)


def _put(value: Any, lead: str, pad: str, lines: list[str]) -> None:
    """Write a value whose first line begins with `lead`, and each other one with `pad`."""
    if value and isinstance(value, dict):
        for key, inner in value.items():
            _entry(key, inner, lead, pad, lines)
            lead = pad
    elif value and isinstance(value, list | tuple):
        for item in value:
            _put(item, f"{lead}- ", f"{pad}  ", lines)
            lead = pad
    else:
        lines.append(lead + scalar(value))


def _entry(key: str, value: Any, lead: str, pad: str, lines: list[str]) -> None:
    name = text(key)
    if len(name) > _LONGEST_KEY:
        lines.append(f"{lead}? {name}")
        _put(value, f"{pad}: ", f"{pad}  ", lines)
    elif isinstance(value, str):
        lines.append(f"{lead}{name}: {text(value)}")
    elif value and isinstance(value, dict):
        lines.append(f"{lead}{name}:")
        _put(value, f"{pad}  ", f"{pad}  ", lines)
    elif value and isinstance(value, list | tuple):
        lines.append(f"{lead}{name}:")
        _put(value, pad, pad, lines)
    else:
        lines.append(f"{lead}{name}: {scalar(value)}")


def scalar(value: Any) -> str:
    """One value on one line; of collections only empty ones. Raises TypeError."""
    match value:
        case str():
            return text(value)
        case None | bool():
            return _CONSTANTS[value]
        case int():
            return str(value)
        case float():
            return _number(value)
        case dt.date():
            return str(value)
        case dict() if not value:
            return "{}"
        case list() | tuple() if not value:
            return "[]"
    raise TypeError(f"no YAML for {type(value).__name__}")


@functools.lru_cache(maxsize=4096)
def text(value: str) -> str:
    """A text, plain or quoted as in JSON."""
    # (To look for a way through a megabyte of words would take a hundred of memory.)
    if len(value) <= _LONGEST_PLAIN and _PLAIN.fullmatch(value) and not _WORDS.fullmatch(value):
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return quoted if quoted.isprintable() else "".join(map(_escaped, quoted))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if character <= "\uffff" else f"\\U{ord(character):08x}"


def _number(value: float) -> str:
    # YAML 1.1 knows a number by its point, and infinity by its name: PyYAML's representer does.
    return str(_REPRESENTER.represent_float(value).value)
