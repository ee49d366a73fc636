import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import Done, call

from nixcfg.commands.init import copy_starter


@pytest.fixture(scope="session")
def program() -> list[str]:
    """The command line of nixcfg: as it is installed ($NIXCFG), or in this interpreter."""
    return shlex.split(os.environ.get("NIXCFG", "")) or [sys.executable, "-P", "-m", "nixcfg"]


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    """23 November 2026, for this process and those that it starts."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What `nixcfg init` makes: one provider, claude."""
    folder = tmp_path / "project"
    folder.mkdir()
    copy_starter(folder)
    return folder


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, bytes]]:
    """Every file below a folder with its content, hidden ones too."""

    def take(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and ".git/" not in str(path.relative_to(folder))
        }

    return take


@pytest.fixture
def git() -> str:
    found = shutil.which("git")
    if not found:
        pytest.skip("git is not installed here")
    return found


@pytest.fixture
def run(project: Path) -> Callable[..., Done]:
    """A command in the project, with no one at a terminal; `fails=True` expects a refusal."""

    def go(*arguments: str, fails: bool = False, given: bytes = b"") -> Done:
        done = call(*arguments, cwd=project, given=given)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert "bug" not in done.stderr
        return done

    return go
