"""A kill, a full disk and a second writer: the project validates whatever happened."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from in_process import call

from nixcfg import check
from nixcfg.project.find import read_project

Snapshot = Callable[[Path], dict[str, bytes]]

COMMAND = ("add-provider", "groq", "--profile", "fast", "--key-file", "/run/keys/groq")
CHANGES = "linkat,?link,?rename,renameat,renameat2,?unlink,unlinkat,?mkdir,mkdirat"
FAILURES = [
    ("link", "ENOSPC", 1),
    ("link", "EACCES", 2),
    ("rename", "EACCES", 1),
    ("fsync", "EIO", 2),
]


@pytest.fixture
def traced(program: list[str], tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run a command under strace; its exit code, and what strace saw."""
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed here")

    def run(folder: Path, command: tuple[str, ...], *options: str) -> tuple[int, str]:
        log = tmp_path / "strace.log"
        done = subprocess.run(
            ["env", "PYTHONDONTWRITEBYTECODE=1", strace, "-f", "-qq", "-o", log, *options, *program,
             "-C", folder, *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if "PTRACE" in done.stderr:
            pytest.skip("strace cannot trace here")
        return done.returncode, log.read_text(errors="replace")

    return run


def is_valid(root: Path) -> bool:
    return check.validate(read_project(root)).is_valid


def calls(log: str) -> list[str]:
    """The names of the calls that change something in a project, in order."""
    return [
        found[1]
        for line in log.splitlines()
        if (found := re.match(r"\d+ +(\w+)\(", line)) and "/project" in line and " = 0" in line
    ]


@pytest.mark.parametrize("command", [COMMAND, ("remove-provider", "groq", "--yes")])
def test_a_kill_leaves_a_valid_project_and_the_next_run_ends_the_work(
    command: tuple[str, ...],
    project: Path,
    traced: Callable[..., tuple[int, str]],
    snapshot: Snapshot,
    tmp_path: Path,
) -> None:
    if command[0] == "remove-provider":
        assert traced(project, COMMAND)[0] == 0
    old = snapshot(project)
    whole = Path(shutil.copytree(project, tmp_path / "whole" / "project"))
    code, log = traced(whole, command, "-e", f"trace={CHANGES}")
    assert code == 0
    new = snapshot(whole)
    names = calls(log)
    assert len(names) >= 4
    tidying = [n for n in range(1, len(names) - 1) if set(names[n - 1 : n + 2]) == {"unlink"}]
    between = 0
    for index, name in enumerate(names):
        if index in tidying:
            continue  # between its neighbours nothing can be different
        number = names[: index + 1].count(name)
        killed = Path(shutil.copytree(project, tmp_path / str(index) / "project"))
        inject = f"inject={name}:signal=SIGKILL:when={number}"
        code, _ = traced(killed, command, "-e", f"trace={name}", "-e", inject)
        assert code != 0
        assert is_valid(killed)
        left = {path: text for path, text in snapshot(killed).items() if ".nixcfg-new-" not in path}
        for path, text in left.items():
            assert text in (old.get(path), new.get(path)), f"{path} is half written"
        between += left not in (old, new)
        if call(*command, cwd=killed).returncode != 0:
            # The work was done already, only the tidying up was not.
            assert left == new
            assert call("use", "all", cwd=killed).returncode == 0
        assert snapshot(killed) == new
    assert between <= 3


def test_a_failing_call_leaves_all_or_nothing(
    project: Path,
    traced: Callable[..., tuple[int, str]],
    snapshot: Snapshot,
    tmp_path: Path,
) -> None:
    old = snapshot(project)
    whole = Path(shutil.copytree(project, tmp_path / "whole" / "project"))
    assert traced(whole, COMMAND)[0] == 0
    new = snapshot(whole)
    refused = 0
    for name, error, number in FAILURES:
        failed = Path(shutil.copytree(project, tmp_path / f"{name}{number}" / "project"))
        inject = f"inject={name}:error={error}:when={number}"
        code, _ = traced(failed, COMMAND, "-e", f"trace={name}", "-e", inject)
        assert snapshot(failed) == (new if code == 0 else old), f"{name} {number}"
        refused += code != 0
    assert refused >= 2


def test_writers_wait_for_each_other(project: Path, program: list[str]) -> None:
    names = ("groq", "mistral", "xai", "deepseek")
    running = [
        subprocess.Popen(
            [*program, "-C", project, "add-provider", name, "--profile", "fast"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for name in names
    ]
    for process in running:
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
    members = yaml.safe_load((project / "nixcfg.yaml").read_text())["profiles"]["fast"]
    assert sorted(members) == sorted(names)
    assert is_valid(project)
