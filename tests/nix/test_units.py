"""The units of a whole NixOS system, evaluated with every module of nixpkgs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MACHINE = Path(__file__).parent / "wiring.nix"


@pytest.fixture(scope="module")
def exported(nix):
    """units.nix throws where an assertion of any NixOS module fails."""
    return nix("units.nix", settings=str(MACHINE))


def test_units_are_those_that_the_documentation_names(exported):
    page = (Path(__file__).parents[2] / "docs" / "options.md").read_text()
    names = set(exported["units"])
    assert {
        "podman-litellm-proxy.service",
        "litellm-proxy-secrets.service",
        "litellm-proxy-secrets.path",
        "litellm-proxy-rotate.service",
        "litellm-proxy-failure.service",
    } <= names
    for name in names:
        assert re.sub(r"-\d+\.path$", ".path", name) in page


def test_only_the_container_starts_with_the_machine(exported):
    assert exported["wantedBy"] == {"podman-litellm-proxy.service": ["multi-user.target"]}


def test_every_script_of_a_unit_is_exported(exported):
    named = {
        path
        for unit in exported["units"].values()
        for path in re.findall(r"^Exec\w+=(\S+)", unit, re.MULTILINE)
    }
    assert named == set(exported["scripts"])


def test_mounted_config_is_exported(exported):
    start = next(
        text for path, text in exported["scripts"].items() if path.endswith("-litellm-proxy-start")
    )
    (mounted,) = re.findall(r"-v (\S+):/app/config.yaml:ro", start)
    assert exported["files"] == {mounted: MACHINE.read_text()}


@pytest.mark.parametrize(
    "name", ["litellm-proxy-secrets", "litellm-proxy-rotate", "litellm-proxy-failure"]
)
def test_scripts_pass_shellcheck(exported, tmp_path, name):
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    (text,) = [t for path, t in exported["scripts"].items() if path.endswith(f"/{name}-start")]
    (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["shellcheck", "--shell=bash", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


def test_systemd_accepts_the_units(exported, tmp_path):
    """Unknown keys and malformed values: RestartSteps= is newer than some systemd."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for name, text in exported["units"].items():
        runnable = re.sub(r"^(Exec\w+)=.*", r"\1=/bin/true", text, flags=re.MULTILINE)
        (tmp_path / name).write_text(runnable)
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / name) for name in exported["units"])],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    newer = re.compile("RestartSteps|RestartMaxDelaySec")
    ours = [
        line
        for line in done.stderr.splitlines()
        if str(tmp_path) in line and not newer.search(line)
    ]
    assert ours == []


def test_wiring_is_confined(exported, tmp_path):
    """systemd's own measure: from 0 (confined) to 10 (exposed)."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "litellm-proxy-secrets.service"
    unit.write_text(exported["units"][unit.name])
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    if found is None:
        pytest.skip("this systemd-analyze has no --offline")
    assert float(found[1]) < 1.5
