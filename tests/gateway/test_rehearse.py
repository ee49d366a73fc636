"""`nixcfg rehearse`: what LiteLLM makes of a project, before anybody depends on it."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from day import REFUSED, Cli
from vendor import Vendor


@pytest.mark.slow
def test_three_configurations(
    litellm: None,  # noqa: ARG001
    cli: Cli,
    project: Path,
    fresh: dict[str, Vendor],
    tmp_path: Path,
):
    """A good one, one that LiteLLM refuses, and one of which it drops a deployment."""
    (project / "providers" / "refused.yaml").write_text(REFUSED)
    with (project / "nixcfg.yaml").open("a") as text:
        text.write("  LITELLM_LOG: ERROR\n")  # it says nothing when it is up
        text.write("redis: local\ninstances: 2\nmetrics: true\n")  # not there, and not missed
    for file in (project / "keys").iterdir():
        file.unlink()  # no key is needed
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    done = cli(project, "rehearse", "whole", "refused", "--json", TMPDIR=str(temporary))
    assert done.code == 1, done.err
    whole, refused = json.loads(done.out)
    assert whole["errors"] == whole["warnings"] == whole["missing"] == []
    assert whole["models"] == 5
    assert 0 < whole["start_seconds"] <= whole["seconds"]
    first, cause = refused["errors"]
    assert first.startswith("LiteLLM ended by itself with exit code")
    assert cause == "ValueError: Empty module name"
    assert "start_seconds" not in refused

    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(cli, project, "rehearse", "holed", TMPDIR=str(temporary))
        while not going.done() and not litellms(temporary):
            time.sleep(0.05)
        assert len(litellms(temporary)) == 1
        done = going.result(300)
    assert done.code == 1
    dropped, error, summary = done.out.splitlines()
    assert dropped == "holed: error: LiteLLM drops dropped; no one could ask for it"
    assert error.startswith("holed: error: Error creating deployment: litellm.BadRequestError")
    assert "model=antropic/claude" in error
    assert summary.startswith("holed: 5 of 6 models served, 1 error, 0 warnings; up after ")

    assert not any(vendor.seen for vendor in fresh.values())
    assert litellms(temporary) == set()
    assert list(temporary.iterdir()) == []


def test_a_compromised_litellm_is_not_started(
    litellm: None,  # noqa: ARG001
    cli: Cli,
    project: Path,
    tmp_path: Path,
):
    """Its metadata comes first on the path, as an installed 1.107.0 would."""
    metadata = tmp_path / "site" / "litellm-1.107.0.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: litellm\nVersion: 1.107.0\n")
    done = cli(project, "rehearse", "whole", "--json", PYTHONPATH=str(tmp_path / "site"))
    assert done.code == 1
    (result,) = json.loads(done.out)
    assert "LiteLLM 1.107.0 that is installed beside nixcfg is compromised" in result["errors"][0]
    assert "start_seconds" not in result
    done = cli(project, "try", PYTHONPATH=str(tmp_path / "site"))
    assert done.code == 1
    assert "is compromised, and was not started" in done.err


def litellms(folder: Path) -> set[int]:
    """The processes that run LiteLLM on a configuration below `folder`."""
    found = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if b"run_server" in command and os.fsencode(folder) in command:
                found.add(int(process.name))
    return found
