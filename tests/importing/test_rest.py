"""Parts of a YAML text are taken out, and the rest is as it was."""

import pytest

from nixcfg.importing.rest import rewritten, with_key, without
from nixcfg.problems.problem import Steps
from nixcfg.yamltext import reader

TEXT = """\
# header

# the models
model_list:
  # one
  - name: a # first
    params: {x: 1}
    # - commented: out

  # two
  - name: b
    text: |
      # no comment
      - nor an entry

other: [1, 2] # inline
# about last
last:
- p
- q
"""


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        (
            {("model_list", 0)},
            TEXT[: TEXT.index("  # one")] + TEXT[TEXT.index("  # two") :],
        ),
        (
            {("model_list", 1), ("other",), ("last", 0)},
            TEXT[: TEXT.index("  # two")] + "# about last\nlast:\n- q\n",
        ),
        ({("model_list",), ("last",)}, "# header\n\nother: [1, 2] # inline\n"),
        (
            {("model_list",), ("last", 0), ("last", 1)},
            "# header\n\nother: [1, 2] # inline\n",
        ),
    ],
)
def test_without(paths: set[Steps], left: str):
    rest = without(reader.parse(TEXT, "x"), paths)
    assert rest.text == left
    lines = TEXT.splitlines()
    assert [lines[n - 1] for n in rest.origin] == rest.text.splitlines()
    assert rest.again == ()


def test_what_cannot_be_taken_out_has_its_section_written_again():
    text = TEXT + "odd: # lost\n- - 1\n  - 2\n"
    rest = without(reader.parse(text, "x"), {("odd", 0, 0), ("other", 0)})
    assert rest.data["odd"] == [[2]]
    assert rest.again == ("odd",)
    assert "# two" in rest.text
    assert "other: [2] # inline" in rest.text
    assert "# lost" not in rest.text
    assert rest.text.endswith("\nodd:\n- - 2\n")
    assert rest.origin[-1] == 0


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {k: 1}\nb: *x\n",
        "{a: 1, b: [2, 3]}\n",
        "a:\n    - 1\nb: 2",
        '"a": 1\n"b": 2\n',
        "a: 'x\n\n  y'\nb: 1\n",
        "? a\n: 1\n? b\n: 2\n",
        "---\r\na: 1\r\nb: 2\r\n",
    ],
)
def test_the_rest_reads_as_it_did(text: str):
    document = reader.parse(text, "x")
    for key, other in (("a", "b"), ("b", "a")):
        rest = without(document, {(key,)})
        assert reader.parse(rest.text, "x").data == {other: document.data[other]}


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a: sk-1 # c\nb: 2\n", "a: ${X} # c\nb: 2\n"),
        ("a: 'sk-1'\n", "a: '${X}'\n"),
        ("{a: sk-1}\n", '{a: "${X}"}\n'),
        ("a: |\n  sk-1\nb: 2 # c\n", "a: ${X}\nb: 2 # c\n"),
        ("a: &k sk-1 # c\nb: {a: *k}\n", "a: &k ${X} # c\nb: {a: *k}\n"),
    ],
)
def test_rewritten_in_place(text: str, after: str):
    document, is_dumped = rewritten(reader.parse(text, "x"), {("a",): "${X}"})
    assert document.text == after
    assert not is_dumped


def test_an_anchor_that_others_share_is_not_changed_for_them():
    text = "a: &k sk-1\nb: *k\n"
    document, is_dumped = rewritten(reader.parse(text, "x"), {("a",): "${X}"})
    assert is_dumped
    assert document.data == {"a": "${X}", "b": "sk-1"}


def test_a_key_is_added_among_what_is_left():
    text = "# header\n\na:\n- 1\nenv: # kept\n  # of X\n  X: ${X} # here\n# of b\nb: 2\n"
    rest = with_key(without(reader.parse(text, "x"), {("a",)}), "env", "Z", "${Z}")
    assert rest.text == text.replace("a:\n- 1\n", "").replace("here\n", "here\n  Z: ${Z}\n")
    assert rest.data == {"env": {"X": "${X}", "Z": "${Z}"}, "b": 2}
    assert rest.origin == (1, 2, 5, 6, 7, 0, 8, 9)


def test_a_key_that_has_no_place_has_the_rest_written_again():
    rest = with_key(without(reader.parse("env: &e {X: x}\nb: *e\n", "x"), ()), "env", "Z", "z")
    assert rest.data == {"env": {"X": "x", "Z": "z"}, "b": {"X": "x"}}
    assert rest.text == "env:\n  X: x\n  Z: z\nb:\n  X: x\n"
    assert rest.again == ("env", "b")
