"""Every script that the module writes, by shellcheck; every service, by systemd-analyze."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
MODULE = HERE.parents[1] / "modules/litellm-proxy"

MACHINES = {
    "podman": "{ }",
    "docker": """{
      services.litellm-proxy = {
        backend = lib.mkForce "docker"; database = { host = "db"; passwordFile = "/keys/db"; };
        redis.createLocally = true; metrics.enable = true; hostPorts = [ 11434 ]; };
      services.prometheus.enable = true; }""",
    "several": """{
      services.litellm-proxy = {
        instances = 3; workers = 2; database.createLocally = true;
        redis.createLocally = true; metrics.enable = true; };
      services.prometheus.enable = true; }""",
}

#: The services that only run scripts of this module. `systemd-analyze security` gives each a
#: number from 0 (safe) to 10; what runs docker or podman is as exposed as they are.
EXPOSED = {
    "litellm-proxy-secrets.service": 1.0,
    "litellm-proxy-failure.service": 1.0,
    "litellm-proxy-rotate.service": 1.5,
    "litellm-proxy-salt-key.service": 2.0,
}


@pytest.fixture(scope="module", params=MACHINES)
def exported(request: pytest.FixtureRequest, nix: Any) -> dict[str, Any]:
    settings = f"{{ lib, ... }}: {{ imports = [ {HERE}/booted.nix ({MACHINES[request.param]}) ]; }}"
    found: dict[str, Any] = nix("units.nix", settings=settings)
    return found


def shellcheck(*files: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(
        # Paths with a dollar and an apostrophe are among the key files of booted.nix.
        ["shellcheck", "--exclude=SC2016", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout


def test_shellcheck_has_nothing_against_the_parts() -> None:
    shellcheck(*MODULE.glob("*.sh"))


def test_shellcheck_has_nothing_against_what_becomes_of_them(
    exported: dict[str, Any], tmp_path: Path
) -> None:
    files = []
    for number, (path, text) in enumerate(exported["scripts"].items()):
        file = tmp_path / f"{number}-{Path(path).name}"
        file.write_text(text)
        files.append(file)
    assert len(files) > 5
    shellcheck(*files)


def test_services_are_shut_in(exported: dict[str, Any], tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    figures = {}
    for name, text in exported["units"].items():
        if not name.endswith(".service") or name.removesuffix(".service")[-2] == "-":
            continue
        (tmp_path / name).write_text(text)
        said = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", str(tmp_path / name)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        ).stdout
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
        if found is None:
            pytest.skip("this systemd-analyze cannot look at a file")
        figures[name] = float(found[1])
    for name, most in EXPOSED.items():
        assert figures.get(name, 0) <= most, figures
