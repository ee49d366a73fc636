"""Who may use which models, before a switch and after it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rules_support import TODAY

from nixcfg import check
from nixcfg.plan.facts import Facts, wanted
from nixcfg.plan.permitted import permitted
from nixcfg.project.find import read_project

MODELS = """\
model_list:
  - {model_name: gpt, litellm_params: {model: openai/gpt-5.6}}
  - {model_name: gpt-mini, litellm_params: {model: openai/gpt-5.6-mini}}
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4-5}
    model_info: {access_groups: [best]}
"""
BASE = """\
model_config: all
database: local
teams:
  research: {models: [gpt, claude], max_budget: 10}
  all: {}
users:
  anna: {models: [gpt]}
keys:
  web: {team: research, models: [gpt]}
  hers: {user: anna}
  ci: {}
"""


@pytest.fixture
def gateway(tmp_path: Path):
    def make(text: str = BASE, models: str = MODELS) -> Facts:
        files = {"nixcfg.yaml": text, "providers/one.yaml": models}
        for path, content in files.items():
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(content)
        project = check.validate(read_project(tmp_path), TODAY).project
        assert project is not None
        return wanted(project)

    return make


def said(old: Facts, new: Facts) -> set[str]:
    return {f"{each.kind.value} {each.what} {each.name}: {each.detail}"
            for each in permitted(old, new)}  # fmt: skip


FURTHER = "  - {model_name: o3, litellm_params: {model: openai/o3}}\n"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, set()),
        # Anyone who may use everything has what the gateway has.
        ({"models": MODELS + FURTHER}, set()),
        (
            {"text": BASE.replace("[gpt, claude]", "[gpt-mini, best]")},
            {"~ team research: +gpt-mini, -gpt", "~ key web: -gpt"},
        ),
        (
            {"text": BASE.replace("all: {}", "all: {models: [gpt, gpt-mini]}")},
            {"~ team all: -claude"},
        ),
        (
            {"text": BASE.replace("anna: {models: [gpt]}", "anna: {models: [no-default-models]}")},
            {"~ user anna: -gpt", "~ key hers: -gpt"},
        ),
        ({"text": BASE.replace("max_budget: 10", "max_budget: 20")},
         {"~ team research: max_budget"}),
        ({"text": BASE.replace("ci: {}", "other: {models: [claude]}")},
         {"- key ci: is blocked", "+ key other: claude"}),
        ({"text": BASE.replace("  ci: {}\n", "prune: true\n")}, {"- key ci: is deleted"}),
        (
            {"text": BASE.replace("web: {team: research", "web: {team: all")},
            {"~ key web: team"},
        ),
        (
            {"text": BASE.replace("web: {team", "web: {file: /run/keys/web, team")},
            {"~ key web: file"},
        ),
        (
            {"text": "model_config: all\ndatabase: local\n"},
            {"- access teams, users, keys: stay as they are, and unmanaged"},
        ),
    ],
)  # fmt: skip
def test_what_is_gained_and_lost(gateway: Any, change: dict[str, str], expected: set[str]):
    assert said(gateway(), gateway(**change)) == expected


def test_before_there_were_any(gateway: Any):
    new = gateway()
    assert said(replace(new, access={}), new) == {
        "+ team research: gpt, claude",
        "+ team all: gpt, gpt-mini, claude",
        "+ user anna: gpt",
        "+ key web: gpt",
        "+ key hers: gpt",
        "+ key ci: gpt, gpt-mini, claude",
    }


def test_an_access_group_gets_another_model(gateway: Any):
    text = BASE.replace("[gpt, claude]", "[gpt, best]")
    other = MODELS.replace("    model_info: {access_groups: [best]}\n", "").replace(
        "{model: openai/gpt-5.6-mini}",
        "{model: openai/gpt-5.6-mini}, model_info: {access_groups: [best]}",
    )
    assert said(gateway(text), gateway(text, other)) == {"~ team research: +gpt-mini, -claude"}
