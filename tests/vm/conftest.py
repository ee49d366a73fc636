"""The one VM of a session, with the units that the module produces for proxy.nix."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import image
import machine
import pytest
from guest import Gateway

HERE = Path(__file__).parent
UNITS = HERE.parent / "nix/units.nix"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def disk() -> image.Image:
    """The disk of the VM, built when the cache has none (minutes, once)."""
    if reason := machine.missing():
        pytest.skip(f"no VM here: {reason}")
    try:
        return image.build()
    except image.CannotBuildError as error:
        if reason := image.missing():
            pytest.skip(f"no disk for the VM: {reason}")
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture(scope="session")
def units(nix: Run, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`units("proxy.nix")`: a folder with what the module writes for these settings."""
    if nix("--eval", "-E", "<nixpkgs/nixos>").returncode != 0:
        pytest.skip("<nixpkgs/nixos> does not resolve: the module needs NixOS's own modules")

    def export(settings: str) -> Path:
        answer = nix(
            *("--eval", "--strict", "--json", "--read-write-mode"),
            *(UNITS, "--arg", "settings", HERE / settings),
        )
        assert answer.returncode == 0, answer.stderr
        produced = json.loads(answer.stdout)
        root = tmp_path_factory.mktemp("root")
        system = Path("etc/systemd/system")
        texts = {
            **{str(system / name): (text, 0o644) for name, text in produced["units"].items()},
            **{path: (text, 0o755) for path, text in produced["scripts"].items()},
            **{path: (text, 0o444) for path, text in produced["files"].items()},
        }
        for path, (text, mode) in texts.items():
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(mode)
        for unit, targets in produced["wantedBy"].items():
            for target_unit in targets:
                link = root / system / f"{target_unit}.wants" / unit
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(f"../{unit}")
        return root

    return export


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Iterator[dict[str, float]]:
    """What was measured, in seconds; printed at the end whatever the outcome."""
    measured: dict[str, float] = {}
    yield measured
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    if measured and reporter is not None:
        reporter.write_line("")
        for name, seconds in measured.items():
            reporter.write_line(f"  {seconds:7.1f} s  {name}")


@pytest.fixture(scope="session")
def gateway(
    units: Callable[[str], Path], disk: image.Image, figures: dict[str, float]
) -> Iterator[Gateway]:
    """The VM with the podman units installed, no key file yet, and nothing started.

    The units come first: without nixpkgs no disk is built in vain.
    """
    produced = units("proxy.nix")
    shutil.copy(HERE / "upstream.py", produced / "upstream.py")
    with machine.Machine(disk) as vm:
        figures[f"boot of the VM ({vm.accelerator})"] = vm.boot_seconds
        system = Gateway(vm, "podman")
        system.install(produced)
        yield system


@pytest.fixture(scope="session")
def dockered(gateway: Gateway, units: Callable[[str], Path]) -> Gateway:
    """The same VM after a switch of the backend: docker's units in the place of podman's."""
    produced = units("docker.nix")
    shutil.copy(HERE / "upstream.py", produced / "upstream.py")
    gateway.vm.run(
        f"systemctl stop {gateway.unit}; find /etc/systemd/system -name '{gateway.unit}' -delete;"
        " systemctl start docker",
        limit=240,
    )
    other = Gateway(gateway.vm, "docker")
    other.keys, other.wired = gateway.keys, gateway.wired
    other.install(produced)
    return other
