"""Make edits in a YAML text. Pure.

An edit replaces a few characters at exact offsets and never dumps data: what it is not about stays
byte for byte as it was, comments, quoting, indentation and line ends included. (A ruamel.yaml
round trip keeps comments, but writes quotes, indentation, line ends and flow collections again.)
No result is believed: each is read back, and one that does not hold exactly the data that was
meant, or that lost a comment, is refused.
"""

import bisect
import dataclasses
import functools
import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nixcfg.problems.problem import MoveKey, RenameKey, SetValue, Steps
from nixcfg.yamltext import cut, emit, insert, reader
from nixcfg.yamltext.data import at, outermost, same, with_, without
from nixcfg.yamltext.document import BREAK, Document
from nixcfg.yamltext.edits import AddItem, AddKey, Edit, RefusedError, Remove, dotted
from nixcfg.yamltext.nodes import Node, Page, Replacement

_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+|$))*")


def apply(document: Document, edits: Iterable[Edit], *, beside: Collection[str] = ()) -> Document:
    """The document after `edits`, each of which means the document that the one before it left.

    `beside` are the sections that a new one is put next to. Raises RefusedError, with the reason,
    where the result would not be exactly what the edits ask for.
    """
    for edit in edits:
        match edit:
            case MoveKey():
                document = _move(document, edit, beside)
            case AddKey():
                document = add(document, edit, beside=beside).document
            case AddItem():
                document = _add_item(document, edit)
            case Remove():
                document = remove(document, [edit.path]).document
            case _:
                document = rewrite(document, [edit])
    return document


def put(document: Document, path: Steps, value: Any, *, is_first: bool = False) -> Document:
    """The document with `value` at `path`, over the text that is there or as an entry of its own.

    `is_first` as in AddKey. Raises RefusedError.
    """
    given = document.data
    for step in path:
        given = given.get(step) if isinstance(given, dict) else None
    is_set = isinstance(value, str) and isinstance(given, str)
    return apply(document, [SetValue(path, value) if is_set else AddKey(path, value, is_first)])


def described(edit: Edit) -> str:
    """What an edit does, in a line. Mask it before it is shown: a value may be a key."""
    name = dotted(edit.path)
    match edit:
        case SetValue():
            return f"{name}: {emit.scalar(edit.value)}"
        case RenameKey():
            return f"{name} renamed to {edit.name}"
        case MoveKey():
            return f"{name} moved to {edit.section}"
        case AddKey():
            return f"{name}: {emit.flow(edit.value)}"
        case AddItem():
            return f"{name}: {emit.flow(edit.value)} added"
        case Remove():
            return f"{name} removed"


# --- Values and names.


def rewrite(
    document: Document, edits: Sequence[SetValue | RenameKey], *, through: bool = True
) -> Document:
    """Values and names rewritten, all at once. `through`: at an alias, write to its anchor.

    What an anchor gives to several places under one name (`<<: *base`) is asked for one of them,
    and meant for all. Raises RefusedError.
    """
    page = open_page(document)
    replacements = {_rewritten(page, edit, through=through) for edit in edits}
    data = document.data
    if through:
        edits = [dataclasses.replace(e, path=path) for e in edits for path in _alike(page, e)]
    # Values first and inner names before outer ones: every path names the document as it was.
    for edit in sorted(
        dict.fromkeys(edits), key=lambda e: (isinstance(e, RenameKey), -len(e.path))
    ):
        match edit:
            case SetValue():
                data = with_(data, edit.path, functools.partial(_replaced, edit))
            case RenameKey():
                data = with_(data, edit.path[:-1], functools.partial(_renamed, edit))
    return _verified(document, page, replacements, data).document


def target(page: Page, edit: SetValue | RenameKey, *, through: bool = True) -> Node:
    """The node that an edit rewrites. Raises RefusedError."""
    place = page.place(edit.path)
    if isinstance(edit, RenameKey):
        if place.parent.kind != "map" or place.key.kind != "scalar":
            raise RefusedError("it is no key that is written out")
        return place.key
    if not through and (place.shared or not place.value.target):
        raise RefusedError("it is no alias")
    node = place.value.target if through and place.value.target else place.value
    if node.kind not in ("scalar", "alias"):
        raise RefusedError("it is not a single value")
    return node


@functools.lru_cache(maxsize=2)  # a file that is cut into many is parsed once, not once a part
def _page(text: str) -> Page:
    return Page(text)


def open_page(document: Document) -> Page:
    """The document's text with its nodes."""
    return _page(document.text)


def _replaced(edit: SetValue, _old: Any) -> Any:
    return edit.value


def _renamed(edit: RenameKey, old: Any) -> dict[str, Any]:
    if edit.name in old:
        raise RefusedError(f"{edit.name} is already there")
    return {edit.name if key == edit.path[-1] else key: value for key, value in old.items()}


def _alike(page: Page, edit: SetValue | RenameKey) -> list[Steps]:
    """The paths that lead to what an edit rewrites, under the name that the edit gives it."""
    if not page.has_aliases:
        return [edit.path]
    node, is_key = target(page, edit), isinstance(edit, RenameKey)
    return [
        path
        for path, key, value in page.paths()
        if path[-1] == edit.path[-1] and node is (key if is_key else value)
    ]


def _rewritten(page: Page, edit: SetValue | RenameKey, *, through: bool) -> Replacement:
    """A value or a name in the quotes that it had."""
    node = target(page, edit, through=through)
    value = edit.name if isinstance(edit, RenameKey) else edit.value
    old = page.text[node.start : node.end]
    properties = _PROPERTIES.match(old) if node.kind == "scalar" else None
    anchors = " ".join(p for p in (properties[0] if properties else "").split() if p[0] == "&")
    if node.is_block_scalar and "#" in BREAK.split(old)[0]:
        raise RefusedError("a comment stands in its first line")
    new = emit.scalar(value, node.style if node.style in ("'", '"') else "", in_flow=node.in_flow)
    new = f"{anchors} {new}" if anchors else new
    if node.start == node.end:  # a key without a value
        place = page.place(edit.path)
        is_bare = place.parent.kind == "map" and ":" not in page.text[place.key.end : node.end]
        new = (": " if is_bare else " ") + new
    elif page.text[node.start - 1 : node.start] == ":":
        new = " " + new
    return Replacement(node.start, node.end, new)


# --- Entries.


def _move(document: Document, edit: MoveKey, beside: Collection[str]) -> Document:
    page = open_page(document)
    place = page.place(edit.path)
    if place.shared or place.parent.kind != "map" or page.root.kind != "map":
        raise RefusedError("it stands in what an anchor shares with other places")
    if edit.path[0] == edit.section:
        raise RefusedError("it is there already")
    key = str(edit.path[-1])
    value, data = at(document.data, edit.path), without(document.data, [edit.path])
    there = data.get(edit.section)
    entry = cut.entry(page, place, value)
    if len(place.parent.entries) > 1:
        replacements = list(cut.removal(page, place.parent, [place.index]))
    elif len(edit.path) == 2:
        replacements = cut.section(page, page.root.find(str(edit.path[0])) or 0)
    else:
        raise RefusedError("it is the only entry where it stands")
    if isinstance(there, dict) and key in there:
        if not same(there[key], value):
            raise RefusedError(f"{edit.section} sets {key} to something else; keep one of them")
        if entry.comments:
            other = page.place((edit.section, key))
            replacements += insert.comment_on(page, other.key, entry.comments)
        return _verified(document, page, replacements, data).document
    is_usual = len(edit.path) == 2 and not place.parent.style
    step = page.column(place.key.start) - page.column(page.root.children[0].start)
    replacements += insert.put(
        page, (edit.section,), entry, step=step if is_usual else None, beside=beside
    )
    data[edit.section] = {**(there or {}), key: value}
    return _verified(document, page, replacements, data).document


def add(document: Document, edit: AddKey, *, beside: Collection[str] = ()) -> "Edited":
    """The document with one more entry; `beside` as for `apply`. Raises RefusedError."""
    *above, key = edit.path
    data = _with_key(document.data, edit)
    page = open_page(document)
    pair = emit.flow({key: edit.value})[1:-1]
    written = f"{emit.text(str(key))}: {_on_one_line(edit.value)}"
    entry = cut.Entry([], [written], pair, [])
    replacements = insert.put_first(page, tuple(above), entry) if edit.is_first else []
    replacements = replacements or insert.put(page, tuple(above), entry, beside=beside)
    return _verified(document, page, replacements, data)


def _on_one_line(value: Any) -> str:
    return emit.flow(value) if isinstance(value, dict | list) else emit.scalar(value)


def _with_key(data: Any, edit: AddKey) -> Any:
    parents: list[Any] = []
    for step in edit.path:
        data = {} if data is None else data
        if not isinstance(data, dict):
            raise RefusedError(f"{dotted(edit.path[: len(parents)])} is no mapping")
        parents.append(data)
        data = data.get(step)
    if edit.path[-1] in parents[-1]:
        *above, key = edit.path
        raise RefusedError(f"{dotted(above) or 'it'} has {key} already")
    data = edit.value
    for step, parent in zip(reversed(edit.path), reversed(parents), strict=True):
        data = {**parent, step: data}
    return data


def _add_item(document: Document, edit: AddItem) -> Document:
    page = open_page(document)
    data = with_(document.data, edit.path, lambda items: [*items, edit.value])
    item = cut.Entry([], emit.block([edit.value]).split("\n"), emit.flow(edit.value), [])
    replacements = insert.put_item(page, edit.path, item)
    return _verified(document, page, replacements, data).document


@dataclass(frozen=True, slots=True)
class Edited:
    """A document after an edit, and for each of its lines the one that it was, from 1; 0 if new."""

    document: Document
    origin: tuple[int, ...]


def remove(document: Document, paths: Iterable[Steps], *, header: bool = True) -> Edited:
    """A document without the values at `paths`, their comments, and collections that they empty.

    `header=False` leaves out what starts the document and is about the whole of it too. Raises
    RefusedError.
    """
    page = open_page(document)
    gone: dict[int, tuple[Node, list[int]]] = {}
    outer = outermost(document.data, paths)
    data = without(document.data, outer)
    if not data:
        raise RefusedError("nothing would be left")
    for path in outer:
        place = page.place(path)
        if place.shared:
            raise RefusedError("it stands in what an anchor shares with other places")
        gone.setdefault(id(place.parent), (place.parent, []))[1].append(place.index)
    cuts = [
        each for parent, indices in gone.values() for each in cut.removal(page, parent, indices)
    ]
    if not header:
        cuts.append(Replacement(0, page.starts[cut.end_of_header(page)]))
    return _verified(document, page, cuts, data, loses=True)


def _verified(
    document: Document,
    page: Page,
    replacements: Iterable[Replacement],
    data: Any,
    *,
    loses: bool = False,
) -> Edited:
    """The result, if it reads as `data` and keeps all comments but (`loses`) those cut away."""
    ordered = _ordered(replacements)
    pieces, begin = [], 0
    for start, end, new in ordered:
        pieces += [(begin, page.text[begin:start]), (-1, new)]
        begin = end
    pieces.append((begin, page.text[begin:]))
    text = "".join(piece for _, piece in pieces)
    if not page.has_last_break:
        text = text.removesuffix(page.newline)
    after = reader.parse(text, document.name)
    if after.data is None or len(after.problems) > len(document.problems):
        raise RefusedError("the result would not be YAML that reads as it should")
    if not same(after.data, data):
        raise RefusedError("the same text stands for other values too, or would read otherwise")
    starts = [each.start for each in ordered]
    kept = [
        comment
        for offset, comment in page.comments
        if not loses or not _is_in(ordered, bisect.bisect_right(starts, offset) - 1, offset)
    ]
    if Counter(kept) - Counter(comment for _, comment in open_page(after).comments):
        raise RefusedError("a comment would be lost")
    return Edited(after, _origin(page, pieces, text))


def _is_in(ordered: Sequence[Replacement], index: int, offset: int) -> bool:
    return index >= 0 and offset < ordered[index].end


def _ordered(replacements: Iterable[Replacement]) -> list[Replacement]:
    """In the order of the text, what is cut away twice cut away once. Raises RefusedError."""
    ordered: list[Replacement] = []
    for each in sorted(replacements):
        if not ordered or each.start >= ordered[-1].end:
            ordered.append(each)
        elif each.text or ordered[-1].text:
            raise RefusedError("it stands in the way of itself")
        else:
            ordered[-1] = Replacement(ordered[-1].start, max(each.end, ordered[-1].end))
    return ordered


def _origin(page: Page, pieces: Sequence[tuple[int, str]], text: str) -> tuple[int, ...]:
    """For each line of a text made of pieces of a page the line that it was, from 1; 0 if new."""
    ends = list(itertools.accumulate(len(piece) for _, piece in pieces))
    lines: list[int] = []
    for start in (0, *(each.end() for each in BREAK.finditer(text))):
        index = bisect.bisect_right(ends, start)
        if start < len(text) and index < len(pieces):
            offset, piece = pieces[index]
            into = start - ends[index] + len(piece)
            lines.append(page.line_of(offset + into) + 1 if offset >= 0 else 0)
    return tuple(lines)
