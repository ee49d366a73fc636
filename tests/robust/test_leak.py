"""No byte of a key in anything that nixcfg writes or says, nor in what nix makes of it."""

import base64
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from cli import Cli, Done

HARNESS = Path(__file__).parents[1] / "nix" / "system.nix"

VARIABLES = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY")


def _made_up() -> list[str]:
    """Keys as vendors make them: prefix and hex, base64 with its signs, no prefix at all."""
    return [
        f"nvapi-{secrets.token_urlsafe(36)}",
        base64.b64encode(secrets.token_bytes(30)).decode(),
        secrets.token_hex(16).swapcase(),
        f"sk-{secrets.token_hex(24)}",
    ]


class Keys:
    """Keys that cannot be mistaken for anything else, in key files below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.values = dict(zip((*VARIABLES, "MASTER"), _made_up(), strict=True))
        folder.mkdir()
        for name, value in self.values.items():
            (folder / f"{name.lower()}.txt").write_text(value + "\n")

    def found_in(self, data: bytes) -> list[str]:
        """Which keys have left a trace: any ten characters in a row, or base64 of the whole."""
        return [name for name, value in self.values.items() if self._trace(value, data)]

    def _trace(self, value: str, data: bytes) -> bool:
        body = value.removeprefix("sk-").removeprefix("nvapi-").encode()
        # Every third window of eight is inside any run of ten.
        windows = (body[start : start + 8] for start in range(0, len(body) - 7, 3))
        encoded = base64.b64encode(value.encode()).rstrip(b"=")[:-2]
        return encoded in data or any(window in data for window in windows)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


@pytest.fixture
def wired(project: Path, keys: Keys) -> Path:
    """A project whose key files are really there."""
    (project / "nixcfg.yaml").write_text(
        f"secrets_dir: {keys.folder}\nmaster_key_file: {keys.folder}/master.txt\n"
    )
    return project


def contents(folder: Path) -> Iterable[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_symlink():
            yield path, os.fsencode(path.readlink())
        elif path.is_file():
            yield path, path.read_bytes()


def commands(cli: Cli, project: Path, environment: Mapping[str, str]) -> Iterable[Done]:
    """A day's work, good and bad: everything the program has occasion to say."""

    def run(*arguments: str) -> Done:
        return cli("-C", project, *arguments, environment=environment)

    yield run("validate")
    yield run("validate", "--format", "json")
    yield run("render", "--diff")
    yield run("render", "--check")
    yield run("render")
    yield run("render", "--check")
    (project / "rendered" / "docker.nix").write_text("# edited by hand\n")
    yield run("render")
    yield run("render", "--diff")
    yield run("render", "--force")
    claude = project / "providers" / "claude.yaml"
    claude.write_text(claude.read_text() + "  num_retries: [\n")
    yield run("validate")
    yield run("validate", "--format", "json")
    yield run("render")
    yield run("no-such-command")


def test_keys_are_in_nothing_that_is_said_or_written(
    cli: Cli, wired: Path, keys: Keys, tmp_path: Path
):
    """With the key files in place and the variables set, as on a machine where the keys live."""
    environment = {"HOME": str(tmp_path), **keys.values, "NIXCFG_DEBUG": "1"}
    codes = []
    for done in commands(cli, wired, environment):
        codes.append(done.code)
        assert keys.found_in(done.said.encode()) == []
    assert codes == [0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 1, 2]
    assert "anthropic_api_key.txt" in (wired / "rendered" / "docker.nix").read_text()
    for path, data in contents(tmp_path):
        if not path.is_relative_to(keys.folder):
            assert keys.found_in(data) == [], path


def test_key_files_are_not_even_opened(cli: Cli, wired: Path, keys: Keys, tmp_path: Path):
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed here")
    log = tmp_path / "strace"
    for command in (["validate"], ["render"]):
        trace = [strace, "-f", "-qq", "-e", "trace=%file", "-o", str(log)]
        done = cli("-C", wired, *command, before=trace)
        if "PTRACE" in done.err:
            pytest.skip(f"strace cannot trace here: {done.err}")
        assert done.code == 0, done.said
        touched = [line for line in log.read_text().splitlines() if str(wired) in line]
        assert touched, "strace saw nothing"
        assert str(keys.folder) not in log.read_text()


LITERALS = {
    "api_key of a deployment": ("model: anthropic/", "api_key: {key}\n      model: anthropic/"),
    "environment variable": ("${{ANTHROPIC_API_KEY}}", "{key}"),
    "setting": ("drop_params: True", "drop_params: True\n  api_key: {key}"),
}


@pytest.mark.parametrize("place", LITERALS)
def test_a_key_written_into_a_provider_file_is_not_passed_on(
    place: str, cli: Cli, wired: Path, keys: Keys
):
    """The rendered files go into the nix store, which everybody on the machine can read; and a
    report goes into the logs of whatever ran nixcfg."""
    provider = wired / "providers" / "claude.yaml"
    old, new = (part.format(key=keys.values["MASTER"]) for part in LITERALS[place])
    text = provider.read_text()
    assert old in text
    provider.write_text(text.replace(old, new, 1))
    for command in (["render"], ["validate"], ["validate", "--format", "json"]):
        done = cli("-C", wired, *command)
        assert keys.found_in(done.said.encode()) == []
        assert done.code == 1, done.said
        assert re.search(r"providers/claude\.yaml(:\d+:\d+|\")", done.said), done.said
    for path, data in contents(wired / "rendered"):
        assert keys.found_in(data) == [], path


class Store:
    """A nix store of this test's own, with all that evaluation puts into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def instantiate(self, module: Path) -> str:
        """Evaluate a whole system with one more module, to derivations; what nix said.

        The derivation at the end names all that the system has for the gateway: units, files of
        /etc and the container's definition.
        """
        program = f"""
          let
            system = import {HARNESS} {{ modules = [ {module} ]; }};
            inherit (system) config lib;
            ours = lib.filterAttrs (name: _: lib.hasInfix "litellm" name);
          in
          derivation {{
            name = "everything";
            system = "x86_64-linux";
            builder = "/bin/sh";
            units = lib.mapAttrsToList (_: unit: unit.text) (ours config.systemd.units);
            etc = lib.mapAttrsToList (_: file: file.source) (ours config.environment.etc);
            containers = builtins.toJSON config.virtualisation.oci-containers.containers;
          }}
        """
        done = subprocess.run(
            ["nix-instantiate", "--option", "substitute", "false", "-E", program],
            capture_output=True,
            text=True,
            env={**os.environ, "NIX_REMOTE": str(self.folder)},
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout + done.stderr


@pytest.fixture
def store(tmp_path: Path) -> Store:
    if not shutil.which("nix-instantiate"):
        pytest.skip("nix is not installed here")
    found = subprocess.run(
        ["nix-instantiate", "--eval", "-E", "<nixpkgs/nixos/lib/eval-config.nix>"],
        capture_output=True,
        check=False,
    )
    if found.returncode:
        pytest.skip("<nixpkgs> does not resolve here, or has no NixOS modules")
    return Store(tmp_path / "store")


def test_keys_are_in_no_derivation(cli: Cli, wired: Path, keys: Keys, store: Store):
    done = cli("-C", wired, "render")
    assert done.code == 0, done.said
    said = store.instantiate(wired / "rendered" / "docker.nix")
    assert keys.found_in(said.encode()) == []
    assert "anthropic_api_key.txt" in everything(store), "the wiring is not in the derivation"
    for path, data in contents(store.folder):
        assert keys.found_in(data) == [], path


def test_the_search_finds_a_key_that_nix_did_read(
    cli: Cli, wired: Path, keys: Keys, store: Store, tmp_path: Path
):
    """A control, with the mistake that half of the public configurations make."""
    assert cli("-C", wired, "render").code == 0
    leaky = tmp_path / "leaky.nix"
    leaky.write_text(f"""
      {{ imports = [ {wired}/rendered/docker.nix ];
        virtualisation.oci-containers.containers.litellm-proxy.environment.OPENAI_API_KEY =
          builtins.readFile {keys.folder}/openai_api_key.txt; }}
    """)
    store.instantiate(leaky)
    found = {name for _, data in contents(store.folder) for name in keys.found_in(data)}
    assert found == {"OPENAI_API_KEY"}


def everything(store: Store) -> str:
    return "".join(
        data.decode(errors="replace")
        for path, data in contents(store.folder)
        if path.name.endswith("-everything.drv")
    )
