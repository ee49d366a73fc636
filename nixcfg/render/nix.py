"""Nix literals. Every value that reaches a .nix file is written here.

Control characters other than newline, carriage return and tab have no escape in Nix; the reader
refuses them (NX007), so they cannot arrive here from a project.
"""

import json
import re
from collections.abc import Mapping, Sequence

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_'-]*")
_RESERVED = {"assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with"}


class Expression(str):
    """Text that is Nix already."""

    __slots__ = ()


Value = str | bool | int | None | Sequence["Value"] | Mapping[str, "Value"]


def literal(value: Value) -> Expression:
    """The Nix expression of a value: str, bool, int, None, and lists and mappings of them.

    Raises TypeError for anything else, and ValueError for a control character.
    """
    match value:
        case Expression():
            return value
        case str():
            return Expression(_string(value))
        case None:
            return Expression("null")
        case bool():
            return Expression("true" if value else "false")
        case int():
            return Expression(str(value) if value >= 0 else f"({value})")
        case Mapping():
            inner = "".join(f"{attribute(k)} = {literal(v)}; " for k, v in value.items())
            return Expression(f"{{ {inner}}}")
        case Sequence():
            return Expression(f"[ {''.join(f'{literal(item)} ' for item in value)}]")
    raise TypeError(f"no Nix literal for {type(value).__name__}")


def attribute(name: str) -> Expression:
    """An attribute name, quoted where Nix would read it as something else."""
    bare = _BARE.fullmatch(name) and name not in _RESERVED
    return Expression(name if bare else _string(name))


def _string(text: str) -> str:
    # JSON escapes quote, backslash, newline, tab and return as Nix does; `$` is all that is left.
    quoted = json.dumps(text, ensure_ascii=False)
    if re.search(r"\\[bfu]", quoted.replace("\\\\", "")):
        raise ValueError("Nix has no escape for this control character")
    return quoted.replace("$", "\\$")
