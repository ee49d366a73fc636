"""`nixcfg client` without a gateway: what it prints, writes, refuses, and never shows."""

import json
import os
import shutil
import tomllib
from pathlib import Path

import pytest

from nixcfg.gateway import clients
from nixcfg.gateway.clients import CLIENTS, Setup, TakenError, Target
from program import HERE, Run

KEY = "sk-" + "5ec4e7" * 8
TARGET = Target("http://127.0.0.1:4000", "gpt", ("gpt", "claude"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(HERE / "cases" / "original", folder, ignore=shutil.ignore_patterns("expected"))
    (folder / "key").write_text(KEY)
    (folder / "nixcfg.yaml").write_text(f"port: 9\nmaster_key_file: {folder}/key\n")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "home").mkdir()
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")}


@pytest.mark.parametrize("name", CLIENTS)
def test_each_has_address_model_and_a_reference_to_the_key(name: str) -> None:
    text = CLIENTS[name](TARGET).text
    assert TARGET.url in text
    assert "gpt" in text
    assert "LITELLM_MASTER_KEY" in text


@pytest.mark.parametrize("name", CLIENTS)
def test_an_open_gateway_needs_none(name: str) -> None:
    text = CLIENTS[name](Target("http://127.0.0.1:4000", "gpt", is_open=True)).text
    assert "LITELLM_MASTER_KEY" not in text


@pytest.mark.parametrize("name", CLIENTS)
def test_the_key_is_printed_only_when_asked_for(
    name: str, project: Path, home: dict[str, str], nixcfg: Run
) -> None:
    done = nixcfg("-C", project, "client", name, env=home)
    assert done.returncode == 0, done.stderr
    assert KEY not in done.stdout + done.stderr
    assert "no one answers" in done.stderr
    shown = nixcfg("-C", project, "client", name, "--show-key", env=home)
    assert KEY in shown.stdout
    assert KEY not in shown.stderr


@pytest.mark.parametrize("name", ["claude-code", "codex", "opencode"])
def test_write_keeps_what_the_file_says(
    name: str, project: Path, home: dict[str, str], nixcfg: Run
) -> None:
    file = Path(home["HOME"], CLIENTS[name](TARGET).file)
    file.parent.mkdir(parents=True)
    own = 'theme = "dark"\n\n[tools]\nweb = true\n' if name == "codex" else '{"theme": "dark"}'
    file.write_text(own)
    done = nixcfg("-C", project, "client", name, "--write", env=home)
    assert done.returncode == 0, done.stderr
    read = tomllib.loads if name == "codex" else json.loads
    assert read(file.read_text())["theme"] == "dark"
    assert "9/v1" in file.read_text() or '127.0.0.1:9"' in file.read_text()
    assert KEY not in file.read_text()
    again = nixcfg("-C", project, "client", name, "--write", env=home)
    assert "is so already" in again.stdout or "already" in again.stderr


def test_write_refuses_what_it_would_have_to_guess() -> None:
    setup = CLIENTS["codex"](TARGET)
    with pytest.raises(TakenError, match="model_provider"):
        clients.joined(setup, 'model_provider = "openai"\n')
    with pytest.raises(TakenError, match="no TOML"):
        clients.joined(setup, "a = = b")
    with pytest.raises(TakenError, match="no plain JSON"):
        clients.joined(CLIENTS["opencode"](TARGET), "{ // mine\n}")
    with pytest.raises(TakenError, match="no JSON object"):
        clients.joined(CLIENTS["opencode"](TARGET), "[]")


def test_settings_of_a_nested_section_are_joined() -> None:
    setup = Setup("", format="json", data={"env": {"B": "2"}, "model": "m"})
    text = clients.joined(setup, '{"env": {"A": "1"}, "hooks": []}')
    assert json.loads(text) == {"env": {"A": "1", "B": "2"}, "hooks": [], "model": "m"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cluade-code",), "did you mean claude-code?"),
        (("curl", "--write"), "no settings file"),
        (("codex", "--write", "--show-key"), "--show-key prints"),
    ],
)
def test_wrong_usage(
    arguments: tuple[str, ...], said: str, project: Path, home: dict[str, str], nixcfg: Run
) -> None:
    done = nixcfg("-C", project, "client", *arguments, env=home)
    assert done.returncode == 2
    assert said in done.stderr


def test_without_a_name_it_lists_them(project: Path, nixcfg: Run) -> None:
    assert nixcfg("-C", project, "client").stdout.split() == sorted(CLIENTS)


def test_ask_says_what_it_needs(project: Path, home: dict[str, str], nixcfg: Run) -> None:
    done = nixcfg("-C", project, "ask", "Hello", "there", env=home)
    assert done.returncode == 1
    assert "no one listens there" in done.stderr
    both = nixcfg("-C", project, "ask", "Hello", "--mock", "--url", "http://x", env=home)
    assert both.returncode == 2
