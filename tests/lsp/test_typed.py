"""Where someone is typing: the same path that the YAML parser finds, in a text that is cut off."""

from pathlib import Path

import pytest

from nixcfg.lsp.typed import Typed, beside, typed
from nixcfg.yamltext import editor, reader
from program import HERE, ROOT


def is_plain(path: Path) -> bool:
    """Without what has no place of its own: a merge, a `? key`, JSON over several lines."""
    document = reader.read(path, path.name)
    if not document.data:
        return False
    page = editor.open_page(document)
    return not (page.has_aliases or "? " in page.text or page.root.style)


FILES = sorted(
    path
    for path in (
        *ROOT.glob("providers/*.yaml"),
        *HERE.glob("cases/*/*.yaml"),
        *HERE.glob("cases/*/providers/*.yaml"),
        *HERE.glob("importing/sources/**/*.yaml"),
        *HERE.glob("fix/cases/**/*.yaml"),
    )
    if is_plain(path)
)


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_key_is_found_where_the_parser_finds_it(file: Path) -> None:
    """The text ends behind each key in turn, as if it had just been typed."""
    page = editor.open_page(reader.read(file, file.name))
    count = 0
    for path, key, _ in page.paths():
        if not isinstance(path[-1], str) or key.style or "\n" in page.text[key.start : key.end]:
            continue
        if key.in_flow and not page.before(key.start).lstrip(" -{").startswith(str(path[0])):
            continue  # JSON over several lines: the line does not say where it is
        line = page.line_of(key.start)
        column = page.column(key.end)
        lines = [page.line(number) for number in range(line + 1)]
        lines[-1] = lines[-1][:column]
        found = typed(lines, line, column)
        assert found is not None, path
        assert (found.path, found.is_key, found.prefix) == (path[:-1], True, path[-1]), path
        assert found.column == page.column(key.start), path
        count += 1
    assert count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Typed((), True, "", 0)),
        ("litellm_settings:\n  dr", Typed(("litellm_settings",), True, "dr", 2)),
        (
            "litellm_settings:\n  drop_params: t",
            Typed(("litellm_settings", "drop_params"), False, "t", 15),
        ),
        ("model_list:\n- ", Typed(("model_list", 0), True, "", 2)),
        ("model_list:\n- model_name: a\n- mo", Typed(("model_list", 1), True, "mo", 2)),
        ("model_list:\n  - model_name: a\n    li", Typed(("model_list", 0), True, "li", 4)),
        (
            "model_list:\n  - litellm_params:\n      model: openai/",
            Typed(("model_list", 0, "litellm_params", "model"), False, "openai/", 13),
        ),
        (
            "model_list:\n- {model_name: a, litellm_params: {model: openai/gpt, ap",
            Typed(("model_list", 0, "litellm_params"), True, "ap", 54),
        ),
        (
            "router_settings:\n  fallbacks: [{a: [b, c",
            Typed(("router_settings", "fallbacks", 0, "a", 1), False, "c", 22),
        ),
        (
            "router_settings:\n  fallbacks:\n  - a: [b]\n  - ",
            Typed(("router_settings", "fallbacks", 1), True, "", 4),
        ),
        (
            'environment_variables: {A: ${A}, B: "${',
            Typed(("environment_variables", "B"), False, "${", 37),
        ),
        ("port: 4000 # the po", None),
        ("litellm_settings:\n\n  # why\n  ca", Typed(("litellm_settings",), True, "ca", 2)),
        ("a:\n  b:\n    c: 1\n  d", Typed(("a",), True, "d", 2)),
        ("a:\n- - x\n  - y", Typed(("a", 0, 1), False, "y", 4)),
    ],
)
def test_what_is_not_yaml_yet(text: str, expected: Typed | None) -> None:
    lines = text.split("\n")
    found = typed(lines, len(lines) - 1, len(lines[-1]))
    if expected is not None and not expected.is_key and found is not None:
        # A word that is alone in a list may still become a key.
        assert (found.path, found.prefix) == (expected.path, expected.prefix)
        return
    assert found == expected


def test_any_text_has_an_answer() -> None:
    for text in (
        "- - -",
        "{[}]",
        "a: {{{{",
        "]]]",
        "\t- x",
        "'",
        '"',
        ": :",
        "- a:\n - b:\n-",
        "? x",
    ):
        lines = text.split("\n")
        for line, content in enumerate(lines):
            for column in range(len(content) + 1):
                typed(lines, line, column)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb|\nc: 3", {"a", "c"}),
        ("x:\n  a: 1\n  b|\n  c: 2\nd: 3", {"a", "c"}),
        ("x:\n- a: 1\n  b|\n- c: 2", {"a"}),
        ("x:\n- a: 1\n  in:\n    d: 1\n  b|", {"a", "in"}),
        ("x:\n- b|\n  c: 2\n- d: 1", {"c"}),
        ("x: {a: 1, b|", set()),
        ("x:\n- a: 1\n- |", set()),
    ],
)
def test_what_stands_beside_is_known(text: str, expected: set[str]) -> None:
    before, _, _ = text.partition("|")
    lines = text.replace("|", "").split("\n")
    line = before.count("\n")
    found = typed(lines, line, len(before.rpartition("\n")[2]))
    assert found is not None
    assert beside(lines, line, found) == expected
