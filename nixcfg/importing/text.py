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
    gone = set(paths)
    data = _pruned(document.data, (), gone)
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
        data = _with(data, path, value)
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


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down (True is not 1)."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(v, other[k]) for k, v in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and (one == other or one != one)  # noqa: PLR0124 (nan)


def _pruned(value: Any, here: Steps, gone: set[Steps]) -> Any:
    """The data without what stands at the paths in `gone`; a key that this empties joins them."""
    if isinstance(value, dict):
        left = {k: _pruned(v, (*here, k), gone) for k, v in value.items() if (*here, k) not in gone}
        gone |= {(*here, key) for key, inner in left.items() if value[key] and not inner}
        return {key: inner for key, inner in left.items() if (*here, key) not in gone}
    if isinstance(value, list):
        items = {n: _pruned(v, (*here, n), gone) for n, v in enumerate(value)}
        gone |= {(*here, n) for n, inner in items.items() if value[n] and not inner}
        return [inner for n, inner in items.items() if (*here, n) not in gone]
    return value


def _with(data: Any, path: Steps, value: str) -> Any:
    """A copy of the data with another value at `path`."""
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = _with(data[path[0]], path[1:], value)  # type: ignore[index]
    return copy


def _has_lines(document: Document, lines: list[str], path: Steps) -> bool:
    """Whether an entry starts a line of its own."""
    span = document.span(path, key=True)
    before = lines[span.line - 1][: span.column - 1].strip()
    return before == ("-" if isinstance(path[-1], int) else "")


def _extent(document: Document, lines: list[str], path: Steps) -> Iterable[int]:
    """The numbers of the lines that an entry takes, from 1, its comments above included."""
    number = document.span(path, key=True).line
    column = len(lines[number - 1]) - len(lines[number - 1].lstrip())
    is_list_under_key = isinstance(path[-1], str) and isinstance(_at(document.data, path), list)
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


def _at(data: Any, path: Steps) -> Any:
    for step in path:
        data = data[step]
    return data
