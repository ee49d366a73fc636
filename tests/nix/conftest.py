"""Real nix, the real NixOS modules, and programs of the machine; skips where they are absent."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wired

HERE = Path(__file__).parent

Nix = Callable[..., Any]


@pytest.fixture(scope="session")
def nixos() -> None:
    """Skip where there is no nix, or no <nixpkgs> with the NixOS modules."""
    if shutil.which("nix-instantiate") is None:
        pytest.skip("nix is not installed")
    asked = "builtins.pathExists <nixpkgs/nixos/lib/eval-config.nix>"
    found = subprocess.run(
        ["nix-instantiate", "--eval", "-E", asked],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if found.stdout.strip() != "true":
        pytest.skip("<nixpkgs> has no NixOS modules")


@pytest.fixture(scope="session")
def nix(nixos: None) -> Nix:  # noqa: ARG001 - a fixture cannot be marked with usefixtures
    """Evaluate FILE with arguments that are Nix expressions; gives the value, from JSON."""

    def evaluate(file: str | Path, /, **arguments: str) -> Any:
        given = [word for name, text in arguments.items() for word in ("--arg", name, text)]
        command = ["nix-instantiate", "--eval", "--strict", "--json", "--read-write-mode"]
        done = subprocess.run(
            [*command, str(HERE / file), *given],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return evaluate


#: NIXCFG_OCI_CONTAINERS names the nixos/modules/virtualisation/oci-containers.nix of the newest
#: nixpkgs, on which ours builds, and which changes most.
NEWEST = os.environ.get("NIXCFG_OCI_CONTAINERS", "")


@pytest.fixture(scope="session", params=["nixpkgs", *(["newest"] if NEWEST else [])])
def tree(request: pytest.FixtureRequest) -> dict[str, str]:
    """Arguments for cases.nix: <nixpkgs> as it is, and the newest oci-containers.nix in it.

    What differs between the two is in test_native.py, which needs no such file.
    """
    return {} if request.param == "nixpkgs" else {"oci": NEWEST}


@pytest.fixture(scope="session", params=["declared", *(["newest"] if NEWEST else [])])
def newer(request: pytest.FixtureRequest) -> dict[str, str]:
    """The same for the options of the newest one: its own, or those that newer.nix declares."""
    return {"newer": "true"} if request.param == "declared" else {"oci": NEWEST}


@pytest.fixture(scope="session")
def root() -> None:
    """Skip where the tests do not run as root, as which systemd runs the wiring."""
    if os.geteuid() != 0:
        pytest.skip("needs root")


@pytest.fixture(scope="session")
def script(nix: Nix) -> str:
    """The wiring script of wiring.nix."""
    return wired.script_of(nix, HERE / "wiring.nix")


@pytest.fixture
def machine(script: str, tmp_path: Path) -> wired.Machine:
    """A machine on which every key of wiring.nix is there and good."""
    keys = {"FIRST_KEY": wired.FIRST + "\n", "SECOND_KEY": wired.SECOND + "\n"}
    return wired.machine_with(script, tmp_path, **keys, ACCOUNT=wired.ACCOUNT)
