"""Take parts out of a YAML text, so that what stays keeps its comments and its layout. Pure.

Whole lines are taken away, never characters: an entry goes with the comments above it, up to the
comments above what follows. Nothing is believed: the rest is read back, and a text that does not
hold exactly the data that was meant (anchors, `{ }`, odd indentation) is refused.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nixcfg.problems.problem import Steps
from nixcfg.yamltext import emit, source
from nixcfg.yamltext.data import at, outermost, same, with_
from nixcfg.yamltext.data import without as data_without
from nixcfg.yamltext.source import Document

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a document: the text, and for each line the one of the document it was.

    `origin` holds line numbers from 1, or 0 for a line that was written anew. `anew` are the
    sections of which this is so, and whose comments are gone.
    """

    text: str
    data: dict[str, Any]
    origin: tuple[int, ...]
    anew: tuple[str, ...] = ()


def without(document: Document, paths: Collection[Steps], *, header: bool = True) -> Rest:
    """The document without the entries at `paths`, and without the keys that this empties.

    `header=False` leaves out what stands above the first key as well.
    """
    gone = outermost(document.data, paths)
    data = data_without(document.data, gone)
    if not data:
        return Rest("", {}, ())
    lines = _BREAK.split(document.text)
    first = _end_of_header(document, lines)
    anew = {
        str(path[0]) for path in gone if len(path) > 1 and not _has_lines(document, lines, path)
    }
    gone = {path for path in gone if path[0] not in anew} | {(section,) for section in anew}
    if not all(_has_lines(document, lines, path) for path in gone):
        return _dumped(data)
    doomed = {number for path in gone for number in _extent(document, lines, path)}
    doomed = {n for n in doomed if n >= first} if header else doomed | set(range(1, first))
    kept = _tidy(lines, [number for number in range(1, len(lines) + 1) if number not in doomed])
    text = "".join(f"{lines[number - 1].rstrip()}\n" for number in kept)
    added = {section: data[section] for section in data if section in anew}
    if added:
        text += ("\n" if text else "") + emit.block(added) + "\n"
    if not same(source.parse(text, document.name).data, data):
        return _dumped(data)
    missing = text.count("\n") - len(kept)
    return Rest(text, data, (*kept, *(0 for _ in range(missing))), tuple(added))


def _dumped(data: dict[str, Any]) -> Rest:
    text = emit.block(data) + "\n"
    return Rest(text, data, tuple(0 for _ in text.splitlines()), tuple(data))


def _tidy(lines: list[str], kept: list[int]) -> list[int]:
    """Without the blank lines that only stood around what is gone."""
    tidy: list[int] = []
    for number in kept:
        before = lines[tidy[-1] - 1].strip() if tidy else ""
        is_gap = before.endswith(":") and tidy[-1] != number - 1
        if lines[number - 1].strip() or (before and not is_gap):
            tidy.append(number)
    while tidy and not lines[tidy[-1] - 1].strip():
        tidy.pop()
    return tidy


def rewritten(document: Document, values: Mapping[Steps, str]) -> tuple[Document, bool]:
    """The document with other texts at some paths, each in its place.

    The second value says that this was not possible, and that the text was written anew.
    """
    data = document.data
    for path, value in values.items():
        data = with_(data, path, lambda _, value=value: value)  # type: ignore[misc]
    lines = _BREAK.split(document.text)
    for quote in ("", '"'):
        changed = list(lines)
        spans = {document.span(path): value for path, value in values.items()}
        for (number, column, length), value in sorted(spans.items(), reverse=True):
            line = changed[number - 1]
            mark = quote or (line[column - 1] if line[column - 1] in "\"'" else "")
            new = f"{mark}{value}{mark}"
            changed[number - 1] = line[: column - 1] + new + line[column - 1 + length :]
        result = source.parse("\n".join(changed), document.name)
        if same(result.data, data):
            return result, False
    return source.parse(emit.block(data) + "\n", document.name), True


def _has_lines(document: Document, lines: list[str], path: Steps) -> bool:
    """Whether an entry starts a line of its own."""
    span = document.span(path, key=True)
    before = lines[span.line - 1][: span.column - 1].strip()
    return before == ("-" if isinstance(path[-1], int) else "")


def _extent(document: Document, lines: list[str], path: Steps) -> Iterable[int]:
    """The numbers of the lines that an entry takes, from 1, its comments above included."""
    number = document.span(path, key=True).line
    column = len(lines[number - 1]) - len(lines[number - 1].lstrip())
    is_list_under_key = isinstance(path[-1], str) and isinstance(at(document.data, path), list)
    end = number + 1
    while end <= len(lines):
        line = lines[end - 1]
        indent = len(line) - len(line.lstrip())
        deeper = indent > column or (is_list_under_key and line.lstrip().startswith("-"))
        if _is_code(line) and not (deeper and indent >= column):
            break
        end += 1
    if end <= len(lines):
        end = _above(lines, end)
    return range(_above(lines, number), max(end, number + 1))


def _above(lines: list[str], number: int) -> int:
    """The first line of the comments that lead up to line `number`."""
    last = number
    line = lines[number - 1]
    indent = len(line) - len(line.lstrip())
    while number > 1:
        line = lines[number - 2]
        if _is_code(line) or (len(line) - len(line.lstrip()) > indent and line.strip()):
            break
        number -= 1
    return next(n for n in range(number, last + 1) if lines[n - 1].strip())


def _end_of_header(document: Document, lines: list[str]) -> int:
    """The first line that is about the first key; comments before it are about the whole file."""
    key = min(document.span((key,), key=True).line for key in document.data)
    number = key
    while number > 1 and lines[number - 2].strip():
        number -= 1
    return number if number > 1 else key


def _is_code(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")
