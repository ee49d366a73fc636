"""Random edits to texts that are full of traps: made exactly, taken back exactly, or refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from nixcfg.problems.problem import Steps
from nixcfg.yamltext import data, document, editor, reader
from nixcfg.yamltext.edits import AddItem, AddKey, Edit, RefusedError, Remove
from nixcfg.yamltext.nodes import Page

pytestmark = pytest.mark.slow

TEXTS = [
    path.read_bytes().decode("utf-8-sig")
    for path in sorted(Path(__file__).parents[1].glob("fix/cases/*/*.yaml"))
]
PIECES = ["", "\n", "\r\n", " ", "#", " # c", "\t# c", "\n# c\n", "*n", "&n ", "{", "}", "[", "]"]
PIECES += [": ", "'", ",", "- ", "---\n", "...\n", "  # c\n", "\n\n"]

many = settings(
    max_examples=1500,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    derandomize=True,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab:#,{} '\"\n", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab,: "), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A golden text, mostly with a few pieces of it replaced."""
    text = draw(st.sampled_from(TEXTS))
    if draw(st.booleans()):
        text = text.replace("\r\n", "\n").replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    for _ in range(draw(st.integers(0, 3))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 4))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + length :]
    return text


def collections(value: Any, kind: type) -> Iterator[Steps]:
    """The paths of those that hold something; taking the last entry away takes them with it."""
    yield from (path for path, each in data.walk(value) if isinstance(each, kind) and each)


def undo(document: document.Document, edit: AddKey | AddItem) -> Edit:
    if isinstance(edit, AddKey):
        return Remove(edit.path)
    return Remove((*edit.path, len(data.at(document.data, edit.path))))


@many
@given(st.data(), texts())
def test_what_is_added_can_be_taken_away(drawn: st.DataObject, text: str):
    """Byte for byte, wherever it was added."""
    before = reader.parse(text, "x")
    if not isinstance(before.data, dict) or not before.data:
        return
    value = drawn.draw(VALUES)
    edits: list[AddKey | AddItem] = [AddKey(("new",), value), AddKey(("new", "inner"), value)]
    for path in ((), *collections(before.data, dict)):
        edits += [AddKey((*path, "new"), value), AddKey((*path, "new"), value, is_first=True)]
    edits += [AddItem(path, value) for path in collections(before.data, list)]
    edit = drawn.draw(st.sampled_from(edits))
    try:
        after = editor.apply(before, [edit])
    except RefusedError as error:
        event(f"not added: {error}")
        return
    assert data.at(after.data, edit.path) == (
        value if isinstance(edit, AddKey) else [*data.at(before.data, edit.path), value]
    )
    event("added")
    again = editor.apply(after, [undo(before, edit)])
    assert again.text == text.removeprefix("\ufeff")


@many
@given(st.data(), texts())
def test_what_is_removed_takes_nothing_else_along(drawn: st.DataObject, text: str):
    before = reader.parse(text, "x")
    if not isinstance(before.data, dict | list) or not before.data:
        return
    paths = drawn.draw(
        st.lists(st.sampled_from([path for path, _ in data.walk(before.data)]), max_size=4)
    )
    try:
        removed = editor.remove(before, paths)
    except RefusedError as error:
        event(f"not removed: {error}")
        return
    event("removed")
    after = removed.document
    assert data.same(after.data, data.without(before.data, paths))
    # Every line that is left was there, and in this order.
    old, new = Page(before.text), Page(after.text)
    numbers = [number - 1 for number in removed.origin]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == new.line_count
    for line, number in enumerate(numbers):
        if new.line(line) != old.line(number):
            assert "{" in before.text or "[" in before.text  # taken out of the middle of a line
