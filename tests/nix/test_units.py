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


FLEET = """{ imports = [ @MACHINE@ ]; services.litellm-proxy = {
  instances = 2; redis.createLocally = true; }; }"""


@pytest.fixture(scope="module")
def fleet(nix):
    """The same machine with two instances."""
    return nix("units.nix", settings=FLEET.replace("@MACHINE@", str(MACHINE)))


def test_units_of_several_instances_are_those_that_the_documentation_names(fleet):
    page = (Path(__file__).parents[2] / "docs" / "options.md").read_text()
    for name in fleet["units"]:
        if not name.startswith("redis-"):
            general = re.sub(r"-\d+\.path$", ".path", name)
            general = re.sub(r"-2\.service$", "-1.service", general)
            assert general.replace("podman-", "docker-") in page, name


def test_of_several_instances_the_target_starts_with_the_machine(fleet):
    ours = {name: by for name, by in fleet["wantedBy"].items() if not name.startswith("redis-")}
    assert ours.pop("litellm-proxy.target") == ["multi-user.target"]
    assert set(ours) == {
        "litellm-proxy-roll.service",
        "podman-litellm-proxy-1.service",
        "podman-litellm-proxy-2.service",
    }
    assert all(by == ["litellm-proxy.target"] for by in ours.values())


def test_only_the_container_starts_with_the_machine(exported):
    assert exported["wantedBy"] == {
        "litellm-proxy-image.service": ["multi-user.target"],
        "podman-litellm-proxy.service": ["multi-user.target"],
    }


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
    assert exported["files"][mounted] == MACHINE.read_text()
    scripts = "".join(exported["scripts"].values())
    ours = set(re.findall(r"(/nix/store/[^\s:]+):/app/\w+\.py:ro", scripts))
    assert exported["files"].keys() == {mounted, *ours}
    assert len(ours) == 3


def test_scripts_pass_shellcheck(exported, fleet, tmp_path):
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    ours = re.compile(
        r"/(litellm-proxy-[\w-]+-start|podman-litellm-proxy-\d-(pre-start|post-start|post-stop))$"
    )
    scripts = {
        path: text
        for path, text in {**exported["scripts"], **fleet["scripts"]}.items()
        if ours.search(path)
    }
    for name in ("secrets", "rotate", "failure", "failure-1", "roll"):
        assert any(path.endswith(f"/litellm-proxy-{name}-start") for path in scripts), name
    files = []
    for number, (path, text) in enumerate(scripts.items()):
        files.append(tmp_path / f"{number}-{Path(path).name}")
        files[-1].write_text(text)
    done = subprocess.run(
        ["shellcheck", "--shell=bash", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("which", ["exported", "fleet"])
def test_systemd_accepts_the_units(which, request, tmp_path):
    """Unknown keys and malformed values: RestartSteps= is newer than some systemd."""
    exported = request.getfixturevalue(which)
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
