"""One policy on comments (nixcfg.yamltext.cut), whichever edit and whichever style it meets.

An entry owns the comments directly above it, the one on its line and those below it that are
deeper; the comments that start a document are the file's; all others are the section's.
"""

import pytest

from nixcfg.problems.problem import MoveKey
from nixcfg.yamltext import editor, reader
from nixcfg.yamltext.edits import AddItem, AddKey, Edit, Remove

BLOCK = """\
# The file's.

secrets:  # the section's
  # The section's too.

  # a's
  # and more of it
  A: 1  # a's as well
        # and this

  # the section's again

  B: 2
  # c's: the last
  C: 3
    # c's, deeper
  # The end of the section.

# profiles'
profiles:
  one:
  # x's
  - x  # x's too
  # y's
  - y
  # z's
  - z: 1
    # z's, deeper
  two: [a, b]  # two's
"""

GONE: dict[str, tuple[Edit, list[str]]] = {
    "first of a section": (
        Remove(("secrets", "A")),
        ["  # a's", "  # and more of it", "  A: 1  # a's as well", "        # and this", ""],
    ),
    "with nothing above": (Remove(("secrets", "B")), ["  B: 2"]),
    "last of a section": (
        Remove(("secrets", "C")),
        ["  # c's: the last", "  C: 3", "    # c's, deeper"],
    ),
    "first item": (Remove(("profiles", "one", 0)), ["  # x's", "  - x  # x's too"]),
    "item": (Remove(("profiles", "one", 1)), ["  # y's", "  - y"]),
    "last item": (Remove(("profiles", "one", 2)), ["  # z's", "  - z: 1", "    # z's, deeper"]),
    "only key of an item": (
        Remove(("profiles", "one", 2, "z")),
        ["  # z's", "  - z: 1", "    # z's, deeper"],
    ),
    "last of the file": (Remove(("profiles", "two")), ["  two: [a, b]  # two's"]),
    "section": (
        Remove(("profiles",)),
        ["", *BLOCK[BLOCK.index("# profiles'") :].splitlines()],
    ),
    "moved": (
        MoveKey(("secrets", "A"), "profiles"),
        ["  # a's", "  # and more of it", "  A: 1  # a's as well", "        # and this", ""],
    ),
}


def lines_gone(before: str, after: str) -> list[str]:
    """The lines of `before` that `after` misses; the others are there in their order."""
    left = after.splitlines()
    gone = []
    for line in before.splitlines():
        if left and left[0] == line:
            del left[0]
        else:
            gone.append(line)
    assert left == []
    return gone


@pytest.mark.parametrize("name", GONE)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("start", ["", "---\n", "%YAML 1.1\n---\n", "# first\n---\n"])
@pytest.mark.parametrize("end", ["", "\n", "...\n", "# The end.\n", "\n# The end.\n"])
def test_an_entry_goes_with_its_comments(name: str, newline: str, start: str, end: str):
    edit, gone = GONE[name]
    text = (start + BLOCK + end).replace("\n", newline)
    after = editor.apply(reader.parse(text, "x"), [edit]).text
    assert after.count("\n") == after.count(newline)
    if isinstance(edit, MoveKey):
        moved = [line for line in gone if line]
        assert "\n".join(moved) in after.replace("\r", "")
        for line in moved:
            after = after.replace(line + newline, "", 1)
    if name == "section" and end.startswith("#"):
        gone = gone[1:]  # one blank line stays between what is left
    assert sorted(lines_gone(text, after)) == sorted(gone)


FLOW = """\
# The file's.
secrets: {
  # a's
  A: 1,  # a's too

  # the section's

  B: 2,
\t# c's
  C: 3  # and this
  # The end of the section.
}  # about secrets
profiles:
  one: [
    x,  # x's
    # y's
    y,
    z,
  ]
"""


@pytest.mark.parametrize(
    ("path", "gone", "instead"),
    [
        (("secrets", "A"), ["  # a's", "  A: 1,  # a's too"], []),
        (("secrets", "B"), ["  B: 2,"], []),
        (("secrets", "C"), ["  B: 2,", "\t# c's", "  C: 3  # and this"], ["  B: 2"]),
        (("profiles", "one", 0), ["    x,  # x's"], []),
        (("profiles", "one", 1), ["    # y's", "    y,"], []),
        (("profiles", "one", 2), ["    z,"], []),
    ],
)
def test_an_entry_in_brackets_goes_with_its_comments(path, gone, instead):
    after = editor.apply(reader.parse(FLOW, "x"), [Remove(path)]).text
    left = FLOW
    for line in gone:
        left = left.replace(line + "\n", "".join(f"{each}\n" for each in instead), 1)
        instead = []
    assert after.replace("\n\n\n", "\n\n") == left.replace("\n\n\n", "\n\n")


@pytest.mark.parametrize(
    ("text", "edit", "after"),
    [
        # A new entry never comes between an entry and its comments.
        (
            "a:\n  # of b\n  b: 1\n# of c\nc: {}\n",
            AddKey(("a", "k"), 2),
            "a:\n  # of b\n  b: 1\n  k: 2\n# of c\nc: {}\n",
        ),
        ("# the file's\na: 1\n", AddKey(("k",), 2), "# the file's\na: 1\nk: 2\n"),
        (
            "a: 1  # of a\n       # still of a\n# of b\nb: [1]\n",
            AddKey(("k",), 2),
            "a: 1  # of a\n       # still of a\nk: 2\n# of b\nb: [1]\n",
        ),
        (
            "a:\n- b  # of b\n  # deeper\n# of c\nc: 1\n",
            AddItem(("a",), "k"),
            "a:\n- b  # of b\n  # deeper\n- k\n# of c\nc: 1\n",
        ),
        (
            "a: {b: 1}  # of a\n# end\n",
            AddKey(("c", "k"), 2),
            "a: {b: 1}  # of a\n# end\n\nc:\n  k: 2\n",
        ),
        (
            "a: [  # of a\n  b  # of b\n]\n",
            AddItem(("a",), 2),
            "a: [  # of a\n  b,  # of b\n  2\n]\n",
        ),
        (
            "# the file's\na: 1\nb:\n  # of c\n  c: 1\n",
            AddKey(("b", "k"), 2, is_first=True),
            "# the file's\na: 1\nb:\n  k: 2\n  # of c\n  c: 1\n",
        ),
        ("# the file's\na: 1\n", AddKey(("k",), 2, is_first=True), "# the file's\nk: 2\na: 1\n"),
        ("a: []  # of a\n", AddItem(("a",), 2), "a: [2]  # of a\n"),
        ("a:  # of a\n", AddKey(("a", "k"), 2), "a:  # of a\n  k: 2\n"),
        ("a: {}  # of a\n", AddKey(("a", "k"), 2), "a:  # of a\n  k: 2\n"),
    ],
)
def test_a_new_entry_takes_no_comment(text: str, edit: Edit, after: str):
    assert editor.apply(reader.parse(text, "x"), [edit]).text == after


def test_a_comment_in_a_text_is_text():
    text = "a: '\n  # no comment\n\n  # nor this'\nb: 1\nc: |\n  # text\nd: 1\n"
    document = reader.parse(text, "x")
    assert editor.apply(document, [Remove(("b",))]).text == text.replace("b: 1\n", "")
    assert editor.apply(document, [Remove(("d",))]).text == text.replace("d: 1\n", "")
