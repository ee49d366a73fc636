"""The server as an editor meets it: a real client asks a real process."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from editing import Editor
from lsprotocol import types as lsp

PROJECT = {
    "nixcfg.yaml": (
        "model_config: all\n"
        "profiles:\n"
        "  small: [openai]\n"
        "router_settings:\n"
        "  fallbacks:\n"
        "  - gpt: [sonnet]\n"
    ),
    "providers/openai.yaml": (
        "model_list:\n"
        "- model_name: gpt\n"
        "  litellm_params:\n"
        "    model: openai/gpt-5.6\n"
        "environment_variables:\n"
        "  OPENAI_API_KEY: ${OPENAI_API_KEY}\n"
    ),
    "providers/claude.yaml": (
        "model_list:\n"
        "- model_name: sonnet # 🎉 the good one\n"
        "  litellm_params:\n"
        "    model: anthropic/claude-sonnet-4-5\n"
        "    api_key: os.environ/ANTHROPIC_API_KEY\n"
        "environment_variables:\n"
        "  ANTHROPIC_API_KEY: ${ANTHROPIC_API_KEY}\n"
        "router_settings:\n"
        "  model_group_alias: {best: sonnet}\n"
    ),
}
OPENAI, CLAUDE = PROJECT["providers/openai.yaml"], PROJECT["providers/claude.yaml"]
SECRET = "sk-proj-Abcdefghij0123456789klmnopqrst"


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    root = tmp_path_factory.mktemp("project")
    (root / "providers").mkdir()
    for name, text in PROJECT.items():
        (root / name).write_text(text)
    editor = Editor(root)
    editor.start()
    yield editor
    editor.stop()


@pytest.fixture(autouse=True)
def as_it_was(editor: Editor) -> Iterator[None]:
    """Each test leaves the buffers as the files are."""
    yield
    for name, text in PROJECT.items():
        if editor.uri(name) in editor.versions:
            editor.type(name, text)
    editor.texts = {}


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


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "providers/openai.yaml",
            OPENAI + "litellm_settings:\n  drop_pa|rams: true\n",
            ["drop_params", "Leave out parameters", "By default false"],
        ),
        (
            "providers/openai.yaml",
            OPENAI + "litellm_settings:\n  routing_str|ategy: least-busy\n",
            ["no effect in litellm_settings", "reads it in router_settings", "nixcfg renders it"],
        ),
        (
            "providers/openai.yaml",
            OPENAI.replace("openai/gpt-5.6", "openai/gpt-4|o"),
            ["**gpt-4o** at openai", "tokens in", "for a million tokens"],
        ),
        (
            "providers/openai.yaml",
            OPENAI.replace("openai/gpt-5.6", "opnai/gpt-4|o"),
            ["finds no provider"],
        ),
        (
            "providers/claude.yaml",
            CLAUDE.replace("os.environ/ANTHROPIC", "os.environ/ANTH|ROPIC"),
            ["/etc/nixcfg/secrets/anthropic_api_key.txt", "set-key ANTHROPIC_API_KEY"],
        ),
        (
            "nixcfg.yaml",
            PROJECT["nixcfg.yaml"].replace("[sonnet]", "[son|net]"),
            ["anthropic/claude-sonnet-4-5 (providers/claude.yaml)"],
        ),
        ("nixcfg.yaml", PROJECT["nixcfg.yaml"].replace("[openai]", "[open|ai]"), ["gpt"]),
        ("nixcfg.yaml", PROJECT["nixcfg.yaml"] + "po|rt: 4001\n", ["published", "By default 4000"]),
        (
            "providers/openai.yaml",
            OPENAI.replace("gpt\n", "gpt # nixcfg: ignore NX4|08\n"),
            ["**NX408**"],
        ),
        ("providers/openai.yaml", OPENAI.replace("name: gpt", "name: |gpt"), ["clients ask for"]),
        ("providers/openai.yaml", OPENAI + "x-mi|ne: 1\n", []),
    ],
)
def test_hover_says_what_it_means(editor: Editor, name: str, text: str, said: list[str]) -> None:
    found = editor.hover(name, text)
    assert bool(found) == bool(said)
    for each in said:
        assert each in found


@pytest.mark.parametrize(
    ("name", "text", "offered", "refused"),
    [
        (
            "providers/openai.yaml",
            OPENAI + "litellm_settings:\n  drop|",
            ["drop_params"],
            ["fallbacks"],
        ),
        (
            "providers/openai.yaml",
            OPENAI + "router_settings:\n  |",
            ["routing_strategy"],
            ["drop_params"],
        ),
        (
            "providers/openai.yaml",
            OPENAI + "router_settings:\n  routing_strategy: l|",
            ["least-busy"],
            [],
        ),
        ("providers/openai.yaml", OPENAI + "gen|", ["general_settings"], []),
        (
            "providers/openai.yaml",
            "model_list:\n- model_name: x\n  li|",
            ["litellm_params"],
            ["model_name"],
        ),
        (
            "providers/openai.yaml",
            "model_list:\n- litellm_params:\n    model: anthr|",
            ["anthropic/"],
            [],
        ),
        (
            "providers/openai.yaml",
            "model_list:\n- litellm_params:\n    model: openai/gpt-4o-m|",
            ["openai/gpt-4o-mini"],
            ["openai/o3"],
        ),
        (
            "providers/openai.yaml",
            OPENAI.replace("gpt-5.6\n", "gpt-5.6\n    api_key: os.environ/|\n"),
            ["os.environ/OPENAI_API_KEY"],
            [],
        ),
        (
            "providers/openai.yaml",
            OPENAI + "router_settings:\n  fallbacks: [{gpt: [|",
            ["sonnet", "best"],
            [],
        ),
        (
            "providers/openai.yaml",
            OPENAI + "router_settings:\n  default_fallbacks:\n  - |",
            ["sonnet"],
            [],
        ),
        (
            "providers/openai.yaml",
            OPENAI + "litellm_settings:\n  callbacks: [prom|",
            ["prometheus"],
            [],
        ),
        (
            "nixcfg.yaml",
            PROJECT["nixcfg.yaml"].replace("g: all", "g: |"),
            ["all", "openai", "small"],
            [],
        ),
        ("nixcfg.yaml", "model_config: all\nba|", ["backend"], ["model_config"]),
        ("nixcfg.yaml", "backend: |", ["docker", "podman"], []),
        ("nixcfg.yaml", "severities:\n  NX4|", ["NX408"], ["NX003"]),
        ("nixcfg.yaml", "profiles:\n  x: [op|", ["openai"], []),
        ("nixcfg.yaml", "# comm|ent", [], ["model_config"]),
    ],
)
def test_completion_offers_what_fits(
    editor: Editor, name: str, text: str, offered: list[str], refused: list[str]
) -> None:
    labels = editor.labels(name, text)
    assert not set(offered) - set(labels)
    assert not set(refused) & set(labels)
    if not offered:
        assert labels == []


def test_an_offer_replaces_what_is_typed(editor: Editor) -> None:
    text = OPENAI + "litellm_settings:\n  drop|"
    [found] = [
        e for e in editor.complete("providers/openai.yaml", text) if e.label == "drop_params"
    ]
    assert isinstance(found.text_edit, lsp.TextEdit)
    assert found.text_edit.new_text == "drop_params: "
    assert found.text_edit.range.start.character == 2
    assert found.text_edit.range.end.character == 6
    assert "Leave out parameters" in found.documentation.value


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
