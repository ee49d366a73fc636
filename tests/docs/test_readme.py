"""What README.md shows is what really happens."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from program import ROOT, Run

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The fenced code blocks of one language, in the order of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def programs(tmp_path: Path) -> str:
    """A PATH on which `nixcfg` is the program under test."""
    shim = tmp_path / "bin" / "nixcfg"
    shim.parent.mkdir()
    program = os.environ.get("NIXCFG") or f"{shlex.quote(sys.executable)} -P -m nixcfg"
    shim.write_text(f'#!/bin/sh\nexec {program} "$@"\n')
    shim.chmod(0o755)
    return f"{shim.parent}{os.pathsep}{os.environ['PATH']}"


def session(folder: Path, programs: str) -> list[tuple[str, str, str]]:
    """Run the console blocks as one session in an empty folder: (command, shown, printed)."""
    steps = [step for block in blocks("console") for step in block.split("$ ")[1:]]
    commands, shown = zip(*(step.split("\n", 1) for step in steps), strict=True)
    script = "exec 2>&1\n" + "".join(f"{command}\nprintf '\\036'\n" for command in commands)
    environment = {"PATH": programs, "HOME": str(folder), "COLUMNS": "100", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    return list(zip(commands, shown, done.stdout.split("\036")[:-1], strict=True))


def test_every_console_block_prints_what_it_shows(
    tmp_path: Path, programs: str, update_golden: bool
) -> None:
    """In the folder of a machine's configuration, which git looks after."""
    folder = tmp_path / "session"
    folder.mkdir()
    (folder / "configuration.nix").touch()
    subprocess.run(["git", "init", "-q", folder], check=True)
    steps = session(folder, programs)
    assert len(steps) > 5
    if update_golden:
        text = README
        for command, shown, printed in steps:
            text = text.replace(f"$ {command}\n{shown}", f"$ {command}\n{printed}", 1)
        (ROOT / "README.md").write_text(text)
        return
    for command, shown, printed in steps:
        assert printed == shown.rstrip("\n") + "\n" * bool(shown.strip()), command


def requests() -> list[dict[str, object]]:
    """The bodies of the curl examples."""
    found = [re.search(r"-d '(.*?)'\n?$", block, re.DOTALL) for block in blocks("sh")]
    return [json.loads(match[1]) for match in found if match]


def test_the_requests_are_those_that_the_proxy_tests_send() -> None:
    sent = (ROOT / "tests" / "proxy" / "test_nine_answers.py").read_text()
    plain, system, stream = requests()
    for body in (plain, system, stream):
        for message in body["messages"]:
            assert json.dumps(message["content"]) in sent
    assert [message["role"] for message in system["messages"]] == ["system", "user"]
    assert stream["stream"] is True


def test_nix_snippets_parse(nix: Run, tmp_path: Path) -> None:
    snippets = blocks("nix")
    assert snippets
    for snippet in snippets:
        file = tmp_path / "snippet.nix"
        file.write_text(snippet)
        done = nix("--parse", file)
        assert done.returncode == 0, done.stderr


_FLAKE = """
let
  nixcfg.overlays.default = _: _: { nixcfg = "our package"; };
  outputs = (import ./snippet.nix).outputs {
    inherit nixcfg;
    nixpkgs.lib.nixosSystem = given: given;
  };
  modules = outputs.nixosConfigurations.machine.modules;
  own = builtins.head (builtins.filter builtins.isFunction modules);
  add = pkgs: overlay: pkgs // overlay pkgs pkgs;
  pkgs = builtins.foldl' add { } (own { pkgs = { }; }).nixpkgs.overlays;
in
(own { inherit pkgs; }).environment.systemPackages
"""


def test_the_flake_gives_a_machine_the_package(nix: Run, tmp_path: Path) -> None:
    [snippet] = [each for each in blocks("nix") if "inputs.nixcfg" in each]
    (tmp_path / "snippet.nix").write_text(snippet)
    (tmp_path / "machine.nix").write_text(_FLAKE)
    done = nix("--eval", "--strict", "--json", tmp_path / "machine.nix")
    assert json.loads(done.stdout or "null") == ["our package"], done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["uv", "pipx"])
def test_what_installs_it_without_nix(tool: str, tmp_path: Path) -> None:
    """Each command of the table, with the real tools and the registry that they are set up for."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        pytest.skip("uv is not installed here")
    programs, ours = tmp_path / "programs", tmp_path / "ours"
    programs.mkdir()
    for name, real in (("uv", uv), ("uvx", f"{uv} tool run"), ("pipx", f"{uv} tool run pipx")):
        (programs / name).write_text(f'#!/bin/sh\nexec {real} "$@"\n')
        (programs / name).chmod(0o755)
    places = {"HOME": tmp_path, "UV_TOOL_BIN_DIR": ours, "PIPX_BIN_DIR": ours}
    kept = {name: os.environ[name] for name in os.environ if name not in ("NIXCFG", "PYTHONPATH")}
    environment = {
        **kept,
        **{name: str(place) for name, place in places.items()},
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }
    [row] = re.findall(rf"^\| {tool} \|(.*)\|$", README, re.MULTILINE)
    for command in re.findall(r"`(.*?)`", row):
        done = subprocess.run(
            ["bash", "-ec", command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "Usage: nixcfg" in done.stdout or (ours / "nixcfg").exists(), command
    said = subprocess.run(
        [ours / "nixcfg", "--version"], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("nixcfg ")


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_ci_runs_the_two_commands_word_for_word() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    for marker in ("main-job", "tests"):
        assert f"<!-- {marker} -->\n```sh\n" in README
        assert f"readme_command {marker}" in script
    assert shutil.which("bash")
