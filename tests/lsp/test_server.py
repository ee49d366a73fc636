"""The server as an editor meets it: a real client asks a real process."""

import subprocess
import sys
from pathlib import Path

import pytest
from editing import Editor
from lsprotocol import types as lsp
from typed_project import CLAUDE, OPENAI, PROJECT

pytestmark = pytest.mark.usefixtures("as_it_was")

SECRET = "sk-proj-Abcdefghij0123456789klmnopqrst"


def test_diagnostics_are_about_the_whole_project_as_it_is_typed(editor: Editor) -> None:
    """A file that is not saved, and not even open, has the findings that the buffers bring."""
    editor.open("providers/claude.yaml", CLAUDE)
    editor.type("providers/claude.yaml", CLAUDE.replace("name: sonnet", "name: opus"))
    editor.until(lambda found: "NX421" in str(found.get(editor.uri("nixcfg.yaml"))))
    assert "NX421" in editor.codes("nixcfg.yaml")
    assert (editor.root / "providers/claude.yaml").read_text() == CLAUDE
    editor.type("providers/claude.yaml", CLAUDE)
    editor.until(lambda found: not found.get(editor.uri("nixcfg.yaml")))


def test_a_finding_has_its_place_in_units_of_the_protocol(editor: Editor) -> None:
    """The emoji before it is one character, and two units of UTF-16."""
    text = CLAUDE.replace("sonnet # 🎉 the good one", '"🎉" # nixcfg: ignore NX408')
    editor.open("providers/claude.yaml", text)
    editor.until(lambda found: "NX013" in str(found.get(editor.uri("providers/claude.yaml"))))
    [found] = [
        each
        for each in editor.client.diagnostics[editor.uri("providers/claude.yaml")]
        if each.code == "NX013"
    ]
    assert found.source == "nixcfg"
    assert found.severity == lsp.DiagnosticSeverity.Information
    line = text.splitlines()[1]
    start = len(line[: line.index("NX408")].encode("utf-16-le")) // 2
    assert (found.range.start.line, found.range.start.character) == (1, start)
    assert found.range.end.character == start + 5


def test_typing_is_never_behind(editor: Editor) -> None:
    """A hundred keystrokes and a question: the question is answered, and the last text counts."""
    editor.open("providers/openai.yaml", OPENAI)
    for number in range(100):
        editor.type("providers/openai.yaml", OPENAI + f"# {number}\n" + "lite" * (number % 2))
    assert "gpt-5.6" in editor.hover("providers/openai.yaml", OPENAI.replace("gpt-5.6", "gpt|-5.6"))
    bad = OPENAI.replace("openai/", "opnai/")
    editor.type("providers/openai.yaml", bad)
    editor.until(lambda found: "NX402" in str(found.get(editor.uri("providers/openai.yaml"))))


def test_definition_and_references_cross_files(editor: Editor) -> None:
    text = PROJECT["nixcfg.yaml"].replace("[sonnet]", "[son|net]")
    assert editor.definition("nixcfg.yaml", text) == [("providers/claude.yaml", 1)]
    assert editor.references("nixcfg.yaml", text) == [
        ("nixcfg.yaml", 5),
        ("providers/claude.yaml", 1),
        ("providers/claude.yaml", 8),
    ]
    text = PROJECT["nixcfg.yaml"].replace("[openai]", "[open|ai]")
    assert editor.definition("nixcfg.yaml", text) == [("providers/openai.yaml", 0)]
    text = CLAUDE.replace("os.environ/ANTH", "os.environ/ANT|H")
    assert editor.definition("providers/claude.yaml", text) == [("providers/claude.yaml", 6)]


def test_a_rename_changes_every_file_and_nothing_else(editor: Editor) -> None:
    text = CLAUDE.replace("name: sonnet", "name: son|net")
    found = editor.rename("providers/claude.yaml", text, "opus")
    assert found == {
        "nixcfg.yaml": PROJECT["nixcfg.yaml"].replace("[sonnet]", "[opus]"),
        "providers/claude.yaml": CLAUDE.replace("name: sonnet", "name: opus").replace(
            "best: sonnet", "best: opus"
        ),
    }


@pytest.mark.parametrize(
    ("text", "new", "why"),
    [
        (CLAUDE.replace("name: sonnet", "name: son|net"), "gpt", "gpt is there already"),
        (CLAUDE.replace("name: sonnet", "name: son|net"), " ", "cannot be a name"),
        (CLAUDE.replace("os.environ/ANTH", "os.environ/ANT|H"), "X", "variable"),
    ],
)
def test_a_rename_that_cannot_be_says_why(editor: Editor, text: str, new: str, why: str) -> None:
    with pytest.raises(Exception, match=why):
        editor.rename("providers/claude.yaml", text, new)


def test_actions_are_the_fixes_and_a_comment(editor: Editor) -> None:
    text = OPENAI + "litellm_settings:\n  rout|ing_strategy: least-busy\n"
    found = editor.actions("providers/openai.yaml", text)
    titles = [each.title for each in found]
    assert titles == [
        "NX201: litellm_settings.routing_strategy moved to router_settings",
        "Ignore NX201 on this line",
    ]
    fixed = editor.applied(found[0].edit)["providers/openai.yaml"]
    assert fixed == OPENAI + "router_settings:\n  routing_strategy: least-busy\n"
    ignored = editor.applied(found[1].edit)["providers/openai.yaml"]
    assert ignored.endswith("  routing_strategy: least-busy  # nixcfg: ignore NX201\n")
    editor.type("providers/openai.yaml", ignored)
    editor.until(lambda d: not d.get(editor.uri("providers/openai.yaml")))


def test_everything_is_fixed_on_request(editor: Editor) -> None:
    text = OPENAI + "litellm_settings:\n  routing_strategy: least-busy\n  num_retries: '3'|\n"
    [found] = editor.actions("providers/openai.yaml", text, only=["source.fixAll"])
    fixed = editor.applied(found.edit)["providers/openai.yaml"]
    assert "router_settings:\n  routing_strategy" in fixed


def test_the_outline_lists_deployments(editor: Editor) -> None:
    editor.open("providers/claude.yaml", CLAUDE)
    params = lsp.DocumentSymbolParams(
        lsp.TextDocumentIdentifier(uri=editor.uri("providers/claude.yaml"))
    )
    found = editor.run(editor.client.text_document_document_symbol_async(params))
    assert [each.name for each in found] == [
        "model_list",
        "environment_variables",
        "router_settings",
    ]
    [deployment] = found[0].children
    assert (deployment.name, deployment.detail) == ("sonnet", "anthropic/claude-sonnet-4-5")


def test_a_litellm_file_needs_no_project(editor: Editor) -> None:
    text = "model_list:\n- model_name: a\n  litellm_params: {model: opnai/gpt-4o}\n"
    folder = editor.root.parent / "alone"
    folder.mkdir()
    editor.root, root = folder, editor.root
    try:
        editor.open("config.yaml", text)
        editor.until(lambda found: "NX402" in str(found.get(editor.uri("config.yaml"))))
        assert "finds no provider" in editor.hover("config.yaml", text.replace("opnai", "opn|ai"))
        more = text + "litellm_settings:\n  drop|"
        assert "drop_params" in editor.labels("config.yaml", more)
        editor.close("config.yaml")
        editor.until(lambda found: not found.get(editor.uri("config.yaml")))
        # What is no configuration of LiteLLM is none of its business.
        editor.open("compose.yaml", "services:\n  web: {image: x}\n")
        editor.until(lambda found: editor.uri("compose.yaml") in found)
        assert editor.codes("compose.yaml") == []
        assert editor.hover("compose.yaml", "serv|ices:\n  web: {image: x}\n") == ""
    finally:
        editor.root = root


def test_no_answer_has_a_key(editor: Editor) -> None:
    text = OPENAI.replace("gpt-5.6\n", f"gpt-5.6\n    api_key: {SECRET}\n")
    editor.open("providers/openai.yaml", text)
    editor.until(lambda found: "NX302" in str(found.get(editor.uri("providers/openai.yaml"))))
    assert SECRET not in str(editor.client.diagnostics)
    at_key = text.replace(SECRET, SECRET[:9] + "|" + SECRET[9:])
    assert SECRET not in editor.hover("providers/openai.yaml", at_key)
    params = lsp.DocumentSymbolParams(
        lsp.TextDocumentIdentifier(uri=editor.uri("providers/openai.yaml"))
    )
    outline = editor.run(editor.client.text_document_document_symbol_async(params))
    assert SECRET not in str(outline)
    for each in editor.actions("providers/openai.yaml", at_key):
        assert SECRET not in each.title


@pytest.mark.parametrize(
    "text", ["", "\n", "a: [", "- - -", "\ufeffmodel_list: []\n", "a: &a {b: *a}", "🎉: 🎉"]
)
def test_any_text_has_an_answer(editor: Editor, text: str) -> None:
    """Nothing that someone types ends the server."""
    for line, content in enumerate(text.split("\n")):
        lines = text.split("\n")
        for column in range(len(content) + 1):
            marked = [*lines]
            marked[line] = content[:column] + "|" + content[column:]
            editor.hover("providers/openai.yaml", "\n".join(marked))
            editor.complete("providers/openai.yaml", "\n".join(marked))
    assert "gpt-5.6" in editor.hover("providers/openai.yaml", OPENAI.replace("gpt-5.6", "gpt|-5.6"))


def test_it_ends_when_the_editor_does(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    editor.start()
    process = editor.client._server
    editor.stop()
    assert process.returncode == 0


def test_without_the_extra_it_says_what_is_missing(tmp_path: Path) -> None:
    program = (
        "import sys\nsys.modules['pygls'] = None\nsys.argv = ['nixcfg', 'lsp']\n"
        "from nixcfg import cli\ncli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "nixcfg[lsp]" in done.stderr
