"""configs.<name>.settings: merged into the file, and judged when the system is built."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

BASE = """
  services.litellm-proxy = {
    enable = true; backend = "docker"; modelConfig = "a";
    configs.a = { file = lib.mkDefault ./a.yaml; secrets = [ "OPENAI_API_KEY" ]; };
    secrets.OPENAI_API_KEY.file = "/keys/openai";
    package = lib.mkDefault pkgs.docker;
  };
"""
A = "services.litellm-proxy.configs.a"
KEY = "sk-ant-0123456789abcdef0123"

SOUND = {
    "one-value": f"{A}.settings.router_settings.num_retries = 5;",
    "two-modules": f"""imports = [ {{ {A}.settings.router_settings.num_retries = 5; }} ];
      {A}.settings.litellm_settings.drop_params = true;""",
    "reference": f"""
      {A}.settings.general_settings.token = "os.environ/OPENAI_API_KEY";""",
    "no-file": f"""{A} = {{ file = null; settings.model_list = [
      {{ model_name = "gpt"; litellm_params = {{
        model = "openai/gpt-4o"; api_key = "os.environ/OPENAI_API_KEY"; }}; }} ]; }};""",
    "wrong-value": f'{A}.settings.router_settings.routing_strategy = "round-robin";',
}
REFUSED = {
    "nothing": (f"{A}.file = null;", "neither file nor settings", f"Set {A}.file"),
    "no-nixcfg": (
        f"{A}.settings.router_settings.num_retries = 5; services.litellm-proxy.package = null;",
        "nothing would judge the configuration",
        "the overlay of nixcfg's flake",
    ),
    "file-of-the-machine": (
        f'{A} = {{ file = "/etc/litellm.yaml"; settings.router_settings.num_retries = 5; }};',
        "is read when the container starts",
        "Write a path without quotes",
    ),
    "key": (
        f'{A}.settings.general_settings.alerting_args.token = "{KEY}";',
        "`token` looks like a key",
        "revoke it",
    ),
    "key-in-a-list": (
        f'{A}.settings.model_list = [ {{ litellm_params.api_key = "{KEY}"; }} ];',
        "`api_key` looks like a key",
        "os.environ/NAME",
    ),
    "unknown-variable": (
        f'{A}.settings.general_settings.token = "os.environ/SOMETHING";',
        "`SOMETHING` not given to the container",
        f"Add it to {A}.secrets",
    ),
}
FILE = """\
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
router_settings:
  num_retries: 1
  timeout: 60
"""

Case = dict[str, Any]


@pytest.fixture(scope="module")
def evaluated(nix, tmp_path_factory) -> dict[str, Case]:
    """Every case of this file, evaluated."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "a.yaml").write_text(FILE)
    snippets = {**SOUND, **{name: text for name, (text, _, _) in REFUSED.items()}}
    (folder / "cases.nix").write_text(
        "let base = { lib, pkgs, ... }: {"
        + BASE
        + "}; in {\n"
        + "\n".join(
            f'"{name}" = {{ lib, pkgs, ... }}: {{ imports = [ base {{ {text} }} ]; }};'
            for name, text in snippets.items()
        )
        + "\n}\n"
    )
    return nix("cases.nix", cases=str(folder / "cases.nix"))


@pytest.mark.parametrize("name", SOUND)
def test_sound(evaluated, name):
    assert evaluated[name]["assertions"] == []
    assert evaluated[name]["warnings"] == []


@pytest.mark.parametrize("name", REFUSED)
def test_refused(evaluated, name):
    _, said, fix = REFUSED[name]
    (refusal,) = evaluated[name]["assertions"]
    assert said in refusal
    assert fix in refusal
    assert KEY not in refusal


def build(case: Case, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the build of the mounted file does: its script, which is the text of the stand-in."""
    (mounted,) = (each for each in case["container"]["volumes"] if ":/app/config.yaml:" in each)
    script = Path(mounted.partition(":")[0]).read_text()
    programs = folder / "bin"
    programs.mkdir()
    for name, command in (("python3", ""), ("nixcfg", " -P -m nixcfg")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable}{command} "$@"\n')
        program.chmod(0o755)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "out": str(folder / "out")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_settings_are_merged_into_the_file(evaluated, tmp_path):
    done = build(evaluated["one-value"], tmp_path)
    assert done.returncode == 0, done.stderr
    given = yaml.safe_load(FILE)
    given["router_settings"]["num_retries"] = 5
    assert yaml.safe_load((tmp_path / "out").read_text()) == given


def test_a_configuration_needs_no_file(evaluated, tmp_path):
    done = build(evaluated["no-file"], tmp_path)
    assert done.returncode == 0, done.stderr
    (model,) = yaml.safe_load((tmp_path / "out").read_text())["model_list"]
    assert model["model_name"] == "gpt"


def test_what_nixcfg_refuses_is_not_built(evaluated, tmp_path):
    done = build(evaluated["wrong-value"], tmp_path)
    assert done.returncode != 0
    assert "routing_strategy" in done.stdout
    assert not (tmp_path / "out").exists()
