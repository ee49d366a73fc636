"""The wiring script in the directories that systemd gives to it, for tests that run it."""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MISSING = "nixcfg-missing-key"
FIRST = "sk-first-0123456789"
SECOND = "second/with+odd=characters$HOME`id`'\"\\ and spaces"
ACCOUNT = '{"type": "service_account",\n "private_key": "-----BEGIN"}\n'


@dataclass(frozen=True)
class Machine:
    """The three directories that systemd gives to the unit, and the script to run."""

    script: Path
    credentials: Path
    runtime: Path
    state: Path

    def give(self, **contents: str | bytes | None) -> None:
        """Write credentials as systemd would; None stands for a missing key file."""
        for variable, content in contents.items():
            text = MISSING if content is None else content
            data = text.encode() if isinstance(text, str) else text
            (self.credentials / variable).write_bytes(data)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "CREDENTIALS_DIRECTORY": str(self.credentials),
            "RUNTIME_DIRECTORY": str(self.runtime),
            "STATE_DIRECTORY": str(self.state),
        }

    def run(self, *prefix: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*prefix, str(self.script)],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def wired(self) -> dict[str, str]:
        """What the container would find in its environment (docker and podman: no quoting)."""
        lines = (self.runtime / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def snapshot(self) -> dict[str, tuple[int, bytes]]:
        """Inode and content of everything that the container reads."""
        return {
            str(path.relative_to(self.runtime)): (path.stat().st_ino, path.read_bytes())
            for path in sorted(self.runtime.rglob("*"))
            if path.is_file() and path.name != "lock"
        }


def script_of(nix: Callable[..., Any], settings: Path) -> str:
    """The text of litellm-proxy-secrets.service's script, as the unit file names it."""
    exported = nix("units.nix", settings=str(settings))
    unit = exported["units"]["litellm-proxy-secrets.service"]
    (path,) = re.findall(r"^ExecStart=(\S+)", unit, re.MULTILINE)
    return exported["scripts"][path]


def machine_with(script: str, folder: Path, **contents: str) -> Machine:
    """A machine below `folder`, on which these keys are there and good."""
    path = folder / "wire"
    path.write_text(script)
    path.chmod(0o755)
    made = Machine(path, folder / "credentials", folder / "run", folder / "state")
    for each in (made.credentials, made.runtime, made.state):
        each.mkdir(mode=0o700)
    made.give(**contents)
    return made
