"""Keys in files that git tracks: found by validate, render --check and doctor, and never shown."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import call

from nixcfg.commands.init import copy_starter

KEY = "sk-ant-api03-" + "Zm9vYmFy1aB2" * 3

Git = Callable[..., None]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy_starter(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def git(project: Path) -> Git:
    program = shutil.which("git")
    if not program:
        pytest.skip("git is not installed here")

    def run(*arguments: str) -> None:
        subprocess.run([program, "-C", project, *arguments], check=True, capture_output=True)

    run("init")
    return run


HOLDING = {
    ".env": f"export ANTHROPIC_API_KEY={KEY}\n",
    "deploy/prod.env": f'ANTHROPIC_API_KEY="{KEY}"\n',
    "secrets/anthropic_api_key.txt": KEY,
    "anthropic_api_key.txt": "0f1e2d3c4b5a69788796a5b4c3d2e1f0\n",
    "secrets.example/anthropic_api_key.txt": f"{KEY}\n",
    "rendered/note.txt": f"the key is {KEY}\n",
    "notes.md": f"first line\nour key: {KEY}, from May\n",
    "my-keys/openai": "sk-proj-" + "aB1cD2eF3gH4" * 4,
    "configuration.nix": f'{{ x.environment.ANTHROPIC_API_KEY = "{KEY}"; }}\n',
}


@pytest.mark.parametrize("name", HOLDING)
def test_a_tracked_key_is_found(name: str, project: Path, git: Git) -> None:
    file = project / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(HOLDING[name])
    call("render", cwd=project)
    file.parent.mkdir(exist_ok=True)
    file.write_text(HOLDING[name])
    assert "NX325" not in call("validate", cwd=project).stdout, "git does not track it"
    git("add", "-f", name)
    for command in (("validate",), ("render", "--check"), ("doctor",)):
        done = call(*command, cwd=project)
        printed = done.stdout + done.stderr
        assert done.returncode == 1, command
        assert name in printed, command
        assert "evoke" in printed
        for piece in (KEY, KEY[-12:], "0f1e2d3c", "aB1cD2"):
            assert piece not in printed, command


HOLDING_NONE = {
    ".env": "ANTHROPIC_API_KEY=replace-me\n",
    "secrets/anthropic_api_key.txt": "replace-me\n",
    "notes.md": "a key looks like sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxx\n",
    "flake.lock": '{"narHash": "sha256-Zm9vYmFyMWFCMlptOXZZbUZ5MWFCMlptOXZZbUZ5MWE="}\n',
    "configuration.nix": '{ image = "x@sha256:' + "0f1e" * 16 + '"; }\n',
    "tests/keys.txt": KEY,
    "src/client.py": f'KEY = "{KEY}"\n',
    "secrets.yaml": "anthropic: ENC[AES256_GCM,data:Zm9vYmFy1aB2,iv:Zm9vYmFy1aB2Zm9v,type:str]\n",
}


@pytest.mark.parametrize("name", HOLDING_NONE)
def test_what_is_no_key_is_left_alone(name: str, project: Path, git: Git) -> None:
    file = project / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(HOLDING_NONE[name])
    git("add", "-f", ".")
    done = call("validate", cwd=project)
    assert done.returncode == 0, done.stdout


def test_severities_decide_about_it_too(project: Path, git: Git) -> None:
    (project / ".env").write_text(HOLDING[".env"])
    git("add", "-f", ".")
    with (project / "nixcfg.yaml").open("a") as file:
        file.write("severities: {NX325: warning}\n")
    done = call("validate", cwd=project)
    assert done.returncode == 0
    assert ".env:1:26: warning[NX325]" in done.stdout


def test_without_git_nothing_is_asked(
    project: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".env").write_text(HOLDING[".env"])
    git("add", "-f", ".")
    monkeypatch.setenv("PATH", "/nonexistent")
    assert call("validate", cwd=project).returncode == 0
