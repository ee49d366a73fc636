"""What the server says of a place in a text that is being written, and what it offers there."""

import pytest
from editing import Editor
from lsprotocol import types as lsp
from typed_project import CLAUDE, OPENAI, PROJECT

pytestmark = pytest.mark.usefixtures("as_it_was")


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
