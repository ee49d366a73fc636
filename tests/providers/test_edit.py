"""Entries of nixcfg.yaml change in the text; every other byte stays."""

import difflib
from collections.abc import Callable

import pytest

from nixcfg.yamltext import edit, source
from nixcfg.yamltext.fix import RefusedError
from nixcfg.yamltext.source import Document

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
        lambda d: edit.set_scalar(d, ("model_config",), "all"),
        ["-model_config: claude # which", "+model_config: all # which"],
    ),
    "set in a block": (
        lambda d: edit.set_scalar(d, ("hosts", "alpha", "model_config"), "all"),
        ["+    model_config: all"],
    ),
    "set in an empty host": (
        lambda d: edit.set_scalar(d, ("hosts", "beta", "model_config"), "all"),
        ["-  beta: {} # as it is", "+  beta: {model_config: all} # as it is"],
    ),
    "set beside another": (
        lambda d: edit.set_scalar(d, ("hosts", "gamma", "model_config"), "all"),
        ["-  gamma: { port: 4100 }", "+  gamma: {model_config: all, port: 4100 }"],
    ),
    "set again": (
        lambda d: edit.set_scalar(d, ("hosts", "delta", "model_config"), "all"),
        ["-    model_config: claude", "+    model_config: all"],
    ),
    "set new": (lambda d: edit.set_scalar(d, ("backend",), "podman"), ["+backend: podman"]),
    "add": (
        lambda d: edit.add_entry(d, "secrets", "C_KEY", 'config.sops.secrets."a b".path'),
        [r'+  C_KEY: "config.sops.secrets.\"a b\".path"'],
    ),
    "change": (
        lambda d: edit.add_entry(d, "secrets", "A_KEY", "/z"),
        ["-  A_KEY: /x   # a", "+  A_KEY: /z   # a"],
    ),
    "add section": (
        lambda d: edit.add_entry(d, "environment", "C", "d"),
        ["+", "+environment:", "+  C: d"],
    ),
    "add list": (lambda d: edit.add_entry(d, "profiles", "new", ["groq"]), ["+  new: [groq]"]),
    "append flow": (
        lambda d: edit.add_item(d, ("profiles", "fast"), "groq"),
        ['-  fast: [claude, "openai"] # quick', '+  fast: [claude, "openai", groq] # quick'],
    ),
    "append block": (lambda d: edit.add_item(d, ("profiles", "slow"), "groq"), ["+  - groq"]),
    "drop first": (
        lambda d: edit.drop_item(d, ("profiles", "fast"), "claude"),
        ['-  fast: [claude, "openai"] # quick', '+  fast: ["openai"] # quick'],
    ),
    "drop last": (
        lambda d: edit.drop_item(d, ("profiles", "fast"), "openai"),
        ['-  fast: [claude, "openai"] # quick', "+  fast: [claude] # quick"],
    ),
    "drop line": (lambda d: edit.drop_item(d, ("profiles", "slow"), "openai"), ["-  - openai"]),
    "drop last line": (
        lambda d: edit.drop_item(d, ("profiles", "slow"), "claude"),
        ["-  - claude"],
    ),
    "drop pair": (
        lambda d: edit.drop(d, ("hosts", "epsilon", "port")),
        [
            "-  epsilon: {port: 1, list: [a, b], map: {c: d}}",
            "+  epsilon: {list: [a, b], map: {c: d}}",
        ],
    ),
    "drop list in a pair": (
        lambda d: edit.drop(d, ("hosts", "epsilon", "list")),
        ["-  epsilon: {port: 1, list: [a, b], map: {c: d}}", "+  epsilon: {port: 1, map: {c: d}}"],
    ),
    "drop last pair": (
        lambda d: edit.drop(d, ("hosts", "epsilon", "map")),
        [
            "-  epsilon: {port: 1, list: [a, b], map: {c: d}}",
            "+  epsilon: {port: 1, list: [a, b] }",
        ],
    ),
    "drop entry": (lambda d: edit.drop(d, ("secrets", "A_KEY")), ["-  A_KEY: /x   # a"]),
    "drop list": (
        lambda d: edit.drop(d, ("profiles", "slow")),
        ["-  slow:", "-  - claude", "-  # two", "-  - openai"],
    ),
}


def parsed(text: str) -> Document:
    document = source.parse(text, "nixcfg.yaml")
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


def test_a_section_goes_with_its_last_entry() -> None:
    document = edit.drop(edit.drop(parsed(TEXT), ("secrets", "B_KEY")), ("secrets", "A_KEY"))
    assert "secrets" not in document.data
    assert "# keys" in document.text


def test_one_blank_line_stays_between_neighbours() -> None:
    document = parsed("a: 1\n\nb:\n  c: 2\n\nd: 3\n\ne: 4\n")
    assert edit.drop(document, ("b",)).text == "a: 1\n\nd: 3\n\ne: 4\n"
    assert edit.drop(document, ("e",)).text == "a: 1\n\nb:\n  c: 2\n\nd: 3\n"


@pytest.mark.parametrize("text", ["{}\n", "# a comment\n{}\n"])
def test_an_empty_project_file_takes_entries(text: str) -> None:
    assert edit.add_entry(parsed(text), "secrets", "A", "/a").data == {"secrets": {"A": "/a"}}
    assert edit.set_scalar(parsed(text), ("model_config",), "x").data == {"model_config": "x"}


def test_what_cannot_be_edited_is_refused() -> None:
    with pytest.raises(RefusedError):
        edit.add_entry(parsed("{model_config: all}\n"), "secrets", "A", "/a")
    with pytest.raises(RefusedError, match="secrets has A already"):
        edit.add_entry(parsed("secrets: {A: /a}\n"), "secrets", "A", ["/b"])
    with pytest.raises(RefusedError, match="B is written over several lines"):
        edit.drop(parsed("secrets: {A: /a, B:\n  /b}\n"), ("secrets", "B"))
    with pytest.raises(RefusedError):
        edit.drop(parsed("secrets: &s\n  A: /a\n  B: /b\nextra: {<<: *s}\n"), ("secrets", "A"))
