"""Ports of the gateway's own machine: which addresses mean it, and what is said of them."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nixcfg import check
from nixcfg.doctor import Status
from nixcfg.doctor import own_ports as asked
from nixcfg.project import own_ports
from nixcfg.project.find import read_project

PROVIDER = """\
model_list:
  - model_name: llama
    litellm_params: {model: openai/llama, api_base: "%s", api_key: none}
"""


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("http://host.containers.internal:11434", 11434),
        ("http://host.docker.internal:8000/v1", 8000),
        ("https://172.17.0.1/v1", 443),
        ("http://10.88.0.1", 80),
        ("host.containers.internal:6379", 6379),
        ("redis://:password@host.containers.internal", 6379),
        ("postgresql://user@host.containers.internal/litellm", 5432),
        ("http://myhost.containers.internal:11434", None),
        ("http://host.containers.internal.example.org:11434", None),
        ("http://localhost:11434", None),
        ("see http://host.containers.internal", None),
        ("http://host.containers.internal:port", None),
        ("http://[host.containers.internal", None),
        ("", None),
    ],
)
def test_addresses_of_the_own_machine(text, port):
    assert own_ports.own_port(text) == port


def codes(folder: Path, settings: str, base: str) -> list[str]:
    (folder / "providers").mkdir(exist_ok=True)
    (folder / "nixcfg.yaml").write_text(settings)
    (folder / "providers" / "box.yaml").write_text(PROVIDER % base)
    return [problem.rule.code for problem in check.validate(read_project(folder)).problems]


OLLAMA = "http://host.containers.internal:11434"


@pytest.mark.parametrize(
    ("settings", "base", "count"),
    [
        ("port: 4000\n", OLLAMA, 1),
        ("host_ports: [11434]\n", OLLAMA, 0),
        ("host_ports: [8000]\n", OLLAMA, 1),
        ("port: 4000\n", "http://box.lan:11434", 0),
        ("environment: {BASE: 'http://host.docker.internal:1/'}\n", "http://box.lan", 1),
        ("redis: {host: host.containers.internal}\n", "http://box.lan", 1),
        ("redis: {host: host.containers.internal}\nhost_ports: [6379]\n", "http://box.lan", 0),
        # Each host opens its own, and only the one that lacks a port is named.
        ("hosts: {a: {host_ports: [11434]}, b: {}}\n", OLLAMA, 1),
    ],
)
def test_a_closed_port_is_reported(tmp_path, settings, base, count):
    assert codes(tmp_path, settings, base).count("NX523") == count


def test_another_configuration_than_the_loaded_one_asks_nothing(tmp_path):
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "cloud.yaml").write_text(PROVIDER % "https://example.org/v1")
    assert "NX523" not in codes(tmp_path, "model_config: cloud\n", OLLAMA)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker that runs what it is to run in a container on this machine, as whose host."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        'echo "$*" >> "${0%/*}/asked"\n'
        "shift 2\n"
        'words=; for word; do [ "$word" = host.containers.internal ] && word=127.0.0.1\n'
        'set -- "$@" "$word"; shift; done\n'
        'exec "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return program


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_doctor_asks_from_inside_the_container(tmp_path, engine, listening):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()[1]
    codes(tmp_path, f"host_ports: [{listening}]\n", f"http://host.containers.internal:{closed}")
    project = check.validate(read_project(tmp_path)).project
    assert project is not None
    checks = {each.name: each for each in asked.checks(replace(project.machine, backend="docker"))}
    assert checks[f"host port {listening}"].status is Status.OK
    refused = checks[f"host port {closed}"]
    assert refused.status is Status.ERROR
    assert "services.ollama.host" in refused.mend
    lines = (engine.parent / "asked").read_text().splitlines()
    assert len([line for line in lines if line.startswith("exec litellm-proxy python3 ")]) == 2


def test_doctor_says_so_where_the_container_does_not_run(tmp_path, engine):
    engine.write_text("#!/bin/sh\necho 'No such container' >&2; exit 1\n")
    codes(tmp_path, "host_ports: [11434]\n", "http://box.lan")
    project = check.validate(read_project(tmp_path)).project
    assert project is not None
    (found,) = asked.checks(replace(project.machine, backend="docker"))
    assert found.status is Status.SKIPPED
