"""flake.nix, as far as it can be evaluated without a binary cache: against a nixpkgs of names."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from program import HERE, ROOT, Run

NAMES = ("linux", "darwin")


@pytest.fixture(scope="module")
def flake(nix: Run) -> dict[str, Any]:
    done = nix("--eval", "--strict", "--json", HERE / "flake.nix")
    assert done.returncode == 0, done.stderr
    outputs: dict[str, Any] = json.loads(done.stdout)
    return outputs


def test_it_has_one_input_and_every_promised_output(flake: dict[str, Any]) -> None:
    assert flake["inputs"] == ["nixpkgs"]
    assert set(flake["outputs"]) == {
        "apps",
        "checks",
        "devShells",
        "formatter",
        "lib",
        "nixosModules",
        "overlays",
        "packages",
        "templates",
    }
    linux, darwin = ({f"{cpu}-{name}" for cpu in ("x86_64", "aarch64")} for name in NAMES)
    assert set(flake["systems"]) == set(flake["shells"]) == linux | darwin
    assert set(flake["checked"]) == linux
    assert {system for system, tools in flake["shells"].items() if "strace" in tools} == linux


def test_the_package_is_what_pyproject_says(flake: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = project["dependencies"] + extras["import"] + extras["lsp"]
    names = {dependency.partition(">=")[0] for dependency in needed}
    assert set(flake["package"]["dependencies"]) == names
    assert flake["package"]["version"] == project["version"]
    assert flake["overlay"] == flake["withoutFlakes"] == flake["package"]
    # What pyproject.toml gives to pytest, the check in the sandbox must know.
    assert "pytest-xdist" in flake["package"]["tools"]
    assert flake["app"].endswith("/bin/nixcfg")


_INSTALL = """
installShellCompletion() {
  test "$1 $2" = "--cmd nixcfg"; shift 2
  while [ $# -gt 0 ]; do cat "$2" > "completion.${1#--}"; shift 2; done
}
"""


@pytest.mark.parametrize(
    ("shell", "names"),
    [("bash", "complete -o nosort"), ("zsh", "#compdef nixcfg\n"), ("fish", "complete --no-files")],
)
def test_the_package_installs_completions(
    flake: dict[str, Any], tmp_path: Path, shell: str, names: str
) -> None:
    """By its own script, with a stand-in for nixpkgs' function."""
    assert "installShellFiles" in flake["package"]["tools"]
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "nixcfg"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m nixcfg "$@"\n')
    program.chmod(0o755)
    script = f"set -eu\n{_INSTALL}\n{flake['package']['postInstall']}"
    environment = {**os.environ, "out": str(tmp_path)}
    subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, check=True)
    assert names in (tmp_path / f"completion.{shell}").read_text()


@pytest.fixture
def passes(flake: dict[str, Any], tmp_path: Path) -> Callable[..., bool]:
    """Whether a project passes a check, by the check's own script."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "nixcfg"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m nixcfg "$@"\n')
    program.chmod(0o755)

    def run(project: Path, build: str, check: str = "projectCheck") -> bool:
        (tmp_path / build).mkdir()
        environment = {
            **os.environ,
            **{name: str(tmp_path / build) for name in ("TMPDIR", "HOME")},
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "out": str(tmp_path / build / "out"),
            "project": str(project),
        }
        script = re.sub("/with/[a-z ]+/bin/python", sys.executable, flake[check]["script"])
        done = subprocess.run(
            ["bash", "-euc", script], cwd=tmp_path / build, env=environment, check=False
        )
        assert (done.returncode == 0) == (tmp_path / build / "out").exists()
        return done.returncode == 0

    return run


def test_a_project_can_be_checked(passes: Callable[..., bool], nixcfg: Run, tmp_path: Path) -> None:
    project = tmp_path / "project"
    ignored = shutil.ignore_patterns("expected")
    shutil.copytree(HERE / "cases" / "minimal", project, ignore=ignored)
    assert not passes(project, "not-rendered")
    assert nixcfg("-C", project, "render").returncode == 0
    assert passes(project, "rendered")
    (project / "providers" / "broken.yaml").write_text("model_list: 1\n")
    assert not passes(project, "broken")


@pytest.mark.slow
def test_its_cases_can_be_run(
    flake: dict[str, Any], passes: Callable[..., bool], nixcfg: Run, tmp_path: Path
) -> None:
    pytest.importorskip("litellm", reason="LiteLLM is not installed: pip install 'nixcfg[proxy]'")
    assert "/with/nixcfg litellm fastapi/bin/python" in flake["projectTest"]["script"]
    project = tmp_path / "project"
    assert nixcfg("init", project).returncode == 0
    assert nixcfg("-C", project, "render").returncode == 0
    assert passes(project, "as-it-is", "projectTest")
    cases = project / "tests" / "claude.yaml"
    cases.write_text(cases.read_text().replace("answered_by: claude", "content: Hello"))
    assert not passes(project, "another-answer", "projectTest")


def test_module_and_template_are_there(flake: dict[str, Any]) -> None:
    assert flake["module"] == str(ROOT / "modules" / "litellm-proxy")
    assert flake["template"] == str(ROOT / "templates" / "project")


def test_checks_cover_package_module_and_machines(flake: dict[str, Any]) -> None:
    names = set(flake["checks"])
    assert {
        "package",
        "lint",
        "drift",
        "module-docker",
        "module-podman",
        "module-stores",
        "options-page",
    } <= names
    assert any(name.startswith("vm-") for name in names)


def test_all_nix_files_parse(nix: Run) -> None:
    files = [path for path in ROOT.rglob("*.nix") if ".venv" not in path.parts]
    assert len(files) > 5
    parsed = nix("--parse", *files)
    assert parsed.returncode == 0, parsed.stderr
