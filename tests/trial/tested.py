"""`nixcfg test` in a process of its own, on a project as it is or broken on purpose."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
Mutant = tuple[str, str, str]
"""The file of a provider, a text in it, and what takes its place."""


def run(
    project: Path, *options: str, temporary: Path | None = None, key: str = ""
) -> "subprocess.CompletedProcess[str]":
    """`key` is that of the gateway that is asked, where one is."""
    more = {"TMPDIR": str(temporary)} if temporary else {}
    return subprocess.run(
        [sys.executable, "-P", "-m", "nixcfg", "-C", str(project), "test", *options],
        env={**os.environ, "LITELLM_MASTER_KEY": key, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def results(project: Path, *options: str) -> list[dict]:
    """What became of the cases."""
    done = run(project, *options, "--format", "json")
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def failed(project: Path, *options: str) -> set[str]:
    """The names of the cases that fail; each says what was expected."""
    found = [each for each in results(project, *options) if not each["passed"]]
    assert all(each["failures"] for each in found), found
    return {each["name"] for each in found}


def copy(name: str, to: Path) -> Path:
    """A copy of one of the projects beside this file."""
    return Path(shutil.copytree(HERE / name, to / "project"))


def broken(name: str, to: Path, mutants: Mapping[str, Mutant]) -> Path:
    """A copy of a project in which all of these mutants are."""
    project = copy(name, to)
    for provider, old, new in mutants.values():
        file = project / "providers" / f"{provider}.yaml"
        text = file.read_text()
        assert text.count(old) == 1, (old, text)
        file.write_text(text.replace(old, new))
    return project
