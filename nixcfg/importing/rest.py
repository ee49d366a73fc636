"""What stays of a configuration when parts of it go elsewhere, comments and layout included. Pure.

A part that cannot be taken out where it is written (nixcfg.yamltext.editor refuses: anchors,
`- key` in one line) has its section written again, without comments; the notes say so.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from nixcfg.problems.problem import SetValue, Steps
from nixcfg.yamltext import data as data_
from nixcfg.yamltext import editor, emit, reader
from nixcfg.yamltext.document import BREAK, Document
from nixcfg.yamltext.editor import Edited
from nixcfg.yamltext.edits import AddKey, RefusedError


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a document: the text, and for each line the one of the document it was.

    `origin` holds line numbers from 1, or 0 for a line that was written again. `again` are the
    sections of which this is so, and whose comments are gone.
    """

    text: str
    data: dict[str, Any]
    origin: tuple[int, ...]
    again: tuple[str, ...] = ()


def without(document: Document, paths: Collection[Steps], *, header: bool = True) -> Rest:
    """The document without the entries at `paths`, and without the keys that this empties.

    `header=False` leaves out the comments about the whole file as well.
    """
    data = data_.without(document.data, paths)
    if not data:
        return Rest("", {}, ())
    gone = data_.outermost(document.data, paths)
    again: set[str] = set()
    left = _left(document, gone, header=header)
    if left is None:
        again = _refused(document, gone)
        gone = {path for path in gone if path[0] not in again} | {(section,) for section in again}
        left = _left(document, gone, header=header)
    if left is None:
        return _dumped(data)
    numbered = list(zip(BREAK.split(left.document.text), left.origin, strict=False))
    while numbered and not numbered[0][0].strip():
        del numbered[0]
    while numbered and not numbered[-1][0].strip():
        del numbered[-1]
    text = "".join(f"{line.rstrip()}\n" for line, _ in numbered)
    added = {section: value for section, value in data.items() if section in again}
    if added:
        text += "\n" + emit.block(added) + "\n"
    if not data_.same(reader.parse(text, document.name).data, data):
        return _dumped(data)
    origin = [number for _, number in numbered]
    new = text.count("\n") - len(origin)
    return Rest(text, data, (*origin, *(0 for _ in range(new))), tuple(added))


def with_key(rest: Rest, section: str, key: str, value: str) -> Rest:
    """The rest with an entry that it does not have, in a section that it has."""
    document = reader.parse(rest.text, "")
    try:
        edited = editor.add(document, AddKey((section, key), value))
    except RefusedError:
        return _dumped({**rest.data, section: {**(rest.data[section] or {}), key: value}})
    origin = tuple(rest.origin[number - 1] if number else 0 for number in edited.origin)
    return Rest(edited.document.text, edited.document.data, origin, rest.again)


def _refused(document: Document, gone: Collection[Steps]) -> set[str]:
    """The sections out of which some of the paths cannot be taken."""
    sections = {str(path[0]) for path in gone if len(path) > 1}
    parts = {section: [path for path in gone if path[0] == section] for section in sections}
    return {section for section, paths in parts.items() if _left(document, paths) is None}


def _left(document: Document, gone: Collection[Steps], *, header: bool = True) -> Edited | None:
    try:
        return editor.remove(document, gone, header=header)
    except RefusedError:
        return None


def _dumped(data: dict[str, Any]) -> Rest:
    text = emit.block(data) + "\n"
    return Rest(text, data, tuple(0 for _ in text.splitlines()), tuple(data))


def rewritten(document: Document, values: Mapping[Steps, str]) -> tuple[Document, bool]:
    """The document with other texts at some paths, each in its place.

    The second value says that this was not possible, and that the text was written again.
    """
    edits = [SetValue(path, value) for path, value in values.items()]
    for through in (True, False):
        try:
            return editor.rewrite(document, edits, through=through), False
        except RefusedError:
            continue
    data = document.data
    for path, value in values.items():
        data = data_.with_(data, path, lambda _, value=value: value)  # type: ignore[misc]
    return reader.parse(emit.block(data) + "\n", document.name), True
