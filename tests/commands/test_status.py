"""`nixcfg status`: the state at a glance, as far as this machine shows it."""

import http.server
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from terminal import Terminal

from program import HERE, Run

KEY = "sk-ant-api03-" + "aB3" * 30 + "AA"
LOADED = "LoadState=loaded\nActiveState={}\nActiveEnterTimestamp=Sun 2026-11-01 02:10:38 UTC\n"
NOT_THERE = "LoadState=not-found\nActiveState=inactive\n"
LOG = f"""\
2026-11-28T21:14:05+00:00 machine docker[9]: INFO: up
2026-11-28T21:15:06+00:00 machine docker[9]: LiteLLM:ERROR: proxy.py:1 - the vendor says no to {KEY}
2026-11-28T21:16:07+00:00 machine docker[9]: INFO: up
"""


class _Alive(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/liveliness" else 401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def alive() -> Iterator[int]:
    """The port of something that answers as a gateway does that is up."""
    with http.server.HTTPServer(("127.0.0.1", 0), _Alive) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def project(tmp_path: Path, nixcfg: Run) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(HERE / "cases" / "original", folder, ignore=shutil.ignore_patterns("expected"))
    (folder / "keys").mkdir()
    (folder / "keys" / "anthropic_api_key.txt").write_text(KEY)
    settings(folder, 9)
    assert nixcfg("-C", folder, "render").returncode == 0
    return folder


def settings(folder: Path, port: int, model_config: str = "all") -> None:
    (folder / "nixcfg.yaml").write_text(
        f"model_config: {model_config}\nbackend: docker\nport: {port}\nsecrets_dir: {folder}/keys\n"
    )


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[str, str], str]:
    """A PATH on which systemctl and journalctl answer what a gateway's machine would."""

    def make(unit: str, log: str) -> str:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        for name, text in (("systemctl", unit), ("journalctl", log), ("docker", "")):
            (folder / name).write_text(f"#!/bin/sh\ncat <<'END'\n{text}END\n")
            (folder / name).chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"

    return make


def rows(text: str) -> dict[str, str]:
    return {line[:10].strip(): line[12:] for line in text.splitlines()}


def environment(path: str) -> dict[str, str]:
    return {**os.environ, "PATH": path}


def test_elsewhere_it_says_once_that_this_is_no_nixos(project: Path, nixcfg: Run) -> None:
    if Path("/etc/NIXOS").exists():
        pytest.skip("this is NixOS")
    done = nixcfg("-C", project, "status", env=environment("/nowhere"))
    found = rows(done.stdout)
    assert done.returncode == 1
    assert (done.stdout + done.stderr).count("NixOS") == 1
    assert "no NixOS" in found["gateway"]
    assert found["config"] == "all (claude, gemini, openai)"
    assert found["models"] == "claude-3-7-sonnet, gemini-2.5-flash, gpt-4o"
    assert found["keys"] == "set: ANTHROPIC_API_KEY; MISSING: GEMINI_API_KEY, OPENAI_API_KEY"
    assert "7 warnings" in found["source"]
    assert len(done.stdout.splitlines()) <= 10


def test_a_gateway_that_runs(
    project: Path, alive: int, nixcfg: Run, machine: Callable[[str, str], str]
) -> None:
    settings(project, alive)
    path = machine(LOADED.format("active"), LOG)
    done = nixcfg("-C", project, "status", env=environment(path))
    found = rows(done.stdout)
    assert done.returncode == 0, done.stderr
    assert found["gateway"].startswith(f"http://127.0.0.1:{alive} answers, up for ")
    assert found["last error"].startswith("2026-11-28 21:15 the vendor says no")
    assert KEY not in done.stdout
    assert found["rendered"] == "rendered/ is not up to date: 1 file"
    assert done.stderr.strip() == "Next: nixcfg render"
    assert len(done.stdout.splitlines()) <= 10


def test_what_answers_and_is_no_unit_of_this_machine(
    project: Path, alive: int, nixcfg: Run
) -> None:
    settings(project, alive)
    done = nixcfg("-C", project, "status", env=environment("/nowhere"))
    found = rows(done.stdout)
    said = f"http://127.0.0.1:{alive} answers, but not as a unit: nixcfg try, or another program"
    assert found["gateway"] == said
    assert "last error" not in found
    assert "deployed" not in found
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("activating", "is starting"),
        ("failed", "has failed"),
        ("active", "does not answer yet"),
        ("inactive", "is stopped"),
    ],
)
def test_one_that_does_not(
    state: str, said: str, project: Path, nixcfg: Run, machine: Callable[[str, str], str]
) -> None:
    path = environment(machine(LOADED.format(state), ""))
    done = nixcfg("-C", project, "status", env=path)
    assert done.returncode == 1
    assert said in rows(done.stdout)["gateway"]
    assert "set-key" in done.stderr
    (project / "keys" / "gemini_api_key.txt").write_text("AIza" + "aB3" * 12)
    (project / "keys" / "openai_api_key.txt").write_text("sk-proj-" + "aB3" * 20)
    assert "set-key" not in nixcfg("-C", project, "status", env=path).stderr


def test_json_has_all_of_it(project: Path, nixcfg: Run) -> None:
    done = nixcfg("-C", project, "status", "--json")
    found = json.loads(done.stdout)
    assert found["config"] == "all"
    assert [key["state"] for key in found["keys"]] == ["set", "missing", "missing"]
    assert [each["name"] for each in found["overview"]] == ["claude", "gemini", "openai"]
    assert KEY not in done.stdout


def test_the_providers_are_a_part_of_it(project: Path, nixcfg: Run) -> None:
    table = nixcfg("-C", project, "status", "--providers").stdout.partition("\n\n")[2]
    old = nixcfg("-C", project, "providers")
    assert old.returncode == 0
    assert old.stdout == table
    assert "nixcfg status" in old.stderr
    (project / "providers" / "gemini.yaml").write_text("model_list: 3\n")
    assert "openai" in nixcfg("-C", project, "providers").stdout


def test_a_broken_provider_is_named_and_the_rest_shown(project: Path, nixcfg: Run) -> None:
    (project / "providers" / "gemini.yaml").write_text("model_list: 3\n")
    done = nixcfg("-C", project, "status")
    assert "left out: providers/gemini.yaml" in rows(done.stdout)["source"]
    assert done.stderr.strip() == "Next: nixcfg validate"
    settings(project, 9, "gemini")
    done = nixcfg("-C", project, "status")
    assert done.returncode == 1
    assert "NX103" in done.stderr


@pytest.mark.parametrize("columns", [60, 100])
def test_each_row_is_one_line_of_the_terminal(columns: int, project: Path) -> None:
    import sys

    command = [sys.executable, "-P", "-m", "nixcfg", "-C", str(project), "status"]
    with Terminal(command, project, columns=columns) as person:
        assert person.ends() == 1
        assert all(len(line) <= columns for line in person.lines)
        assert len(person.lines) <= 11
