"""providers and models: the tables; and the examples in the help of all these commands."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from roster import KEY, Run

from nixcfg import cli

MINE = (
    "add-provider",
    "add-model",
    "rename",
    "remove-provider",
    "models",
    "use",
    "set-key",
    "completion",
)


def test_the_overview(run: Run) -> None:
    run("add-provider", "groq", "--model", "openai/gpt-oss-20b", "--profile", "fast")
    table = run("providers").stdout.splitlines()
    assert table[0].split() == ["NAME", "MODELS", "KEY", "KEY", "FILE", "CONFIGS"]
    assert table[2].split() == [
        "groq", "gpt-oss-20b", "GROQ_API_KEY", "/etc/nixcfg/secrets/groq_api_key.txt",
        "groq,", "fast,", "all*",
    ]  # fmt: skip
    rows = json.loads(run("providers", "--json").stdout)
    assert [row["name"] for row in rows] == ["claude", "groq"]
    assert rows[1]["configs"] == ["groq", "fast", "all"]


def test_the_catalogue(run: Run) -> None:
    listed = json.loads(run("models", "anthropic/*sonnet*", "--json").stdout)
    assert listed
    assert all(m["model"].startswith("anthropic/") and not m["is_retired"] for m in listed)
    everything = json.loads(run("models", "deepseek/", "--all", "--json").stdout)
    assert any(m["is_retired"] for m in everything)
    assert "retired 2026-07-24" in run("models", "deepseek/deepseek-chat", "--all").stdout


@pytest.mark.parametrize("name", MINE)
def test_the_examples_in_help_work(name: str, run: Run, project: Path, program: list[str]) -> None:
    """Every line of an example is run as it stands, in a project where its files exist."""
    shown = run(name, "--help").stdout
    examples = re.findall(
        r"^.*?(\S.*nixcfg .+|nixcfg .+)$", shown.partition("Example")[2], re.MULTILINE
    )
    assert examples
    (project / "key").write_text(KEY)
    (project / "secrets").mkdir(mode=0o700)
    file = project / "nixcfg.yaml"
    file.write_text(file.read_text().replace("/etc/nixcfg/secrets", str(project / "secrets")))
    bin_folder = project / "bin"
    bin_folder.mkdir()
    (bin_folder / "pass").write_text(f"#!/bin/sh\necho {KEY}\n")
    (bin_folder / "pass").chmod(0o755)
    if name in ("remove-provider", "set-key"):
        run("add-provider", "groq")
    if name == "use":
        run("add-provider", "openai")
    for example in examples:
        line = re.search(r"(pass .*\| )?nixcfg .*", example)
        assert line, example
        command = line[0].strip()
        if name == "set-key" and command == "nixcfg set-key groq":
            command = f"printf {KEY} | {command}"
        run_shell(command, program, project, bin_folder)


def run_shell(command: str, program: list[str], project: Path, bin_folder: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'nixcfg() {{ {shlex.join(program)} "$@"; }}\n{command}'],
        cwd=project,
        env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    assert done.stdout + done.stderr, f"{command} says nothing"


def test_every_command_of_mine_is_there() -> None:
    assert set(MINE) <= {*cli.COMMANDS, *cli.HIDDEN}
