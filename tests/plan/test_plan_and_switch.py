"""What `nixcfg plan` predicts of a switch, beside what the switch does: on a real systemd, with the
module's own units. The engine is a stand-in, and tests/scale has several instances under load."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import booting
import pytest
from booting import Machine

import nixcfg as package
from nixcfg.plan import facts
from program import HERE, Run

pytestmark = pytest.mark.slow

UNIT = "podman-litellm-proxy.service"
KEYS = "etc/nixcfg/secrets"
OPENAI = """\
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-5.6, api_key: os.environ/OPENAI_API_KEY}
environment_variables: {OPENAI_API_KEY: "${OPENAI_API_KEY}"}
"""
GEMINI = """\
model_list:
  - model_name: gemini
    litellm_params: {model: gemini/gemini-2.5-flash, api_key: os.environ/GEMINI_API_KEY}
environment_variables: {GEMINI_API_KEY: "${GEMINI_API_KEY}"}
"""
SETTINGS = "model_config: all\nbackend: podman\n"
BASE = {"nixcfg.yaml": SETTINGS, "providers/openai.yaml": OPENAI}


@dataclass
class Switched:
    """A machine on which one project after the other is switched to."""

    folder: Path
    nix: Run
    nixcfg: Run
    exported: dict[str, Any] = field(default_factory=dict)
    machine: Machine | None = None

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def write(self, files: dict[str, str]) -> None:
        """The sources, and no other provider."""
        for old in (self.project / "providers").glob("*"):
            old.unlink()
        for path, text in files.items():
            (self.project / path).parent.mkdir(parents=True, exist_ok=True)
            (self.project / path).write_text(text)

    def export(self) -> dict[str, Any]:
        """What the module makes of the sources."""
        assert self.nixcfg("-C", self.project, "render").returncode == 0
        settings = self.project / "rendered/docker.nix"
        done = self.nix(
            *("--eval", "--strict", "--json", "--read-write-mode"),
            *(HERE / "nix/units.nix", "--arg", "settings", settings),
        )
        assert done.returncode == 0, done.stderr
        exported: dict[str, Any] = json.loads(done.stdout)
        return exported

    def lay(self, root: Path, exported: dict[str, Any]) -> None:
        booting.lay(root, exported, {"/usr/bin/podman": booting.PODMAN})
        for path, text in {facts.DEPLOYED: exported["deployed"], **exported["files"]}.items():
            (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            (root / path.lstrip("/")).write_text(text)

    def planned(self) -> dict[str, Any]:
        """What `nixcfg plan --json` says on the machine."""
        assert self.machine is not None
        done = self.machine.run(
            *(sys.executable, "-P", "-m", "nixcfg", "-C", str(self.project), "plan", "--json")
        )
        assert done.returncode in (0, 2), done.stderr
        data: dict[str, Any] = json.loads(done.stdout)
        return data

    def started(self) -> str:
        assert self.machine is not None
        shown = self.machine.run("systemctl", "show", "--property=InvocationID", "--value", UNIT)
        return shown.stdout.strip()

    def switch(self) -> bool:
        """Switch to the sources; gives whether the gateway restarted."""
        assert self.machine is not None
        before, self.exported, since = self.exported, self.export(), self.started()
        self.lay(self.machine.root, self.exported)
        _, went_well = booting.switch(self.machine, before, self.exported)
        assert went_well
        self.machine.settle()
        assert self.machine.state(UNIT) == "active"
        return self.started() != since


@pytest.fixture(scope="module")
def switched(nix: Run, nixcfg: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switched]:
    if os.geteuid() != 0:
        pytest.skip("needs root, for a systemd in namespaces")
    made = Switched(tmp_path_factory.mktemp("switched"), nix, nixcfg)
    made.write(BASE)
    made.exported = made.export()
    overlay = made.folder / "overlay"
    overlay.mkdir()
    made.lay(overlay, made.exported)
    drop_in = overlay / f"etc/systemd/system/{UNIT}.d/podman.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nType=simple\n")
    (overlay / "srv/starts").mkdir(parents=True)
    repository = Path(package.__file__).parents[1]
    with booting.booted(overlay, Path(sys.prefix), repository, made.project) as machine:
        made.machine = machine
        for name in ("openai", "gemini", "elsewhere"):
            machine.write(f"{KEYS}/{name}_api_key.txt", f"sk-{name}-0123456789abcdef\n")
        done = machine.run("systemctl", "start", UNIT, "litellm-proxy-image.service")
        assert done.returncode == 0, machine.run("journalctl", "-n", "40").stdout
        machine.settle()
        yield made


def settings(more: str) -> dict[str, str]:
    return {**BASE, "nixcfg.yaml": SETTINGS + more}


SWITCHES: list[tuple[str, dict[str, str], bool]] = [
    ("nothing", BASE, False),
    ("words", settings("# said otherwise\n"), False),
    ("a provider added", {**BASE, "providers/gemini.yaml": GEMINI}, True),
    ("a provider removed", BASE, True),
    ("a provider that is not loaded", {
        **BASE, "providers/gemini.yaml": GEMINI,
        "nixcfg.yaml": SETTINGS.replace("all", "openai"),
    }, False),
    ("an image", settings("image: ghcr.io/berriai/litellm:v1.110.2\n"), True),
    ("a key elsewhere", settings(f"secrets: {{OPENAI_API_KEY: /{KEYS}/elsewhere_api_key.txt}}\n"),
     True),
    ("a port", settings("port: 4001\n"), True),
]  # fmt: skip
"""One after the other: the sources, and whether the gateway restarts."""


@pytest.mark.parametrize(("files", "restarts"), [each[1:] for each in SWITCHES],
                         ids=[each[0] for each in SWITCHES])  # fmt: skip
def test_plan_knows_what_the_switch_does(switched: Switched, files: dict[str, str], restarts: bool):
    switched.write(files)
    planned = switched.planned()
    did = switched.switch()
    assert [each["unit"] for each in planned["units"]] == ([UNIT] if did else [])
    assert planned["loses_requests"] == did
    assert did == restarts
    assert switched.planned()["changes"] == []


def test_a_key_rotated_is_no_change(switched: Switched):
    machine, before = switched.machine, switched.started()
    assert machine is not None
    machine.write(f"{KEYS}/openai_api_key.txt", "sk-openai-rotated-0123456789\n")
    machine.until(lambda: switched.started() != before, 60)
    machine.settle()
    assert switched.planned()["units"] == []
    assert not switched.switch()
