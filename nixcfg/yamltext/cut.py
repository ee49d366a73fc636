"""Cut entries out of a YAML text, each with its comments. Pure.

Every edit goes by one policy on comments:

- An entry (a key with its value, or an item of a list) owns the comment lines directly above it,
  with no blank line between, the comment on its own line, and those below it that are indented
  deeper than it is.
- The comments that start a document are about the whole file, also directly above its first entry.
- Any other comment, one that a blank line sets apart or that ends a section, is the section's. It
  stays where it is, and goes only with its section.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nixcfg.yamltext import emit
from nixcfg.yamltext.document import BREAK
from nixcfg.yamltext.edits import RefusedError
from nixcfg.yamltext.nodes import Node, Page, Place, Replacement, found


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry on its own: its comments, and its own lines at column 0.

    `pair` is the entry without comments as it is written in brackets (`key: value`, or an item),
    None where its value cannot be written there. `trailing` are the comments on its last line.
    """

    above: list[str]
    lines: list[str]
    pair: str | None
    trailing: list[str]

    @property
    def comments(self) -> list[str]:
        return [*self.above, *(comment for _, comment in found("\n".join(self.lines)))]


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines that an entry has for itself: its first comment above, its first, its last."""

    above: int
    first: int
    last: int


def entry(page: Page, place: Place, data: Any) -> Entry:
    """An entry whose value is `data`, as it is written. Raises RefusedError."""
    own = _own_lines(page, place)
    column = page.column(page.start(place))
    above = [page.line(number).strip() for number in range(own.above, own.first)] if own else []
    trailing = _trailing(page, place)
    if own and not place.parent.style:
        lines = [_dedented(page.line(n), column) for n in range(own.first, own.last + 1)]
    else:
        first, *others = BREAK.split(_written(page, place))
        lines = [first, *(_dedented(line, column) for line in others)]
        lines[-1] += f"  {trailing[0]}" if own and trailing else ""
    return Entry(above, lines, _pair(page, place, data), trailing)


def removal(page: Page, parent: Node, indices: Iterable[int]) -> Iterator[Replacement]:
    """What takes entries of a collection away, not all of them. Raises RefusedError."""
    gone = sorted(set(indices))
    for _, run in itertools.groupby(enumerate(gone), lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        places = [Place(parent, number, *parent.entries[number]) for number in numbers]
        if parent.style:
            yield from _from_flow(page, places)
            continue
        for each in places:
            own = _own_lines(page, each)
            if own:
                yield _whole_lines(page, each, own, is_first=not numbers[0])


def _from_flow(page: Page, run: list[Place]) -> list[Replacement]:
    """Entries in brackets that follow each other."""
    previous, _ = _around(page, run[0])
    _, following = _around(page, run[-1])
    last = run[-1].value.end
    is_last = following == run[0].parent.end - 1
    own = [_own_lines(page, place) for place in run]
    lines = [each for each in own if each]
    if len(lines) < len(run):
        gaps = [page.text[_around(page, place)[0] : place.key.start] for place in run]
        if "#" in "".join([*gaps, "" if is_last else page.text[last:following]]):
            raise RefusedError("comments stand between the entries in { }")
        start = run[0].key.start
        return [Replacement(previous, last) if is_last else Replacement(start, following)]
    cuts = [Replacement(page.starts[each.above], page.starts[each.last + 1]) for each in lines]
    if is_last and run[0].index and "," not in page.text[last:following]:
        comma = page.text.find(",", previous, run[0].key.start)  # JSON has none before the }
        if comma >= 0 and not page.text[previous:comma].strip():
            cuts.append(Replacement(comma, comma + 1))
    return cuts


def _own_lines(page: Page, place: Place) -> _Lines | None:
    """The lines that an entry takes; None where it shares one with others in brackets.

    Raises RefusedError where it shares one outside of brackets, or with a comment.
    """
    start = page.start(place)
    first = page.line_of(start)
    rest = page.after(place.value.end).strip()
    if not place.parent.style:
        if page.before(start).strip(" ") or (rest and not rest.startswith("#")):
            raise RefusedError("it shares its line with something else")
        return _Lines(comments_above(page, place), first, extent(page, place))
    previous, following = _around(page, place)
    before, after = page.text[previous:start], page.text[place.value.end : following]
    is_alone = not page.before(start).strip(" \t") and BREAK.search(before) and BREAK.search(after)
    if is_alone and re.fullmatch(r",?[ \t]*(#.*)?", rest):
        last = page.line_of(place.value.end)
        return _Lines(comments_above(page, place), first, last)
    is_last = following == place.parent.end - 1
    if "#" in (before if is_last else before + after):  # (below the last one it stays)
        raise RefusedError("comments stand between the entries in { }")
    return None


def _around(page: Page, place: Place) -> tuple[int, int]:
    """The end of what comes before an entry in brackets, and the start of what comes after."""
    parent, entries = place.parent, place.parent.entries
    previous = entries[place.index - 1][1].end if place.index else inside(page, parent)
    is_last = place.index + 1 == len(entries)
    return previous, parent.end - 1 if is_last else entries[place.index + 1][0].start


def inside(page: Page, flow: Node) -> int:
    """The offset behind the opening bracket."""
    return page.text.index(flow.style, flow.start) + 1


def extent(page: Page, place: Place) -> int:
    """The last line of an entry, with the comments after it that are deeper than it."""
    column = page.column(page.start(place))
    last = number = page.line_of(max(place.value.end, place.key.end))
    while number + 1 < page.line_count:
        number += 1
        if page.is_comment(number) and page.indent(number) > column:
            last = number
        elif not page.is_blank(number):
            break
    return last


def comments_above(page: Page, place: Place) -> int:
    """The first line of an entry, with the comment lines above that belong to it."""
    start = page.start(place)
    first, column = page.line_of(start), page.column(start)
    floor = end_of_header(page) if place.parent is page.root else 0
    floor = max(floor, _floor(page, place))
    number = first
    while number > floor and page.is_comment(number - 1) and page.indent(number - 1) <= column:
        number -= 1
    return number


def _floor(page: Page, place: Place) -> int:
    """The first line below the entry before: its last ones may look like comments, or be blank."""
    if not place.index:
        return 0
    key, value = place.parent.entries[place.index - 1]
    # Below `? key` without a value the parser puts an empty one where it finds the next key.
    return page.line_of(key.end if value.start == value.end else value.end) + 1


def end_of_header(page: Page) -> int:
    """The first line below what is about the whole file: the comments that start the document."""
    first = number = page.line_of(page.root.start)
    while number > 0 and page.is_comment(number - 1):
        number -= 1
    return first if number == 0 or page.is_end(number - 1) else number


def _whole_lines(page: Page, place: Place, own: _Lines, *, is_first: bool) -> Replacement:
    """Removes lines; of blank lines on both sides those above go too, below a title all.

    `is_first` says that no entry of the collection stays above them.
    """
    first, last = own.above, own.last
    is_end = page.is_end(last + 1)
    if is_end or page.is_blank(last + 1):
        floor = _floor(page, place)
        while first > floor and page.is_blank(first - 1):
            first -= 1
    if is_first and not is_end and first > 0 and not page.is_comment(first - 1):
        while last + 1 < page.line_count and page.is_blank(last + 1):
            last += 1
    return Replacement(page.starts[first], page.starts[last + 1])


def _dedented(line: str, column: int) -> str:
    return line[column:] if not line[:column].strip(" ") else line.lstrip(" ")


def _written(page: Page, place: Place) -> str:
    written = page.text[place.value.start : place.value.end]
    if place.parent.kind == "seq":
        return written
    name = page.text[place.key.start : place.key.end]
    return f"{name}: {written}" if written else f"{name}:"


def _trailing(page: Page, place: Place) -> list[str]:
    rest = page.after(place.value.end).lstrip(" \t,")
    return [rest] if rest.startswith("#") else []


def _pair(page: Page, place: Place, data: Any) -> str | None:
    key, value = place.key, place.value
    written = page.text[value.start : value.end]
    is_block = value.is_block_scalar or (value.kind in ("map", "seq") and not value.style)
    is_plain = value.kind == "scalar" and not value.style
    if is_block or (is_plain and set(written) & set(",[]{}")) or BREAK.search(written):
        if "#" in written or "&" in written or "*" in written:
            return None
        written = emit.flow(data)
    if place.parent.kind == "seq":
        return written or "null"
    name = page.text[key.start : key.end] if key.style else emit.text(key.value, in_flow=True)
    return f"{name}: {written or 'null'}"


def section(page: Page, index: int) -> list[Replacement]:
    """What removes a section of which the last entry moves away.

    Comments of its own stay, in lines of their own; those of the entry go with the entry.
    """
    key, value = page.root.entries[index]
    whole = Place(page.root, index, key, value)
    if page.root.style:
        written = entry(page, whole, None)
        if "#" in "".join([*written.above, *written.lines]):
            raise RefusedError("comments stand between the entries in { }")
        return list(removal(page, page.root, [index]))
    if page.before(key.start).strip(" "):
        raise RefusedError("its section shares a line with something else")
    header = page.line_of(key.start)
    inner = Place(value, 0, *value.entries[0])
    own = _own_lines(page, inner)
    if value.style:
        return [_flow_section(page, whole, own)]
    # `litellm_settings:  # comment` (an anchor there is caught when the result is read back)
    comments = found(page.text, key.end, page.starts[header + 1])
    kept = page.before(key.start) + comments[0][1] + page.newline if comments else ""
    start, end, _ = _whole_lines(page, inner, own, is_first=True) if own else (0, 0, "")
    if not kept and start == page.starts[header + 1]:
        lines = _Lines(header, header, page.line_of(end - 1))
        return [_whole_lines(page, whole, lines, is_first=False)]
    title = Replacement(page.starts[header], page.starts[header + 1], kept)
    return [title, Replacement(start, end)]


def _flow_section(page: Page, whole: Place, own: _Lines | None) -> Replacement:
    key, value = whole.key, whole.value
    header, last = page.line_of(key.start), page.line_of(value.end)
    ((_, pair),) = value.entries
    start = page.starts[own.above] if own else inside(page, value)
    end = page.starts[own.last + 1] if own else pair.end
    if "#" in page.text[inside(page, value) : start] + page.text[end : value.end]:
        raise RefusedError("comments stand between the entries in { }")
    kept = page.after(value.end).strip()
    if not kept:
        return _whole_lines(page, whole, _Lines(header, header, last), is_first=False)
    if not kept.startswith("#"):
        raise RefusedError("its section shares a line with something else")
    kept = page.before(key.start) + kept + page.newline
    return Replacement(page.starts[header], page.starts[last + 1], kept)
