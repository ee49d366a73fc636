"""Entries change in the text; every other byte stays."""

import difflib
from collections.abc import Callable

import pytest

from nixcfg.yamltext import editor, reader
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import AddItem, AddKey, RefusedError, Remove

TEXT = """\
# top
model_config: claude # which
port: 4000

# keys
secrets:
  # main
  A_KEY: /x   # a
  B_KEY: {file: /y, optional: true}

profiles:
  fast: [claude, "openai"] # quick
  slow:
  - claude
  # two
  - openai
  one: [claude]

hosts:
  alpha:
    # its port
    port: 4001
  beta: {} # as it is
  gamma: { port: 4100 }
  delta:
    model_config: claude
  epsilon: {port: 1, list: [a, b], map: {c: d}}
# end
"""

CASES: dict[str, tuple[Callable[[Document], Document], list[str]]] = {
    "set": (
        lambda d: editor.put(d, ("model_config",), "all"),
        ["-model_config: claude # which", "+model_config: all # which"],
    ),
    "set in a block": (
        lambda d: editor.put(d, ("hosts", "alpha", "model_config"), "all"),
        ["+    model_config: all"],
    ),
    "set in an empty host": (
        lambda d: editor.put(d, ("hosts", "beta", "model_config"), "all"),
        ["-  beta: {} # as it is", "+  beta: # as it is", "+    model_config: all"],
    ),
    "set beside another": (
        lambda d: editor.put(d, ("hosts", "gamma", "model_config"), "all"),
        ["-  gamma: { port: 4100 }", "+  gamma: { port: 4100, model_config: all }"],
    ),
    "set first": (
        lambda d: editor.put(d, ("hosts", "alpha", "model_config"), "all", is_first=True),
        ["+    model_config: all"],
    ),
    "set first in an empty host": (
        lambda d: editor.put(d, ("hosts", "beta", "model_config"), "all", is_first=True),
        ["-  beta: {} # as it is", "+  beta: {model_config: all} # as it is"],
    ),
    "set first beside another": (
        lambda d: editor.put(d, ("hosts", "gamma", "model_config"), "all", is_first=True),
        ["-  gamma: { port: 4100 }", "+  gamma: { model_config: all, port: 4100 }"],
    ),
    "set first of all": (
        lambda d: editor.put(d, ("backend",), "podman", is_first=True),
        ["+backend: podman"],
    ),
    "set again": (
        lambda d: editor.put(d, ("hosts", "delta", "model_config"), "all"),
        ["-    model_config: claude", "+    model_config: all"],
    ),
    "set new": (lambda d: editor.put(d, ("backend",), "podman"), ["+backend: podman"]),
    "add": (
        lambda d: editor.put(d, ("secrets", "C_KEY"), 'config.sops.secrets."a b".path'),
        [r'+  C_KEY: "config.sops.secrets.\"a b\".path"'],
    ),
    "change": (
        lambda d: editor.put(d, ("secrets", "A_KEY"), "/z"),
        ["-  A_KEY: /x   # a", "+  A_KEY: /z   # a"],
    ),
    "add section": (
        lambda d: editor.put(d, ("environment", "C"), "d"),
        ["+", "+environment:", "+  C: d"],
    ),
    "add list": (lambda d: editor.put(d, ("profiles", "new"), ["groq"]), ["+  new: [groq]"]),
    "append flow": (
        lambda d: editor.apply(d, [AddItem(("profiles", "fast"), "groq")]),
        ['-  fast: [claude, "openai"] # quick', '+  fast: [claude, "openai", groq] # quick'],
    ),
    "append block": (
        lambda d: editor.apply(d, [AddItem(("profiles", "slow"), "groq")]),
        ["+  - groq"],
    ),
    "drop first": (
        lambda d: editor.apply(d, [Remove(("profiles", "fast", 0))]),
        ['-  fast: [claude, "openai"] # quick', '+  fast: ["openai"] # quick'],
    ),
    "drop last": (
        lambda d: editor.apply(d, [Remove(("profiles", "fast", 1))]),
        ['-  fast: [claude, "openai"] # quick', "+  fast: [claude] # quick"],
    ),
    "drop line": (
        lambda d: editor.apply(d, [Remove(("profiles", "slow", 1))]),
        ["-  # two", "-  - openai"],
    ),
    "drop last line": (
        lambda d: editor.apply(d, [Remove(("profiles", "slow", 0))]),
        ["-  - claude"],
    ),
    "drop pair": (
        lambda d: editor.apply(d, [Remove(("hosts", "epsilon", "port"))]),
        [
            "-  epsilon: {port: 1, list: [a, b], map: {c: d}}",
            "+  epsilon: {list: [a, b], map: {c: d}}",
        ],
    ),
    "drop list in a pair": (
        lambda d: editor.apply(d, [Remove(("hosts", "epsilon", "list"))]),
        ["-  epsilon: {port: 1, list: [a, b], map: {c: d}}", "+  epsilon: {port: 1, map: {c: d}}"],
    ),
    "drop last pair": (
        lambda d: editor.apply(d, [Remove(("hosts", "epsilon", "map"))]),
        [
            "-  epsilon: {port: 1, list: [a, b], map: {c: d}}",
            "+  epsilon: {port: 1, list: [a, b]}",
        ],
    ),
    "drop entry": (
        lambda d: editor.apply(d, [Remove(("secrets", "A_KEY"))]),
        ["-  # main", "-  A_KEY: /x   # a"],
    ),
    "drop list": (
        lambda d: editor.apply(d, [Remove(("profiles", "slow"))]),
        ["-  slow:", "-  - claude", "-  # two", "-  - openai"],
    ),
}


def parsed(text: str) -> Document:
    document = reader.parse(text, "nixcfg.yaml")
    assert document.data is not None
    return document


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
def test_only_the_entry_changes(name: str, newline: str) -> None:
    change, expected = CASES[name]
    text = TEXT.replace("\n", newline)
    after = change(parsed(text)).text
    assert after.count("\r\n") == (after.count("\n") if newline == "\r\n" else 0)
    lines = difflib.unified_diff(text.splitlines(), after.splitlines(), n=0, lineterm="")
    assert [
        line for line in lines if line[:3] not in ("---", "+++") and line[:2] != "@@"
    ] == expected


def removed(document: Document, *path: str | int) -> Document:
    return editor.apply(document, [Remove(path)])


def test_a_section_goes_with_its_last_entry_and_its_comments() -> None:
    document = removed(removed(parsed(TEXT), "secrets", "B_KEY"), "secrets", "A_KEY")
    assert "secrets" not in document.data
    begin, end = TEXT.index("# keys"), TEXT.index("profiles:")
    assert document.text == TEXT[:begin] + TEXT[end:]


def test_one_blank_line_stays_between_neighbours() -> None:
    document = parsed("a: 1\n\nb:\n  c: 2\n\nd: 3\n\ne: 4\n")
    assert removed(document, "b").text == "a: 1\n\nd: 3\n\ne: 4\n"
    assert removed(document, "e").text == "a: 1\n\nb:\n  c: 2\n\nd: 3\n"


def test_what_is_added_below_a_key_without_a_value_can_be_taken_away():
    before = reader.parse("a:\n  x: 1\n\n? b\n", "x")
    after = editor.apply(before, [AddKey(("new",), None)])
    assert editor.apply(after, [Remove(("new",))]).text == before.text


@pytest.mark.parametrize("text", ["{}\n", "# a comment\n{}\n"])
def test_an_empty_project_file_takes_entries(text: str) -> None:
    assert editor.put(parsed(text), ("secrets", "A"), "/a").data == {"secrets": {"A": "/a"}}
    assert editor.put(parsed(text), ("model_config",), "x").data == {"model_config": "x"}


def test_a_file_in_brackets_takes_entries() -> None:
    after = editor.put(parsed("{model_config: all}\n"), ("secrets", "A"), "/a")
    assert after.text == "{model_config: all, secrets: {A: /a}}\n"
    after = editor.put(parsed('{"port": 1}\n'), ("secrets", "A"), "/a")
    assert after.text == '{"port": 1, "secrets": {A: /a}}\n'


def test_a_file_may_end_anywhere() -> None:
    for text in (
        "a: {b: 1}",
        "a:\n  b: 1\n...\n",
        "a:\n  b: 1\n\n\n# end",
        "a: [1]\nb: |+\n  x\n\n",
    ):
        before = parsed(text)
        after = editor.put(before, ("c", "d"), "e")
        assert after.data == {**before.data, "c": {"d": "e"}}
        assert removed(after, "c", "d").text == text


def test_what_cannot_be_edited_is_refused() -> None:
    with pytest.raises(RefusedError, match="secrets has A already"):
        editor.put(parsed("secrets: {A: /a}\n"), ("secrets", "A"), ["/b"])
    with pytest.raises(RefusedError, match="it has A already"):
        editor.apply(parsed("A: a\n"), [AddKey(("A",), "b")])
    with pytest.raises(RefusedError, match="secrets is no mapping"):
        editor.put(parsed("secrets: [A]\n"), ("secrets", "A"), "/b")
    with pytest.raises(RefusedError, match="nothing would be left"):
        removed(parsed("secrets: {A: /a}\n"), "secrets", "A")
    with pytest.raises(RefusedError, match="shares"):
        removed(parsed("secrets: &s\n  A: /a\n  B: /b\nextra: *s\n"), "extra", "A")
    with pytest.raises(RefusedError, match="other values too"):
        removed(parsed("secrets: &s\n  A: /a\n  B: /b\nextra: {<<: *s}\n"), "secrets", "A")
    with pytest.raises(RefusedError, match="comments stand between"):
        removed(parsed("a: [b, # of b or c\n c]\n"), "a", 0)
    for text in ("- - a\n  - b\n", "- a: 1\n  b: 2\n"):
        with pytest.raises(RefusedError, match="shares its line"):
            removed(parsed(text), 0, 0 if "- -" in text else "a")
