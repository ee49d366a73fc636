"""Where someone is typing, in a text that need not be YAML yet. Pure.

A line that is being written breaks the file, so no parser can say where it is. Indentation can:
block style is read upwards from the line, flow style within the line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nixcfg.problems.problem import Steps

_LINE = re.compile(r"(?P<indent> *)(?P<dashes>(?:-(?: +|$))*)(?P<content>.*)")
_KEY = re.compile(r"""(?P<key>"[^"]*"|'[^']*'|[^\s#{\[&*!|>'"%@,:][^#{}\[\]]*?)\s*:(?:\s|$)""")
_DOLLAR = re.compile(r"\$\{[^}]*\}?")
_LOOK_BACK = 20_000
"""Lines above that are looked at."""


@dataclass(frozen=True, slots=True)
class Typed:
    """`path` is that of the value being typed, or of the mapping whose key is; `prefix` what is
    there of it, from `column` to the cursor."""

    path: Steps
    is_key: bool
    prefix: str
    column: int


@dataclass(frozen=True, slots=True)
class _Line:
    indent: int
    dashes: tuple[int, ...]
    column: int
    content: str

    @property
    def key(self) -> str | None:
        found = _KEY.match(self.content)
        return _unquoted(found["key"]) if found else None


def typed(lines: Sequence[str], line: int, column: int) -> Typed | None:
    """Where the cursor is; None in a comment."""
    text = lines[line][:column] if line < len(lines) else ""
    if re.search(r"(?:^|\s)#", _without_quoted(text)):
        return None
    here = _line(text)
    steps, segment, at, in_map = _in_flow(here.content, here.column)
    inner: list[str | int] = list(steps)
    found = _KEY.match(segment)
    if found:
        inner.append(_unquoted(found["key"]))
        prefix = segment[found.end() :].lstrip(" \"'")
        is_key = False
    else:
        prefix = segment.lstrip(" \"'")
        is_key = in_map
    outer = _above(lines, line, here)
    if not steps and not found and here.dashes and not here.content.strip():
        is_key = True  # `- ` begins an entry, which is a mapping where anything is known of it
    return Typed((*outer, *inner), is_key, prefix, at + len(segment) - len(prefix))


def beside(lines: Sequence[str], line: int, here: Typed) -> set[str]:
    """The other keys of the mapping in which a key is typed, where that is in block style."""
    column = here.column
    if lines[line][:column].strip(" -"):
        return set()
    found = set()
    above = range(line - 1, max(-1, line - _LOOK_BACK), -1)
    below = range(line + 1, min(len(lines), line + _LOOK_BACK))
    for numbers, is_above in ((above, True), (below, False)):
        if is_above and "-" in lines[line][:column]:
            continue  # its own dash begins the mapping
        for number in numbers:
            each = _meaning(lines[number])
            if each is None or each.indent > column:
                continue
            begins = bool(each.dashes) and each.column == column
            if (each.indent < column and not begins) or (begins and not is_above):
                break
            if each.key is not None and each.column == column:
                found.add(each.key)
            if begins:
                break
    return found


def _line(text: str) -> _Line:
    found = _LINE.match(text)
    assert found is not None  # noqa: S101 (the pattern matches every line)
    dashes = tuple(
        found.start("dashes") + at for at, each in enumerate(found["dashes"]) if each == "-"
    )
    content = found["content"]
    column = found.start("content")
    if dashes and not content:
        column = dashes[-1] + 2
    return _Line(len(found["indent"]), dashes, column, content)


def _above(lines: Sequence[str], number: int, here: _Line) -> Steps:
    """The path of the mapping, or of the list's item, that a line is in."""
    steps: list[str | int] = []
    column, dashes = here.column, list(here.dashes)
    at = number
    while True:
        if dashes:
            dash = dashes.pop()
            if dashes:
                steps.append(0)
                continue
            index, at = _index(lines, at, dash)
            steps.append(index)
            parent = _line(lines[at]) if at >= 0 else None
            if parent is None:
                break
            if dash in parent.dashes:  # `- - x`: the list is itself the item of one
                dashes = [each for each in parent.dashes if each < dash]
                continue
        else:
            parent, at = _parent(lines, at, column)
            if parent is None:
                break
            if parent.column == column:  # the dash with which this mapping begins
                dashes = list(parent.dashes)
                continue
        steps.append(parent.key or "")
        column, dashes = parent.column, list(parent.dashes)
    return tuple(reversed(steps))


def _parent(lines: Sequence[str], number: int, column: int) -> tuple[_Line | None, int]:
    """The line above that a mapping at a column is under, or whose dash begins it."""
    for at in range(number - 1, max(-1, number - _LOOK_BACK), -1):
        each = _meaning(lines[at])
        if each is None:
            continue
        if each.dashes and each.column == column and each.dashes[-1] < column:
            return each, at
        if each.column < column:
            return each, at
    return None, -1


def _index(lines: Sequence[str], number: int, dash: int) -> tuple[int, int]:
    """Which item of its list a dash is, and the line of the key that holds the list."""
    index = 0
    for at in range(number - 1, max(-1, number - _LOOK_BACK), -1):
        each = _meaning(lines[at])
        if each is None:
            continue
        if dash in each.dashes:
            index += 1
            if each.dashes[0] < dash:
                return index, at
        elif each.indent <= dash:
            return index, at
    return index, -1


def _meaning(text: str) -> _Line | None:
    stripped = text.strip()
    return _line(text) if stripped and not stripped.startswith("#") else None


def _in_flow(content: str, column: int) -> tuple[list[str | int], str, int, bool]:
    """In `a: {b: [c, d`: the steps to the innermost collection, what of it is typed, and where."""
    steps: list[list[str | int]] = [[]]
    kinds = ["map"]
    begin = 0
    quote = ""
    for at, character in enumerate(_DOLLAR.sub(lambda found: "_" * len(found[0]), content)):
        before = content[begin:at].strip()
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and (not before or content[at - 1] == " "):
            quote = character
        elif character in "{[" and (not before or before.endswith(":")):
            found = _KEY.match(f"{before} ")
            inner: list[str | int] = [_unquoted(found["key"])] if found else []
            steps.append(inner + ([0] if character == "[" else []))
            kinds.append("map" if character == "{" else "list")
            begin = at + 1
        elif character in "}]" and len(kinds) > 1:
            steps.pop()
            kinds.pop()
            begin = at + 1
        elif character == "," and len(kinds) > 1:
            if kinds[-1] == "list":
                steps[-1][-1] = int(steps[-1][-1]) + 1
            begin = at + 1
    segment = content[begin:]
    kept = segment.lstrip()
    start = column + begin + len(segment) - len(kept)
    return [step for each in steps for step in each], kept, start, kinds[-1] == "map"


def _without_quoted(text: str) -> str:
    return re.sub(r"""(?<!\w)(?:"[^"]*"|'[^']*')""", lambda found: "_" * len(found[0]), text)


def _unquoted(key: str) -> str:
    return key[1:-1] if key[:1] in "\"'" else key.strip()
