"""`nixcfg rehearse`: what LiteLLM makes of a project, before anybody depends on it."""

import json
import os
from pathlib import Path

from day import REFUSED, Cli
from vendors import Vendor


def test_three_configurations(
    litellm: None,  # noqa: ARG001
    cli: Cli,
    project: Path,
    fresh: dict[str, Vendor],
    tmp_path: Path,
):
    """A good one, one of which LiteLLM drops a deployment, and one that it refuses."""
    (project / "providers" / "refused.yaml").write_text(REFUSED)
    for file in (project / "keys").iterdir():
        file.unlink()  # no key is needed
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    before = litellms()
    done = cli(project, "rehearse", "whole", "holed", "refused", "--json", TMPDIR=str(temporary))
    assert done.code == 1, done.err
    whole, holed, refused = json.loads(done.out)

    assert whole["errors"] == whole["warnings"] == whole["missing"] == []
    assert whole["models"] == 4
    assert 0 < whole["start_seconds"] <= whole["seconds"]

    assert holed["missing"] == ["dropped"]
    (error,) = holed["errors"]
    assert "LLM Provider NOT provided" in error
    assert "model=antropic/claude" in error

    first, cause = refused["errors"]
    assert first.startswith("LiteLLM ended by itself with exit code")
    assert cause == "ValueError: Empty module name"
    assert "start_seconds" not in refused

    assert not any(vendor.seen for vendor in fresh.values())
    assert litellms() == before
    assert list(temporary.iterdir()) == []


def test_as_text(
    litellm: None,  # noqa: ARG001
    cli: Cli,
    project: Path,
):
    done = cli(project, "rehearse", "dropped")
    assert done.code == 1
    *errors, summary = done.out.splitlines()
    assert errors[0] == "dropped: error: LiteLLM drops dropped; nobody could ask for it"
    assert errors[1].startswith("dropped: error: Error creating deployment: litellm.BadRequest")
    assert summary.startswith("dropped: 0 of 1 models served, 1 errors, 0 warnings; up after ")


def litellms() -> set[int]:
    """The processes that run LiteLLM."""
    found = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if b"run_server" in command:
                found.add(int(process.name))
    return found
