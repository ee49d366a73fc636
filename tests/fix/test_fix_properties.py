"""Random configurations with planted mistakes: fixed as meant, and untouched everywhere else.

What a result has to be is worked out in expected.py, without nixcfg.yamltext.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from expected import LOADER, alike, exact, loads, wanted
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nixcfg import fixing
from nixcfg.problems.problem import (
    START,
    Fix,
    MoveKey,
    Problem,
    RenameKey,
    Rule,
    SetValue,
    Severity,
    Steps,
)
from nixcfg.yamltext import editor, reader
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import Edit, RefusedError

NAME = "config.yaml"
RULE = Rule("NX999", Severity.WARNING)
TEXTS = sorted(Path(__file__).parent.glob("cases/*/*.yaml"))

many = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def problem(edit: Edit) -> Problem:
    return Problem(RULE, NAME, START, "planted", fix=Fix((edit,)))


def planted(document: Document) -> Iterator[Problem]:
    """`r_` keys belong into router_settings, `n_` values are numbers, `_typo` goes."""

    def walk(value: Any, path: Steps) -> Iterator[Edit]:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            here = (*path, key)
            if isinstance(inner, dict | list):
                yield from walk(inner, here)
            if not isinstance(key, str):
                continue
            if key.startswith("n_") and isinstance(inner, str) and inner.isdigit():
                yield SetValue(here, int(inner))
            if key.endswith("_typo"):
                yield RenameKey(here, key.removesuffix("_typo"))
            if key.startswith("r_") and len(here) == 2 and here[0] != "router_settings":
                yield MoveKey(here, "router_settings")

    yield from map(problem, walk(document.data, ()))


def fix(document: Document) -> fixing.Result:
    return fixing.fix({NAME: document}, lambda files: planted(files[NAME]))


# --- Random texts.

words = st.text("abcXYZ #:'\"-äß🎉,{}[]&*!|>%@`", max_size=12)
comments = st.builds(lambda text, n: f"# {text.strip()} ({n})", words, st.integers(0, 10**6))
numbers = st.integers(0, 10**4).map(str)
quoted = st.sampled_from(["'", '"'])


@st.composite
def scalars(draw: st.DrawFn, *, number: bool) -> str:
    """How a value is written, in one line."""
    if number:
        mark = draw(quoted)
        return mark + draw(numbers) + mark
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return json.dumps(draw(words), ensure_ascii=False)
    if kind == 1:
        return "'" + draw(words).replace("'", "''") + "'"
    if kind == 2:
        return "[1, 'a # b', {x: \"y\"}]"
    return draw(st.sampled_from(["true", "No", "3", "0.5", "a b", "~", "x#y", "http://a:1/b"]))


class Writer:
    """Collects lines, and which of them belong to an entry that will change."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.lines: list[tuple[str, bool]] = []
        self.comments: list[str] = []
        self.used = 0
        self.anchors: list[str] = []
        self.odd = False  # anchors or { }: where refusing is right

    def chance(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == one_in

    def comment(self) -> str:
        self.comments.append(self.draw(comments))
        return self.comments[-1]

    def put(self, line: str, *, changes: bool) -> None:
        self.lines.append((line, changes))

    def key(self) -> str:
        self.used += 1
        kind = self.draw(st.sampled_from(["r_", "r_", "n_", "k_", "k_", "r_n_"]))
        return f"{kind}{self.used}" + ("_typo" if self.chance(5) else "")

    def entry(self, indent: str, depth: int) -> None:
        key = self.key()
        changes = key[:2] in ("r_", "n_") or key.endswith("_typo")
        if self.chance(4):
            self.put("", changes=True)  # blank lines may go
        for _ in range(self.draw(st.integers(0, 2))):
            self.put(f"{indent}{self.comment()}", changes=changes)
        written = f"{self.draw(quoted)}"
        name = f"{written}{key}{written}" if self.chance(6) else key
        trailing = f"  {self.comment()}" if self.chance(3) else ""
        number = key.startswith("n_")
        shape = self.draw(st.integers(0, 7)) if depth < 3 and not number else 7
        if shape == 0:
            self.put(f"{indent}{name}:{trailing}", changes=changes)
            step = " " * self.draw(st.integers(1, 4))
            before = len(self.lines)
            for _ in range(self.draw(st.integers(1, 3))):
                self.entry(indent + step, depth + 1)
            if changes:
                self.lines[before:] = [(line, True) for line, _ in self.lines[before:]]
        elif shape == 1:
            self.put(f"{indent}{name}: |{trailing}", changes=changes)
            self.put(f"{indent}  # text {self.used}", changes=changes)
            self.put(f"{indent}   more", changes=changes)
        elif shape == 2:
            self.put(f"{indent}{name}:{trailing}", changes=changes)
            dash = self.draw(st.sampled_from(["- ", "  - ", "-   "]))
            self.put(f"{indent}{dash}n_{self.used}: '12'", changes=True)
            self.put(f'{indent}{" " * len(dash)}b: {{n_x: "7", y: [ 1 ]}}', changes=True)
        elif shape == 3:
            self.odd = True
            self.anchors.append(f"a{self.used}")
            value = self.draw(scalars(number=number))
            self.put(f"{indent}{name}: &a{self.used} {value}{trailing}", changes=changes)
        elif shape == 4 and self.anchors:
            alias = self.draw(st.sampled_from(self.anchors))
            self.put(f"{indent}{name}: *{alias}{trailing}", changes=changes)
        else:
            value = self.draw(scalars(number=number))
            gap = " " * self.draw(st.integers(1, 3))
            self.put(f"{indent}{name}:{gap}{value}{trailing}", changes=changes)

    def section(self, name: str) -> None:
        if self.chance(3):
            self.put("", changes=True)
        for _ in range(self.draw(st.integers(0, 2))):
            self.put(self.comment(), changes=False)
        if self.chance(8):
            self.odd = True
            inner = ", ".join(
                f"{self.key()}: {self.draw(scalars(number=True))}"
                for _ in range(self.draw(st.integers(0, 3)))
            )
            self.put(f"{name}: {{{inner}}}", changes=True)
            return
        trailing = f" {self.comment()}" if self.chance(4) else ""
        self.put(f"{name}:{trailing}", changes=True)  # may go with its last entry
        indent = " " * self.draw(st.integers(1, 5))
        for _ in range(self.draw(st.integers(1, 5))):
            self.entry(indent, 0)
        if self.chance(5):
            self.put(f"{indent}{self.comment()}", changes=False)


SECTIONS = ["litellm_settings", "general_settings", "router_settings", "callback_settings"]


@st.composite
def configurations(draw: st.DrawFn) -> tuple[str, Writer]:
    writer = Writer(draw)
    if draw(st.booleans()):
        writer.put(writer.comment(), changes=False)
        writer.put("", changes=True)
    if draw(st.booleans()):
        writer.put("---", changes=False)
    for name in draw(st.permutations(SECTIONS))[: draw(st.integers(1, 4))]:
        writer.section(name)
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = newline.join(line for line, _ in writer.lines)
    return text + draw(st.sampled_from(["", newline])), writer


@many
@given(configurations())
def test_planted_mistakes(configuration: tuple[str, Writer]):
    text, writer = configuration
    before = reader.parse(text, NAME)
    assert before.data is not None, before.problems
    result = fix(before)
    after = result.documents[NAME]

    edits = [problem.fix.edits[0] for problem in result.fixed if problem.fix]
    assert exact(yaml.safe_load(after.text)) == exact(wanted(before.data, edits))
    # (A text in a block that ends the file without a line end would get one anywhere else.)
    if not writer.odd and (text.endswith("\n") or "|" not in text):
        assert result.left == ()
        assert list(planted(after)) == []

    assert not Counter(writer.comments) - Counter(comments_of(after.text, writer.comments))
    lines = iter(after.text.splitlines())
    for line, changes in writer.lines:
        if line.strip() and not changes:
            assert line in lines, f"{line!r} is gone, or not where it was"
    if "\r" in text:
        assert not re.search(r"(?<!\r)\n|\r(?!\n)", after.text)
    else:
        assert "\r" not in after.text

    again = fix(after)
    assert again.documents[NAME].text == after.text
    assert again.fixed == ()


def comments_of(text: str, known: Iterable[str]) -> list[str]:
    """Those of `known` that end a line of the text."""
    ends = Counter(line.rstrip() for line in text.splitlines())
    return [c for c in known if any(line.endswith(c) for line in ends)]


def paths(value: Any, path: Steps = ()) -> Iterator[Steps]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from paths(inner, (*path, key))


values = st.one_of(
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False),
    words,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
names = st.sampled_from(["drop_params", "a", "on", "12", "a: b", "ä", "", "- x", "'", "null"])
sections = st.sampled_from([*SECTIONS, "new_section", "yes"])
edits_at = st.one_of(
    st.tuples(st.just(SetValue), values),
    st.tuples(st.just(RenameKey), names),
    st.tuples(st.just(MoveKey), sections),
)


@st.composite
def traps(draw: st.DrawFn) -> str:
    """A golden text, sometimes with a piece of it gone, twice or of another kind."""
    text = draw(st.sampled_from(TEXTS)).read_bytes().decode("utf-8-sig")
    for _ in range(draw(st.integers(0, 3))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 6))
        piece = draw(
            st.sampled_from(["", "\n", " ", "#", " # c", "*n", "&n ", "{", "}", ": ", "'"])
        )
        text = text[:at] + piece + text[at + length :]
    return text


@settings(many, max_examples=1500)
@given(st.data(), traps())
@example(None, "a: 1")
def test_any_edit_is_made_exactly_or_refused(data: st.DataObject | None, text: str):
    before = reader.parse(text, NAME)
    if data is None or not isinstance(before.data, dict | list) or not before.data:
        return
    kind, value = data.draw(edits_at)
    edit: Edit = kind(data.draw(st.sampled_from(list(paths(before.data)))), value)
    try:
        after = editor.apply(before, [edit])
    except RefusedError as error:
        assert str(error)  # noqa: PT017 (either outcome is right)
        return
    if isinstance(edit, MoveKey) and edit.path[-1] in (before.data.get(edit.section) or {}):
        there = before.data[edit.section][edit.path[-1]]
        expected = wanted(before.data, [edit])
        assert exact(there) == exact(expected[edit.section][edit.path[-1]])
    everywhere = [replace(edit, path=path) for path in alike(text, edit)]
    assert exact(after.data) == exact(wanted(before.data, everywhere))
    if not after.problems and loads(text):
        assert exact(yaml.load(after.text, LOADER)) == exact(after.data)
