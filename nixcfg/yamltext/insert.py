"""Put entries and items into a YAML text, each where nothing else changes. Pure."""

import itertools
import re
from collections.abc import Collection, Sequence

from nixcfg.problems.problem import Steps
from nixcfg.yamltext import emit
from nixcfg.yamltext.cut import Entry, comments_above, extent, inside
from nixcfg.yamltext.edits import RefusedError, dotted
from nixcfg.yamltext.nodes import Node, Page, Place, Replacement

_NULLS = ("", "~", "null", "Null", "NULL")


def put(
    page: Page, path: Steps, entry: Entry, *, step: int | None = None, beside: Collection[str] = ()
) -> list[Replacement]:
    """Writes an entry as the last one of the mapping at `path`, which is made where it is missing.

    `step` is how much deeper than its parent an entry is, where no other entry shows it; None for
    what is usual in the file. A new section comes after the last of those in `beside`, or last of
    all. Raises RefusedError.
    """
    step = _usual_step(page) if step is None else step
    place, missing = _deepest(page, path)
    for name in reversed(missing):
        entry = _wrapped(page.root, str(name), entry, step)
    if place is None:
        return _into_root(page, entry, beside)
    key, value = place.key, place.value
    if place.shared or value.target:
        raise RefusedError("it stands in what an anchor shares with other places")
    if value.kind == "map" and value.style and (value.children or page.root.style):
        return _into_flow(page, value, key, entry)
    if value.kind == "map" and value.children:
        return [_after_last(page, value, entry, dotted(path))]
    written = page.text[value.start : value.end]
    is_empty = value.kind == "map" and re.fullmatch(r"\{\s*\}", written)
    if page.root.style or not (is_empty or (value.kind == "scalar" and written in _NULLS)):
        raise RefusedError(f"{dotted(path)} is no mapping that is written out")
    start = key.end + len(page.text[key.end : value.start].rstrip())
    lines = _block(page, entry, page.column(key.start) + step)
    return [Replacement(start, value.end), _below(page, page.line_of(value.end), lines)]


def put_first(page: Page, path: Steps, entry: Entry) -> list[Replacement]:
    """Writes an entry as the first one of the mapping at `path`; nothing, if none is there.

    Raises RefusedError.
    """
    place, missing = _deepest(page, path)
    parent = place.value if place else page.root
    if missing or parent.kind != "map" or (place and place.shared):
        return []
    if not parent.children:  # `{}`; a whole file of that kind gets lines
        at = inside(page, parent)
        return [Replacement(at, at, entry.pair or "")] if place else []
    first = Place(parent, 0, *parent.entries[0])
    margin = page.before(first.key.start)
    if not margin.strip(" \t"):
        lines = [f"{entry.pair},"] if parent.style else entry.lines
        at = page.starts[comments_above(page, first)]
        return [Replacement(at, at, "".join(margin + line + page.newline for line in lines))]
    if not parent.style:
        raise RefusedError(f"{dotted(path)} does not stand in lines of its own")
    return [Replacement(first.key.start, first.key.start, f"{entry.pair}, ")]


def put_item(page: Page, path: Steps, item: Entry) -> list[Replacement]:
    """Writes an item as the last one of the list at `path`. Raises RefusedError."""
    place = page.place(path)
    items = place.value
    if items.kind != "seq" or place.shared:
        raise RefusedError(f"{dotted(path)} is no list that is written out")
    if items.style:
        return _into_flow(page, items, place.key, item)
    added = _after_last(page, items, item, dotted(path))
    if len(items.children) > 1 and len(item.lines) > 1:
        above = _heading(page, page.line_of(items.children[-1].start)) - 1
        if page.is_blank(above):  # as the others are set apart
            added = added._replace(text=page.newline + added.text)
    return [added]


def _deepest(page: Page, path: Steps) -> tuple[Place | None, Steps]:
    """The mapping on the way that is there, None for the root, and what is missing below it."""
    for end in range(len(path), 0, -1):
        try:
            return page.place(path[:end]), path[end:]
        except RefusedError:
            continue
    return None, path


def _wrapped(root: Node, key: str, entry: Entry, step: int) -> Entry:
    """An entry as the only one of a new mapping."""
    name = emit.text(key)
    if root.style:
        if entry.above or entry.trailing:
            raise RefusedError("the file is written in { } and has comments")
        quote = root.children[-2].style if root.children else ""
        name = emit.scalar(key, quote, in_flow=True)
    lines = [f"{name}:", *(" " * step + line if line else "" for line in entry.above + entry.lines)]
    pair = None if entry.pair is None else f"{name}: {{{entry.pair}}}"
    return Entry([], lines, pair, entry.trailing)


def _usual_step(page: Page) -> int:
    for key, value in page.root.entries:
        if value.kind == "map" and not value.style:
            return page.column(value.children[0].start) - page.column(key.start)
    return 2


def _into_root(page: Page, entry: Entry, beside: Collection[str]) -> list[Replacement]:
    pairs = page.root.entries
    if page.root.kind != "map":
        raise RefusedError("the file is no mapping")
    if not pairs:
        lines = page.newline.join([*entry.above, *entry.lines])
        return [Replacement(page.root.start, page.root.end, lines)]
    if page.root.style:
        return _into_flow(page, page.root, pairs[0][0], entry)
    if page.before(pairs[0][0].start).strip(" "):
        raise RefusedError("the file does not start its sections in lines of their own")
    lines = _block(page, entry, page.column(pairs[0][0].start))
    singles = list(itertools.takewhile(lambda pair: pair[1].kind == "scalar", pairs))
    if singles and len(entry.lines) == 1:
        index = len(singles) - 1  # among the values that lead the file
        return [_below(page, extent(page, Place(page.root, index, *pairs[index])), lines)]
    homes = [number for number, (key, _) in enumerate(pairs) if key.value in beside]
    index = homes[-1] if homes else len(pairs) - 1
    last = extent(page, Place(page.root, index, *pairs[index]))
    starts = [page.line_of(each.start) for each, _ in pairs[1:]]
    is_spaced = any(page.is_blank(_heading(page, number) - 1) for number in starts)
    if index == len(pairs) - 1:
        while not page.is_end(last + 1) and page.is_comment(last + 1):
            last, is_spaced = last + 1, True  # or it would be taken for a comment of the section
    return [_below(page, last, (page.newline if is_spaced else "") + lines)]


def _heading(page: Page, number: int) -> int:
    while number > 0 and page.is_comment(number - 1):
        number -= 1
    return number


def _after_last(page: Page, parent: Node, entry: Entry, name: str) -> Replacement:
    """Below the last entry of a collection in lines."""
    index = len(parent.entries) - 1
    place = Place(parent, index, *parent.entries[index])
    start = page.start(place)
    if page.before(start).strip(" "):
        raise RefusedError(f"{name} does not stand in lines of its own")
    return _below(page, extent(page, place), _block(page, entry, page.column(start)))


def _below(page: Page, number: int, text: str) -> Replacement:
    at = page.starts[number + 1]
    return Replacement(at, at, text)


def _block(page: Page, entry: Entry, column: int) -> str:
    lines = [*entry.above, *entry.lines]
    return "".join((" " * column + line if line else "") + page.newline for line in lines)


def _into_flow(page: Page, flow: Node, key: Node, entry: Entry) -> list[Replacement]:
    """As the last entry in brackets. `key` is that of the collection, for comments above it."""
    if entry.pair is None:
        raise RefusedError("the section is written in { }, its value is not")
    pair, at = entry.pair, inside(page, flow)
    cuts = [Replacement(at, at, pair)]
    if flow.children:
        last = flow.children[-1]
        first = last if flow.kind == "seq" else flow.children[-2]
        at = last.end
        rest = page.after(at)
        comma = "," if rest.lstrip()[:1] == "," else ""
        if not page.before(first.start).strip(" \t") and re.fullmatch(r"\s*,?\s*(#.*)?", rest):
            margin = page.before(first.start)
            written = [*entry.above, pair + comma]
            written[-1] += "".join(f"  {comment}" for comment in entry.trailing)
            text = "".join(margin + each + page.newline for each in written)
            missing = [] if comma else [Replacement(at, at, ",")]
            return [*missing, _below(page, page.line_of(at), text)]
        cuts = [Replacement(at, at, f", {pair}")]
    comments = [*entry.above, *entry.trailing]
    return [*cuts, *comment_on(page, key, comments)] if comments else cuts


def comment_on(page: Page, key: Node, comments: Sequence[str]) -> list[Replacement]:
    """Writes comment lines above an entry that is already there."""
    if page.before(key.start).strip(" "):
        # Inside { }: above the section.
        key = next((k for k, v in page.root.entries if v.start <= key.start <= v.end), key)
    if page.before(key.start).strip(" "):
        raise RefusedError("there is no line for its comments")
    start = page.starts[page.line_of(key.start)]
    column = " " * page.column(key.start)
    text = "".join(column + each + page.newline for each in comments)
    return [Replacement(start, start, text)]
