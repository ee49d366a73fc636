"""A machine that is switched from one project to another, and what became of its units: a real
systemd with the module's own units, of which the files lead into the store as NixOS has them."""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import booting
from booting import Machine

import nixcfg as package
from nixcfg.plan import facts
from program import HERE, Run

SYSTEM = "etc/systemd/system"
STORE = "nix/store/of-the-machine"
ACCESS = "litellm-proxy-access.service"

#: By a unit: what to add to it. The stand-in for podman is no conmon that would say when it is
#: ready, and what waits for LiteLLM's database need not try again.
DROP_INS = {
    **{
        f"{backend}-litellm-proxy{number}.service": "[Service]\nType=simple\n"
        for backend in ("podman", "docker")
        for number in ("", "-1", "-2", "-3")
    },
    ACCESS: "[Service]\nRestart=no\n",
}


@dataclass
class Switched:
    """`settings` are options of the module beside what the sources say. `programs` are laid out by
    their paths, and `also` are further units to export."""

    folder: Path
    nix: Run
    nixcfg: Run
    programs: Mapping[str, str]
    settings: str = ""
    also: tuple[str, ...] = ()
    exported: dict[str, Any] = field(default_factory=dict)
    machine: Machine | None = None

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def running(self) -> Machine:
        assert self.machine is not None
        return self.machine

    def write(self, files: Mapping[str, str]) -> None:
        """The sources, and no other provider."""
        for old in (self.project / "providers").glob("*"):
            old.unlink()
        for path, text in files.items():
            (self.project / path).parent.mkdir(parents=True, exist_ok=True)
            (self.project / path).write_text(text)

    def export(self) -> dict[str, Any]:
        """What the module makes of the sources."""
        done = self.nixcfg("-C", self.project, "render")
        assert done.returncode == 0, done.stderr
        machine = self.folder / "machine.nix"
        machine.write_text(f"{{ imports = [ ./project/rendered/docker.nix ]; {self.settings} }}\n")
        also = " ".join(f'"{unit}"' for unit in self.also)
        done = self.nix(
            *("--eval", "--strict", "--json", "--read-write-mode", HERE / "nix/units.nix"),
            *("--arg", "settings", machine, "--arg", "also", f"[ {also} ]"),
        )
        assert done.returncode == 0, done.stderr
        exported: dict[str, Any] = json.loads(done.stdout)
        return exported

    def lay(self, root: Path, exported: Mapping[str, Any]) -> None:
        """Units and /etc lead into the store."""
        # Not by booting.lay: it would follow the links of the last time, out of this root.
        booting.lay(root, {**exported, "units": {}}, self.programs)
        for unit in exported["units"]:
            _into_store(root, f"{SYSTEM}/{unit}", exported["units"][unit])
            if unit in DROP_INS:
                # Theirs lead there too, for no drift to be found.
                _into_store(root, f"{SYSTEM}/{unit}.d/test.conf", DROP_INS[unit])
        for wants in (root / SYSTEM).glob("*.wants"):
            shutil.rmtree(wants)
        for unit, targets in exported["wantedBy"].items():
            for target in targets:
                wants = root / SYSTEM / f"{target}.wants"
                wants.mkdir(exist_ok=True)
                (wants / unit).symlink_to(f"../{unit}")
        _into_store(root, facts.DEPLOYED.lstrip("/"), exported["deployed"])
        for path, text in exported["files"].items():
            (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            (root / path.lstrip("/")).write_text(text)

    @contextmanager
    def booted(self, files: Mapping[str, str], *folders: Path) -> Iterator[Machine]:
        """The machine with these sources switched to, and nothing started."""
        self.write(files)
        self.exported = self.export()
        overlay = self.folder / "overlay"
        overlay.mkdir(exist_ok=True)
        self.lay(overlay, self.exported)
        (overlay / "srv/starts").mkdir(parents=True)
        repository = Path(package.__file__).parents[1]
        with booting.booted(
            overlay, Path(sys.prefix), repository, self.project, *folders
        ) as machine:
            self.machine = machine
            yield machine

    def planned(self) -> tuple[int, dict[str, Any]]:
        """The exit code of `nixcfg plan --json` on the machine, and what it prints."""
        command = (sys.executable, "-P", "-m", "nixcfg", "-C", str(self.project), "plan", "--json")
        done = self.running.run(*command)
        assert done.returncode in (0, 2), done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout)

    def states(self, *units: str) -> dict[str, str]:
        """By unit the id of its run, "" for one that does not run."""
        return {unit: self.running.run_of(unit, ended=unit == ACCESS) for unit in units}

    def switch(self, seconds: float = 120) -> dict[str, str]:
        """As `nixos-rebuild switch`; what it did to units that go, change or come, in the words of
        plan, but for those that restart units themselves."""
        before, self.exported = self.exported, self.export()
        after = self.exported
        gone = booting.stop_gone(self.running, before, after, seconds)
        self.lay(self.running.root, after)
        _, went_well = booting.switch(self.running, before, after, seconds)
        assert went_well, self.running.run("journalctl", "-n", "60").stdout
        done_to = {}
        if before["nginx"] and after["nginx"] and before["nginx"] != after["nginx"]:
            assert self.running.run("systemctl", "reload", "nginx.service").returncode == 0
            done_to["nginx.service"] = "reloads"
        if ACCESS in after["units"] and before["units"].get(ACCESS) != after["units"][ACCESS]:
            done_to[ACCESS] = "runs"
        elif ACCESS in gone:
            done_to[ACCESS] = "stops"
        booting.start_wanted(self.running, after)
        return done_to


def _into_store(root: Path, path: str, text: str) -> None:
    """A file that is a link into the store."""
    target = root / STORE / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).unlink(missing_ok=True)
    (root / path).symlink_to(f"/{STORE}/{path}")


def became(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """What became of units, in the words of plan, by two answers of Switched.states."""
    return {
        unit: "starts" if not was else "stops" if not after[unit] else "restarts"
        for unit, was in before.items()
        if was != after[unit]
    }
