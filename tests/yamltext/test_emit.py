"""What emit writes, every YAML reader takes back as it was."""

import datetime as dt
import math

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nixcfg.problems.problem import SetValue
from nixcfg.yamltext import editor, emit, reader

# The characters that can stand in a YAML file; the others reach no model (NX007).
CHARACTERS = st.characters(exclude_categories=("Cs",), exclude_characters="\ufffe\uffff").filter(
    lambda c: c in "\t\n\r" or c >= " "
)
TEXTS = st.text(CHARACTERS, max_size=30) | st.sampled_from(
    [
        *(
            "yes",
            "Off",
            "null",
            "~",
            "1e3",
            "0x1f",
            "010",
            "12:30",
            "2026-01-31",
            ".inf",
            "=",
            "<<",
        ),
        *(
            "",
            "a: b",
            "a #b",
            "- a",
            "? a",
            "a:",
            "a\tb",
            "---",
            "...",
            "a\u2028b",
            "\u0085",
            "{a}",
        ),
        *(
            "os.environ/KEY",
            "${KEY}",
            "openai/gpt-4o",
            "http://host:1/v1",
            "qwen2:7b",
            "a  b",
            "é😀",
        ),
        *("\u0085", "{a}", "a  b", "é😀", "k" * 2000),
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.dates()
    | st.datetimes()
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def types(value: object) -> object:
    """A value with its types, which 1 == True and 1 == 1.0 would hide."""
    if isinstance(value, dict):
        return {key: types(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [types(inner) for inner in value]
    return type(value), math.copysign(1, value) if isinstance(value, float) else None, value


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, derandomize=True)
@given(VALUES)
@example([[[], {}], [[1, [2]]], {"a": [[{"b": {}}], []]}])
@example({"k" * 1001: {"a": [1]}, "l" * 1001: [[1], {"a": 1}], "m" * 1001: "text"})
def test_reads_back(value: object):
    text = emit.block(value)
    assert types(yaml.safe_load(text)) == types(value), text
    if hasattr(yaml, "CSafeLoader"):
        assert types(yaml.load(text, yaml.CSafeLoader)) == types(value), text


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, derandomize=True)
@given(VALUES)
@example({"k" * 1001: [1], "a": {"b": [{}]}})
def test_reads_back_in_brackets(value: object):
    text = emit.flow(value)
    assert text.isprintable()
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        for place in (text, f"a: {text}  # c", f"{{a: {text}, b: [{text}]}}"):
            read = yaml.load(place, loader)
            found = read if place is text else read["a"]
            assert types(found) == types(value), place
            assert place[0] != "{" or place is text or types(read["b"]) == types([value])


@settings(max_examples=500, deadline=None, derandomize=True)
@given(TEXTS, st.sampled_from(["", "'", '"']), st.booleans())
def test_a_text_keeps_its_quotes(text: str, quote: str, in_flow: bool):
    written = emit.scalar(text, quote, in_flow=in_flow)
    key = written if len(written) <= 1000 else f"? {written}\n"
    place = f"{{{key}: [{written}]}}" if in_flow else f"{key}: {written}"
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        assert yaml.load(place, loader) == {text: [text] if in_flow else text}
    if quote and text.isprintable():
        assert written[0] == written[-1] == quote
    if not quote:
        assert written in (emit.text(text), emit.scalar(text, '"'))


@pytest.mark.parametrize(
    "text",
    [
        *("a, b", "${KEY}", "y", "1e3", "a\u2028b", "\u0085", "qwen2:7b", "http://h:1/v1", "é"),
        *("it's", 'say "hi"', "a\\b", "x#y", "3.5-turbo", "$x", "?", "yes", "~", "<<", ""),
    ],
)
def test_an_edit_writes_what_a_rendering_writes(text: str):
    for before, path in (("x: y\n", ("x",)), ("a:\n- x: y\n", ("a", 0, "x"))):
        document = reader.parse(before, "x.yaml")
        after = editor.apply(document, [SetValue(path, text)])
        assert after.text == emit.block(after.data) + "\n"
    inside = editor.apply(
        reader.parse("a: [{x: y}, 1]\n", "x.yaml"), [SetValue(("a", 0, "x"), text)]
    )
    assert inside.text == f"a: {emit.flow(inside.data['a'])}\n"


@settings(max_examples=500, deadline=None, derandomize=True)
@given(TEXTS)
def test_a_text_is_one_line_wherever_it_stands(text: str):
    assert emit.text(text).isprintable()
    assert "\n" not in emit.block({text: [text, {"a": text}]}).replace("\n", "", 3)


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), 1e300, 1e16, -0.0, 1e-7])
def test_numbers_that_yaml_writes_in_its_own_way(value: float):
    assert types(yaml.safe_load(emit.block([value]))) == types([value])
    assert math.isnan(yaml.safe_load(emit.scalar(float("nan"))))


def test_words_that_other_readers_take_for_something_else():
    for word in ("yes", "n", "on", "NULL", "True", "~", "1e3", "0o17", "1_000", "12:30:45"):
        assert emit.text(word) == f'"{word}"'


def test_plain_where_it_can_be():
    for plain in (
        "openai/gpt-4o",
        "os.environ/OPENAI_API_KEY",
        "http://host:8000/v1",
        "${KEY}",
        "two words",
    ):
        assert emit.text(plain) == plain


def test_what_yaml_cannot_hold():
    with pytest.raises(TypeError, match="no YAML for set"):
        emit.block({"a": {1, 2}})
    assert emit.scalar(dt.date(2026, 1, 31)) == "2026-01-31"
