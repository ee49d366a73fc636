"""Values as YAML text. Every value that reaches a YAML file is written here, and only here.

PyYAML's emitter, on libyaml, takes ten times as long, and a rendering of thousands of models would
mostly wait for it. A text is plain where no reader could take it for anything else, in YAML 1.1
or 1.2; otherwise it is quoted as in JSON, on one line, which is valid anywhere.
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
_MEANS_MORE_IN_BRACKETS = re.compile(r"[,?:{}[\]]")
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


def flow(value: Any) -> str:
    """A value on one line, collections in brackets. Takes what `block` takes. Raises TypeError."""
    if isinstance(value, dict):
        return "{" + ", ".join(_pair(key, inner) for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    return scalar(value, in_flow=True)


def _pair(key: str, value: Any) -> str:
    name = text(key, in_flow=True)
    return f"{'? ' if len(name) > _LONGEST_KEY else ''}{name}: {flow(value)}"


def scalar(value: Any, quote: str = "", *, in_flow: bool = False) -> str:
    """One value on one line; of collections only empty ones.

    A text keeps `quote`, the mark that it had in the file; "" quotes it where it needs quotes.
    `in_flow` is for a place inside { } or [ ]. Raises TypeError.
    """
    match value:
        case str():
            if quote == "'" and value.isprintable():
                return "'" + value.replace("'", "''") + "'"
            return _quoted(value) if quote else text(value, in_flow=in_flow)
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
def text(value: str, *, in_flow: bool = False) -> str:
    """A text, plain or quoted as in JSON; `in_flow` as for `scalar`."""
    # (To look for a way through a megabyte of words would take a hundred of memory.)
    if len(value) > _LONGEST_PLAIN or not _PLAIN.fullmatch(value) or _WORDS.fullmatch(value):
        return _quoted(value)
    return _quoted(value) if in_flow and _MEANS_MORE_IN_BRACKETS.search(value) else value


def _quoted(value: str) -> str:
    quoted = json.dumps(value, ensure_ascii=False)
    return quoted if quoted.isprintable() else "".join(map(_escaped, quoted))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if character <= "\uffff" else f"\\U{ord(character):08x}"


def _number(value: float) -> str:
    # YAML 1.1 knows a number by its point, and infinity by its name: PyYAML's representer does.
    return str(_REPRESENTER.represent_float(value).value)
