"""A setting that one file gives twice: where LiteLLM ignores it, and where it honours it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from program import Run

OPENAI = """\
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-5.6, api_key: os.environ/OPENAI_API_KEY}
"""
CLAUDE = """\
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-5-5, api_key: os.environ/ANTHROPIC_API_KEY}
"""
BOTH = "litellm_settings: {cooldown_time: 30}\nrouter_settings: {cooldown_time: 60}\n"
NEITHER = "litellm_settings: {cooldown_time: 30}\ngeneral_settings: {cooldown_time: 60}\n"


def project(folder: Path, own: str = "", openai: str = "") -> Path:
    (folder / "providers").mkdir()
    (folder / "nixcfg.yaml").write_text("model_config: all\n" + own)
    (folder / "providers" / "openai.yaml").write_text(OPENAI + openai)
    return folder


def rendered(folder: Path) -> Any:
    return yaml.safe_load((folder / "rendered" / "litellm" / "all.yaml").read_text())


@pytest.mark.parametrize("settings", [BOTH, NEITHER], ids=["one is honoured", "none is"])
@pytest.mark.parametrize("file", ["own", "openai"])
def test_two_in_one_file_are_a_conflict(file: str, settings: str, tmp_path: Path, nixcfg: Run):
    done = nixcfg("-C", project(tmp_path, **{file: settings}), "render")
    assert done.returncode == 1
    assert "error[NX202]: router_settings.cooldown_time is 60 here and 30 in" in done.stderr
    way_out = "remove one." if file == "own" else "decide in nixcfg.yaml under router_settings."
    assert f"make them equal, or {way_out}" in done.stderr


def test_nixcfg_yaml_still_wins_over_a_provider(tmp_path: Path, nixcfg: Run):
    own = "litellm_settings: {cooldown_time: 30}\n"
    folder = project(tmp_path, own=own, openai="router_settings: {cooldown_time: 60}\n")
    done = nixcfg("-C", folder, "render")
    assert done.returncode == 0, done.stderr
    assert rendered(folder)["router_settings"] == {"cooldown_time": 30}


@pytest.mark.parametrize("models", [OPENAI, OPENAI + CLAUDE], ids=["one provider", "two"])
def test_an_import_keeps_what_litellm_did(models: str, tmp_path: Path, nixcfg: Run):
    (tmp_path / "config.yaml").write_text(models + BOTH)
    out = tmp_path / "out"
    done = nixcfg("import", tmp_path / "config.yaml", "--out", out)
    assert done.returncode == 0, done.stderr
    done = nixcfg("-C", out, "render")
    assert done.returncode == 0, done.stderr
    assert rendered(out)["router_settings"] == {"cooldown_time": 60}


@pytest.mark.parametrize("models", [OPENAI, OPENAI + CLAUDE], ids=["one provider", "two"])
@pytest.mark.parametrize("more", ["", "router_settings: {num_retries: 2}\n"])
def test_an_import_of_two_ignored_ones_leaves_one_out(
    models: str, more: str, tmp_path: Path, nixcfg: Run
):
    (tmp_path / "config.yaml").write_text(models + NEITHER + more)
    out = tmp_path / "out"
    done = nixcfg("import", tmp_path / "config.yaml", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "left-out" in done.stderr
    assert nixcfg("-C", out, "render").returncode == 0
