"""Entries of nixcfg.yaml: set, added and dropped in the text; comments and order stay. Pure.

Values and sections are left to yamltext.fix, which edits at exact offsets. What it does not do is
done here by lines: a member of a list, and an entry that goes. No result is believed: each is read
back, and has to hold exactly the data that was meant.
"""

import re
from collections.abc import Mapping
from typing import Any

from nixcfg.problems.problem import START, MoveKey, SetValue, Steps
from nixcfg.yamltext import emit, fix, source
from nixcfg.yamltext.data import at, with_, without
from nixcfg.yamltext.fix import RefusedError
from nixcfg.yamltext.source import Document

_SCRATCH = "nixcfg_new_entry"
_BLANK = re.compile(r"\s*(#.*)?")


def set_scalar(document: Document, path: Steps, value: str) -> Document:
    """The document with `value` at `path`, in a mapping that is there. Raises RefusedError."""
    *above, key = path
    given = at(document.data, tuple(above))
    if key in given:
        return fix.apply(document, [SetValue(path, value)])
    entry = f"{key}: {emit.flow(value)}"
    data = with_(document.data, tuple(above), lambda _: {**given, key: value})
    lines = (document.text if above else _body(document)).splitlines(keepends=True)
    start = document.span(above)
    if above and lines[start.line - 1][start.column - 1] == "{":
        line, here = lines[start.line - 1], start.column
        lines[start.line - 1] = f"{line[:here]}{entry}{', ' if given else ''}{line[here:].lstrip()}"
    else:
        first = document.span((*above, next(iter(given))), key=True) if given else START
        indent = " " * (first.column - 1)
        lines.insert(first.line - 1, f"{indent}{entry}{_newline(document)}")
    return _read_back(document, "".join(lines), data)


def add_entry(
    document: Document, section: str, key: str, value: str | list[str] | Mapping[str, str]
) -> Document:
    """The document with `section: {key: value}`, the section made where it is missing.

    Raises RefusedError.
    """
    if key in document.data.get(section, {}):
        if isinstance(value, str):
            return fix.apply(document, [SetValue((section, key), value)])
        raise RefusedError(f"{section} has {key} already")
    # A section of its own at the end, which nixcfg.yamltext.fix then moves to where it belongs.
    end = _newline(document)
    body = _body(document)
    text = body + (end if body and not body.endswith("\n") else "")
    text += f"{_SCRATCH}:{end}  {emit.text(key)}: {emit.flow(value)}{end}"
    draft = _read_back(document, text, {**document.data, _SCRATCH: {key: value}})
    return fix.apply(draft, [MoveKey((_SCRATCH, key), section)])


def add_item(document: Document, path: Steps, item: str) -> Document:
    """The document with `item` at the end of the list of scalars at `path`. Raises RefusedError."""
    items = at(document.data, path)
    data = with_(document.data, path, lambda _: [*items, item])
    last = document.span((*path, len(items) - 1))
    lines = document.text.splitlines(keepends=True)
    line = lines[last.line - 1]
    end = last.column - 1 + last.length
    if _is_block(document, path):
        lines.insert(last.line, f"{line[: last.column - 1]}{emit.text(item)}{_newline(document)}")
    else:
        lines[last.line - 1] = f"{line[:end]}, {emit.text(item, in_flow=True)}{line[end:]}"
    return _read_back(document, "".join(lines), data)


def drop_item(document: Document, path: Steps, item: str) -> Document:
    """The document without `item` in the list of scalars at `path`. Raises RefusedError."""
    items = list(at(document.data, path))
    index = items.index(item)
    data = with_(document.data, path, lambda _: items[:index] + items[index + 1 :])
    here = document.span((*path, index))
    lines = document.text.splitlines(keepends=True)
    line = lines[here.line - 1]
    before, after = line[: here.column - 1], line[here.column - 1 + here.length :]
    if _is_block(document, path):
        del lines[here.line - 1]
    elif re.match(r"\s*,", after):
        lines[here.line - 1] = before + re.sub(r"^\s*,[ \t]*", "", after)
    else:
        lines[here.line - 1] = re.sub(r"[ \t]*,\s*$", "", before) + after
    return _read_back(document, "".join(lines), data)


def drop(document: Document, path: Steps) -> Document:
    """The document without the entry at `path`, and without a section that this empties.

    Raises RefusedError.
    """
    parent = at(document.data, path[:-1])
    if len(path) > 1 and len(parent) == 1:
        return drop(document, path[:-1])
    data = without(document.data, [path])
    start = document.span(path, key=True)
    lines = document.text.splitlines(keepends=True)
    line = lines[start.line - 1]
    if line[: start.column - 1].strip():
        return _read_back(document, _without_pair(document, path), data)
    end = start.line
    while end < len(lines) and (
        _BLANK.fullmatch(lines[end].rstrip("\r\n"))
        or _indent(lines[end]) >= start.column
        or (_indent(lines[end]) == start.column - 1 and lines[end].lstrip().startswith("- "))
    ):
        end += 1
    while end > start.line and _BLANK.fullmatch(lines[end - 1].rstrip("\r\n")):
        end -= 1  # blank lines and comments belong to what follows
    first = start.line - 1
    if first and not lines[first - 1].strip() and (end == len(lines) or not lines[end].strip()):
        first -= 1  # one blank line between its neighbours is enough
    return _read_back(document, "".join(lines[:first] + lines[end:]), data)


def _without_pair(document: Document, path: Steps) -> str:
    """The text without a pair inside { }, which stands in one line."""
    key, value = document.span(path, key=True), document.span(path)
    if key.line != value.line:
        raise RefusedError(f"{path[-1]} is written over several lines of {{ }}")
    lines = document.text.splitlines(keepends=True)
    line = lines[key.line - 1]
    end = value.column - 1 + value.length
    if line[value.column - 1] in "{[":
        end = line.index("}" if line[value.column - 1] == "{" else "]", value.column) + 1
    before, after = line[: key.column - 1], line[end:]
    if re.match(r"\s*,", after):
        after = re.sub(r"^\s*,\s*", "", after)
    else:
        before = re.sub(r"\s*,\s*$", " ", before)
    lines[key.line - 1] = before + after
    return "".join(lines)


def _read_back(before: Document, text: str, data: Any) -> Document:
    after = source.parse(text, before.name)
    if len(after.problems) > len(before.problems) or after.data != data:
        raise RefusedError("it is written in a way that nixcfg cannot edit")
    return after


def _body(document: Document) -> str:
    """The text that entries can be added to: an empty mapping `{}` would be in the way."""
    return document.text if document.data else document.text.replace("{}", "", 1).lstrip("\r\n")


def _is_block(document: Document, path: Steps) -> bool:
    """Whether a list has a line for each item."""
    span = document.span((*path, 0))
    line = document.text.splitlines()[span.line - 1]
    return line[: span.column - 1].strip() == "-"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _newline(document: Document) -> str:
    return "\r\n" if "\r\n" in document.text else "\n"
