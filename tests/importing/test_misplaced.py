"""Settings that LiteLLM ignored where they were: what the new project makes of them is reported."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nixcfg import check, knowledge
from nixcfg.importing import Kind, assemble
from nixcfg.project.find import read_project
from nixcfg.project.merge import honouring_section
from nixcfg.project.model import SETTINGS
from nixcfg.yamltext import emit, reader

VALUES = {"bool": True, "int": 7, "float": 1.5, "str": "some", "list[str]": ["some"], "list": []}
MODELS = [
    {"model_name": "one", "litellm_params": {"model": "openai/gpt-4o"}},
    {"model_name": "two", "litellm_params": {"model": "anthropic/claude-opus-4-5"}},
]


def misplaced(section: str) -> Iterator[tuple[str, str, Any]]:
    """Each key that one other section alone honours: that section, the key, and a value for it."""
    known = knowledge.default()
    for home in SETTINGS:
        for key, facts in known.keys(home).items():
            if home != section and honouring_section(known, section, key) == home:
                kind = facts.type.partition("|")[0]
                yield home, key, facts.values[-1] if facts.values else VALUES.get(kind, {})


def imported(folder: Path, data: dict[str, Any]) -> tuple[assemble.Imported, dict[str, Any]]:
    """What import says, and the settings that LiteLLM is then given."""
    found = assemble.assemble([reader.parse(emit.block(data), "config.yaml")], None)
    assert found.problems == ()
    for name, text in found.texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    project = check.validate(read_project(folder)).project
    assert project is not None
    return found, dict(project.machine.loaded.litellm)


@pytest.mark.parametrize("section", SETTINGS)
def test_what_takes_effect_now_is_what_is_reported(section: str, tmp_path: Path):
    given = list(misplaced(section))
    assert len(given) > 20
    data = {"model_list": MODELS, section: {key: value for _, key, value in given}}
    found, rendered = imported(tmp_path, data)
    changed = {note.message for note in found.notes if note.kind is Kind.CHANGED}
    left_out = [note.message for note in found.notes if note.kind is Kind.LEFT_OUT]
    works = 0
    for home, key, value in given:
        said = f"{key} had no effect in {section}; it takes effect now, in {home}"
        if key in (rendered.get(home) or {}):
            assert rendered[home][key] == value
            assert said in changed
            works += 1
        else:
            assert any(key in message for message in left_out), key
    assert works > len(given) // 2
    moved = {(name, key) for name in SETTINGS for key in rendered.get(name) or ()}
    assert moved <= {(home, key) for home, key, _ in given}


def test_what_another_section_has_too_stays_as_it_is(tmp_path: Path):
    data = {
        "model_list": MODELS,
        "litellm_settings": {"routing_strategy": "least-busy"},
        "router_settings": {"routing_strategy": "simple-shuffle"},
    }
    found, rendered = imported(tmp_path, data)
    assert rendered["router_settings"] == {"routing_strategy": "simple-shuffle"}
    said = "routing_strategy has no effect in litellm_settings, and router_settings has it too"
    assert [(note.kind, note.message) for note in found.notes] == [(Kind.LEFT_OUT, said)]


@pytest.mark.parametrize("section", ["general_settings", "model_list", "top"])
def test_what_stays_without_effect_is_not_said_to_have_one(section: str, tmp_path: Path):
    """`fallbacks` works in two sections, and timeout and num_retries of a deployment in none."""
    data: dict[str, Any] = {"model_list": MODELS}
    if section == "general_settings":
        data[section] = {"fallbacks": [{"one": ["two"]}]}
    elif section == "model_list":
        data[section] = [{**MODELS[0], "timeout": 5}, MODELS[1]]
    else:
        data["num_retries"] = 3
    found, rendered = imported(tmp_path, data)
    assert not any("takes effect" in note.message for note in found.notes)
    assert not rendered.get("router_settings")
    assert not rendered.get("litellm_settings")


def test_a_text_that_stood_for_a_variable_is_read_now(tmp_path: Path):
    """LiteLLM takes ${X} as it is; nixcfg reads it as the variable that was meant."""
    data = {
        "model_list": [
            {"model_name": "one", "litellm_params": {"model": "openai/o", "api_key": "${OWN_KEY}"}}
        ],
        "environment_variables": {"LANGFUSE_HOST": "${LANGFUSE_HOST}"},
    }
    found, rendered = imported(tmp_path, data)
    assert rendered["model_list"][0]["litellm_params"]["api_key"] == "os.environ/OWN_KEY"
    assert [note.message for note in found.notes if note.kind is Kind.CHANGED] == [
        "LiteLLM took ${OWN_KEY} as it is; it is the variable now",
        "LiteLLM took ${LANGFUSE_HOST} as it is; it is the variable now",
    ]
