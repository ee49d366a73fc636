"""What the machine has and no source explains, planted and found: units on a real systemd,
containers of the real podman and docker. That of the database is in tests/access."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import booting
import engines
import pytest
from booting import Machine
from engines import IMAGE, Engine

import nixcfg
from nixcfg.plan import facts, look
from program import HERE, Run

pytestmark = pytest.mark.slow

PROJECT = {
    "nixcfg.yaml": "model_config: all\nbackend: podman\n",
    "providers/openai.yaml": "model_list:\n"
    "  - {model_name: gpt, litellm_params: {model: openai/gpt-5.6}}\n"
    'environment_variables: {OPENAI_API_KEY: "${OPENAI_API_KEY}"}\n',
}
UNIT = "podman-litellm-proxy.service"
SECRETS = "litellm-proxy-secrets.service"
SYSTEM = "etc/systemd/system"
LINES = "[Service]\nNice=1\n"


@pytest.fixture(scope="module")
def machine(nix: Run, nixcfg: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with the project's units, each a link into the store as NixOS has them."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a systemd in namespaces")
    folder = tmp_path_factory.mktemp("drift")
    for path, text in PROJECT.items():
        (folder / "project" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "project" / path).write_text(text)
    assert nixcfg("-C", folder / "project", "render").returncode == 0
    settings = folder / "project/rendered/docker.nix"
    done = nix(
        *("--eval", "--strict", "--json", "--read-write-mode"),
        *(HERE / "nix/units.nix", "--arg", "settings", settings),
    )
    assert done.returncode == 0, done.stderr
    exported = json.loads(done.stdout)
    overlay = folder / "overlay"
    overlay.mkdir()
    booting.lay(overlay, exported, {})
    store = overlay / "nix/store/units"
    store.mkdir(parents=True)
    for unit in exported["units"]:
        shutil.move(overlay / SYSTEM / unit, store / unit)
        (overlay / SYSTEM / unit).symlink_to(f"/nix/store/units/{unit}")
    for path, text in {facts.DEPLOYED: exported["deployed"], **exported["files"]}.items():
        (overlay / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (overlay / path.lstrip("/")).write_text(text)
    with booting.booted(
        overlay, Path(sys.prefix), Path(nixcfg_folder()), folder / "project"
    ) as running:
        running.write("srv/project", str(folder / "project"))
        yield running


def nixcfg_folder() -> str:
    """Where this nixcfg is, which need not be below sys.prefix."""
    return str(Path(nixcfg.__file__).parents[1])


def planned(machine: Machine) -> tuple[int, dict[str, Any]]:
    """The exit code of `nixcfg plan --json` on the machine, and what it prints."""
    project = (machine.root / "srv/project").read_text()
    done = machine.run(sys.executable, "-P", "-m", "nixcfg", "-C", project, "plan", "--json")
    assert done.returncode in (0, 2), done.stderr
    return done.returncode, json.loads(done.stdout)


def of_units(machine: Machine) -> set[tuple[str, str]]:
    assert machine.run("systemctl", "daemon-reload").returncode == 0
    _, data = planned(machine)
    return {(each["name"], each["detail"]) for each in data["drift"] if each["what"] == "unit"}


def test_units_as_nixos_wrote_them_are_no_drift(machine: Machine):
    code, data = planned(machine)
    assert data["changes"] == data["units"] == []
    # The machine has podman and no container.
    assert [(each["what"], each["detail"]) for each in data["drift"]] == [
        ("container", "is absent")
    ]
    assert code == 2


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        # systemctl edit --runtime
        (f"run/systemd/system/{UNIT}.d/override.conf", UNIT),
        # systemctl set-property
        (f"etc/systemd/system.control/{SECRETS}.d/50-MemoryMax.conf", SECRETS),
        (f"{SYSTEM}/litellm-proxy-other.service", "litellm-proxy-other.service"),
    ],
)
def test_a_drop_in_or_a_unit_by_hand(machine: Machine, path: str, unit: str):
    machine.write(path, LINES if path.endswith(".conf") else f"{LINES}ExecStart=/bin/true\n")
    try:
        assert of_units(machine) == {(unit, f"/{path}")}
    finally:
        (machine.root / path).unlink()
    assert of_units(machine) == set()


def test_a_unit_that_is_edited_in_place(machine: Machine):
    unit = machine.root / SYSTEM / UNIT
    link = unit.readlink()
    text = (machine.root / str(link).lstrip("/")).read_text()
    unit.unlink()
    unit.write_text(f"{text}\n# by hand\n")
    try:
        assert of_units(machine) == {(UNIT, f"/{SYSTEM}/{UNIT}")}
    finally:
        unit.unlink()
        unit.symlink_to(link)
    assert of_units(machine) == set()


@pytest.fixture(scope="module", params=["podman", "docker"])
def engine(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One with a container's image in it, which `machine.run` finds under its name."""
    if os.geteuid() != 0:
        pytest.skip("containers take root here")
    archive = engines.stub_image(tmp_path_factory.mktemp("image") / "root")
    make = {"podman": engines.podman, "docker": engines.docker}[request.param]
    short = tempfile.TemporaryDirectory(prefix=request.param, ignore_cleanup_errors=True)
    with short as folder, make(Path(folder)) as made, pytest.MonkeyPatch.context() as patch:
        made("import", str(archive), IMAGE)
        made("tag", IMAGE, "localhost/other:2")
        program = Path(folder) / "bin" / made.name
        program.parent.mkdir()
        made.command = [shutil.which(word) or word for word in made.command]
        program.write_text(f'#!/bin/sh\nexec {" ".join(made.command)} "$@"\n')
        program.chmod(0o755)
        patch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        yield made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "deployed.yaml"
    file.write_text("model_list: []\n")
    return file


def drift(engine: Engine, config: Path) -> list[str]:
    """What is found where the module has deployed IMAGE with this configuration."""
    deployed = facts.facts(
        {**DEPLOYED, "backend": engine.name, "image": IMAGE, "config": str(config)}, ""
    )
    return [each.detail for each in look.containers(deployed)]


def run(engine: Engine, config: Path, image: str = IMAGE) -> None:
    try:
        engine.start(
            *("litellm-proxy", "-v", f"{config}:/app/config.yaml:ro", "--entrypoint=sleep"),
            *(image, "600"),
        )
    except AssertionError as reason:
        engine("rm", "-f", "litellm-proxy", check=False)
        pytest.skip(f"{engine.name} starts no container here: {str(reason)[-200:]}")


def test_containers(engine: Engine, config: Path, tmp_path: Path):
    assert drift(engine, config) == ["is absent"]
    run(engine, config)
    try:
        assert drift(engine, config) == []
        other = tmp_path / "other.yaml"
        assert drift(engine, other) == [f"loads {config}, and not {other}"]
    finally:
        engine("kill", "litellm-proxy")
        engine("rm", "-f", "litellm-proxy")
    run(engine, config, "localhost/other:2")
    try:
        assert drift(engine, config) == [f"runs localhost/other:2, and not {IMAGE}"]
        engine("stop", "-t", "0", "litellm-proxy")
        assert drift(engine, config) == ["is exited"]
    finally:
        engine("rm", "-f", "litellm-proxy", check=False)


DEPLOYED = {
    "auth": "open", "backend": "podman", "config": "", "environment": {}, "hasSettings": False,
    "hostPorts": [], "image": "", "instances": 1, "keyFiles": {}, "listenAddress": "::1",
    "metrics": False, "modelConfig": "all", "module": "", "port": 1, "revisions": {}, "workers": 1,
}  # fmt: skip
