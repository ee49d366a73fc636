"""Programs that people use with a gateway, each set up by what `nixcfg client` prints or writes.

NIXCFG_CLIENTS names folders with the programs, as PATH does: npm install @anthropic-ai/claude-code
@openai/codex opencode-ai; pip install aider-chat. Skips those that are not there.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Trying, environment

from program import Run

pytestmark = pytest.mark.slow
ANSWER = "This is a canned answer"
PLACES = os.pathsep.join(filter(None, (os.environ.get("NIXCFG_CLIENTS"), os.environ["PATH"])))
WRITTEN = {
    "claude-code": ("claude", "-p", "Hello"),
    "codex": ("codex", "exec", "--skip-git-repo-check", "Hello"),
    "opencode": ("opencode", "run", "Hello"),
}


def ask(
    program: str, *arguments: str, home: Path, **more: str
) -> "subprocess.CompletedProcess[str]":
    found = shutil.which(program, path=PLACES)
    if not found:
        pytest.skip(f"{program} is not installed here")
    work = home / "work"
    work.mkdir(exist_ok=True)
    return subprocess.run(
        [found, *arguments],
        cwd=work,
        env={**environment(home, **more), "PATH": PLACES},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.parametrize("client", WRITTEN)
def test_what_client_writes_is_enough(
    client: str, trying: Trying, tmp_path: Path, nixcfg: Run
) -> None:
    program, *arguments = WRITTEN[client]
    key = {"LITELLM_MASTER_KEY": trying.key}
    if not shutil.which(program, path=PLACES):
        pytest.skip(f"{program} is not installed here")
    written = nixcfg(
        *("-C", trying.project, "client", client, "--write", "--url", trying.url),
        env=environment(tmp_path, **key),
    )
    assert written.returncode == 0, written.stderr
    files = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(trying.key in text for text in files)
    done = ask(program, *arguments, home=tmp_path, **key)
    assert ANSWER in done.stdout, done.stderr
    refused = ask(program, *arguments, home=tmp_path, LITELLM_MASTER_KEY="sk-wrong")
    assert ANSWER not in refused.stdout
    assert "No connected db" in refused.stdout + refused.stderr


def test_aider(trying: Trying, tmp_path: Path, nixcfg: Run) -> None:
    key = {"LITELLM_MASTER_KEY": trying.key}
    printed = nixcfg(
        *("-C", trying.project, "client", "aider", "--url", trying.url),
        env=environment(tmp_path, **key),
    )
    *exports, command = printed.stdout.splitlines()
    assert command == "aider --model openai/claude-sonnet"
    given = dict(line.removeprefix("export ").split("=", 1) for line in exports)
    assert given["OPENAI_API_KEY"] == '"$LITELLM_MASTER_KEY"'
    quiet = ("--no-git", "--yes-always", "--no-check-update", "--no-show-model-warnings")
    done = ask(
        *command.split(),
        *quiet,
        "--no-analytics",
        "--message",
        "Hello",
        home=tmp_path,
        OPENAI_API_BASE=given["OPENAI_API_BASE"],
        OPENAI_API_KEY=trying.key,
    )
    assert ANSWER in done.stdout, done.stderr
