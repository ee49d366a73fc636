"""A real systemd, as PID 1 of namespaces on a throw-away copy of this machine's root (boot.sh)."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from program import children

HERE = Path(__file__).parent

NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "--kill-child"]

# `podman run … -v FILE:FILE:ro …`: reads the mounted file of keys as start.py does. A container on
# trial answers its health check, unless it ends with what is in /srv/trial-ends. What is in
# /srv/image is the image, and what compiling it ends with is in /srv/compiler-ends.
PODMAN = """#!/bin/sh
case "$*" in
  image* | pull*) [ ! -e /srv/no-image ] || exit 1; cat /srv/image; exit 0 ;;
  run*--name=litellm-proxy-bytecode*)
    echo "$*" >> /srv/compiled; exit "$(cat /srv/compiler-ends || echo 0)" ;;
  run*--name=litellm-proxy-trial*) echo "$*" >> /srv/trials; exit ;;
  exec*litellm-proxy-trial*) [ ! -e /srv/trial-ends ]; exit ;;
  inspect*litellm-proxy-trial) echo "false $(cat /srv/trial-ends)"; exit ;;
  run*) ;;
  *) exit 0 ;;
esac
[ ! -e /srv/refuse ] || exit 3
until [ "${1%/environment:ro}" != "$1" ]; do shift; done
cp "${1%%:*}" "/srv/starts/$(ls /srv/starts | wc -l)"
exec sleep infinity
"""


@dataclass
class Machine:
    """A booted systemd. Paths below `root` are those that its processes see."""

    pid: int
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root = Path(f"/proc/{self.pid}/root")

    def run(self, *command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["nsenter", f"--target={self.pid}", "--all", f"--root={self.root}", "--wd=/", *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def state(self, unit: str) -> str:
        return self.run("systemctl", "is-active", unit).stdout.strip()

    def starts(self) -> int:
        return len(list((self.root / "srv/starts").iterdir()))

    def wired(self) -> dict[str, str]:
        """What the container was last started with."""
        text = (self.root / "srv/starts" / str(self.starts() - 1)).read_text()
        return dict(line.split("=", 1) for line in text.splitlines())

    def journal(self, unit: str, cursor: str) -> str:
        return self.run(
            "journalctl", "--no-pager", "--output=cat", f"--after-cursor={cursor}", f"--unit={unit}"
        ).stdout

    def cursor(self) -> str:
        said = self.run("journalctl", "--no-pager", "--lines=0", "--show-cursor").stdout
        return said.rsplit("-- cursor: ", 1)[1].strip()

    def until(self, reached: Callable[[], bool], seconds: float = 15) -> float:
        """Wait, and give the seconds that it took; fails after SECONDS."""
        begin = time.monotonic()
        while not reached():
            assert time.monotonic() - begin < seconds, self.run("journalctl", "-n", "60").stdout
            time.sleep(0.05)
        return time.monotonic() - begin

    def run_of(self, unit: str, *, ended: bool = False) -> str:
        """The id of a unit's run, "" for one that does not run; with `ended` that of its last."""
        asked = ("--property=ActiveState,InvocationID", unit)
        shown = self.run("systemctl", "show", *asked).stdout
        found = dict(line.split("=", 1) for line in shown.splitlines())
        runs = ended or found["ActiveState"] in ("active", "activating")
        return found["InvocationID"] if runs else ""

    def settle(self) -> None:
        """Until no job waits, and nothing has been assembled for a moment."""

        asked = "systemctl list-jobs --no-legend; systemctl is-active litellm-proxy-rotate.service"

        def quiet() -> bool:
            return self.run("sh", "-c", asked).stdout.strip() in {"inactive", "failed"}

        self.until(quiet, 30)
        time.sleep(0.3)
        self.until(quiet, 30)

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def link(self, path: str, target: str) -> None:
        """As `ln -sfn`, sops-nix and agenix do: a new link renamed over the old one."""
        (self.root / f"{path}.new").symlink_to(target)
        (self.root / f"{path}.new").rename(self.root / path)


def lay(overlay: Path, exported: Mapping[str, Any], programs: Mapping[str, str]) -> None:
    """Put what units.nix gave, and further programs, where the systemd inside finds them."""
    overlay.chmod(0o755)  # it becomes the root, which is not for root alone
    units = overlay / "etc/systemd/system"
    units.mkdir(parents=True, exist_ok=True)
    for name, text in exported["units"].items():
        (units / name).write_text(text)
    for path, text in {**exported["scripts"], **programs}.items():
        program = overlay / path.lstrip("/")
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)


def switch(
    machine: Machine, before: Mapping[str, Any], after: Mapping[str, Any], seconds: float = 60
) -> tuple[list[str], bool]:
    """What `nixos-rebuild switch` does with units, of which `after` is laid out: those which have
    changed and run are restarted, unless they say that a switch is not to do that. Gives their
    names, and whether every restart went well."""
    assert machine.run("systemctl", "daemon-reload").returncode == 0
    changed = [
        name
        for name, text in after["units"].items()
        if before["units"].get(name) != text
        and "X-RestartIfChanged=false" not in text
        and machine.state(name) in ("active", "activating", "failed")
    ]
    done = [machine.run("systemctl", "restart", name, timeout=seconds) for name in changed]
    return changed, all(each.returncode == 0 for each in done)


def stop_gone(
    machine: Machine, before: Mapping[str, Any], after: Mapping[str, Any], seconds: float = 60
) -> list[str]:
    """What a switch does first: the running units that `after` does not have are stopped, and all
    of those are removed. Gives their names."""
    gone = [unit for unit in before["units"] if unit not in after["units"]]
    running = [unit for unit in gone if machine.state(unit) in ("active", "activating")]
    if running:
        done = machine.run("systemctl", "stop", *running, timeout=seconds)
        assert done.returncode == 0, done.stderr
    for unit in gone:
        (machine.root / "etc/systemd/system" / unit).unlink()
    return gone


def start_wanted(machine: Machine, after: Mapping[str, Any]) -> None:
    """What a switch does last: what active targets want is started, and not waited for."""
    wanted = [unit for unit, by in after["wantedBy"].items() if "multi-user.target" in by]
    started = machine.run("systemctl", "start", "--no-block", *wanted)
    assert started.returncode == 0, started.stderr


@contextlib.contextmanager
def booted(overlay: Path, *folders: Path) -> Iterator[Machine]:
    """The machine, until the end of the block; skips where it cannot be had.

    `folders` of this machine are seen in it, also those in /tmp or on other file systems.
    """
    for program in ("unshare", "nsenter", "chroot", "/lib/systemd/systemd"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    log = overlay.with_suffix(".log")
    with log.open("w") as output:
        outer = subprocess.Popen(
            [*NAMESPACES, "bash", str(HERE / "boot.sh"), str(overlay), *map(str, folders)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield _machine(outer, log)
    finally:
        outer.kill()
        outer.wait(timeout=30)


def _machine(outer: subprocess.Popen[bytes], log: Path) -> Machine:
    """Wait for systemd inside; skips where namespaces or mounts are not to be had."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and outer.poll() is None:
        found = children(outer.pid)
        if found and Path(f"/proc/{found[0]}/comm").read_text().strip() == "systemd":
            machine = Machine(found[0])
            if machine.run("systemctl", "is-system-running").stdout.strip() == "running":
                return machine
        time.sleep(0.2)
    pytest.skip(f"systemd does not boot in namespaces here: {log.read_text()[-300:]}")
