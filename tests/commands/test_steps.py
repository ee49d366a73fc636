"""What each step says comes next, from an empty folder to the switch."""

import subprocess
import sys
from pathlib import Path

import pytest
from terminal import Terminal

from program import Run

IMPORT = "imports = [ ./gateway/rendered/docker.nix ];"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The folder of a machine's configuration, in git."""
    (tmp_path / "configuration.nix").write_text("{ }\n")
    git(tmp_path, "init", "-q")
    return tmp_path


@pytest.fixture
def gateway(machine: Path, nixcfg: Run) -> Path:
    assert nixcfg("init", "gateway", cwd=machine).returncode == 0
    return machine / "gateway"


def steps(text: str) -> list[str]:
    """What stands after "Next: ", a step each."""
    shown = text.partition("Next: ")[2]
    lines = shown.splitlines()
    return [
        line.strip() for line in lines[:1] + [each for each in lines[1:] if each[:6] == " " * 6]
    ]


def test_the_order_that_works(machine: Path, nixcfg: Run) -> None:
    made = steps(nixcfg("init", "gateway", cwd=machine).stderr)
    commands = [each.partition("  ")[0] for each in made]
    assert commands == [
        "cd gateway",
        "nixcfg try --mock",
        "nixcfg add-provider NAME",
        "sudo nixcfg set-key claude",
        "nixcfg render",
    ]
    folder = machine / "gateway"
    key = folder / "secrets" / "anthropic_api_key.txt"
    (folder / "nixcfg.yaml").write_text(f"secrets_dir: {key.parent}\n")
    stored = nixcfg("-C", folder, "set-key", "claude", input="sk-ant-api03-" + "aB3" * 30 + "AA")
    assert stored.returncode == 0, stored.stderr
    assert steps(stored.stderr) == ["nixcfg render"]
    first = steps(nixcfg("render", cwd=folder).stderr)
    assert first[0].startswith("git add rendered")
    assert first[1:3] == [f"in configuration.nix: {IMPORT}", "sudo nixos-rebuild switch"]
    assert [each.split()[1] for each in first[3:]] == ["status", "probe"]
    stored = nixcfg("-C", folder, "set-key", "claude", input="sk-ant-api03-" + "aB4" * 30 + "AA")
    assert "without a rebuild" in stored.stderr


def test_what_is_done_is_not_asked_for_again(gateway: Path, nixcfg: Run) -> None:
    machine = gateway.parent
    assert nixcfg("render", cwd=gateway).returncode == 0
    assert steps(nixcfg("render", cwd=gateway).stderr)[0].startswith("git add rendered")
    git(machine, "add", "--intent-to-add", ".")
    assert steps(nixcfg("render", cwd=gateway).stderr) == []
    (gateway / "nixcfg.yaml").write_text("port: 4001\n")
    changed = steps(nixcfg("render", cwd=gateway).stderr)
    assert changed == [f"in configuration.nix: {IMPORT}", "sudo nixos-rebuild switch"]
    (machine / "hosts").mkdir()
    (machine / "hosts" / "one.nix").write_text(f"{{ {IMPORT} }}")
    (gateway / "nixcfg.yaml").write_text("port: 4002\n")
    assert steps(nixcfg("render", cwd=gateway).stderr) == ["sudo nixos-rebuild switch"]


def test_a_folder_that_git_ignores_is_not_there_for_a_flake_either(
    gateway: Path, nixcfg: Run
) -> None:
    (gateway / ".gitignore").write_text("rendered\n")
    assert steps(nixcfg("render", cwd=gateway).stderr)[0].startswith("git add --force rendered")


def test_without_git_and_configuration_the_path_is_whole(tmp_path: Path, nixcfg: Run) -> None:
    assert nixcfg("init", cwd=tmp_path).returncode == 0
    shown = steps(nixcfg("render", cwd=tmp_path).stderr)
    assert shown[0] == f"in configuration.nix: imports = [ {tmp_path}/rendered/docker.nix ];"


def test_each_host_has_its_own_import(gateway: Path, nixcfg: Run) -> None:
    (gateway / "nixcfg.yaml").write_text("hosts:\n  alpha: {}\n  beta: {}\n")
    shown = "\n".join(steps(nixcfg("render", cwd=gateway).stderr))
    for host in ("alpha", "beta"):
        assert f"{host}: imports = [ ./gateway/rendered/hosts/{host}/docker.nix ];" in shown


def test_elsewhere_nothing_is_to_be_imported(gateway: Path, tmp_path: Path, nixcfg: Run) -> None:
    assert "Next" not in nixcfg("render", "--out", tmp_path / "out", cwd=gateway).stderr


def test_the_doctor_names_what_a_flake_does_not_see(gateway: Path, nixcfg: Run) -> None:
    assert nixcfg("render", cwd=gateway).returncode == 0
    shown = nixcfg("-C", gateway, "doctor").stdout
    assert "a flake does not see them" in shown
    assert f"git add {gateway}/rendered" in shown
    git(gateway, "add", ".")
    assert "a flake does not see" not in nixcfg("-C", gateway, "doctor").stdout


def test_a_narrow_terminal_has_a_step_and_what_it_is_for_below_it(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "nixcfg", "init", "gateway"]
    with Terminal(command, tmp_path, columns=60) as person:
        assert person.ends() == 0
    shown = [line.rstrip() for line in person.lines]
    at = shown.index("      nixcfg try --mock")
    assert shown[at + 1] == "        to see it answer, without a key"
    assert max(map(len, shown)) < 60
