"""Commands that only read wait for one that writes, so that they never see half of a change."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from nixcfg.disk.lock import locked

PROVIDER = "model_list:\n  - model_name: m\n    litellm_params: {model: openai/gpt-4o}\n"


def opened(pid: int) -> set[str]:
    """What a process has open."""
    found = set()
    for handle in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.add(str(handle.readlink()))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("command", [["validate"], ["render"]], ids=" ".join)
def test_a_reader_sees_none_or_all_of_a_change(tmp_path: Path, command: list[str]):
    providers = tmp_path / "providers"
    providers.mkdir()
    (providers / "first.yaml").write_text(PROVIDER)
    with locked(tmp_path):  # a writer: the profile is there, the provider that it names is not yet
        (tmp_path / "nixcfg.yaml").write_text("profiles: {both: [first, second]}\n")
        reader = subprocess.Popen(
            [sys.executable, "-P", "-m", "nixcfg", "-C", str(tmp_path), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while reader.poll() is None and str(tmp_path) not in opened(reader.pid):
            time.sleep(0.005)
        (providers / "second.yaml").write_text(PROVIDER.replace("name: m", "name: n"))
    said, _ = reader.communicate(timeout=60)
    assert "NX502" not in said
