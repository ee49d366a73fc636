"""`nixcfg doctor` on the gateway as others reach it: its port, who gets in, and its models."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from day import Trying
from examined import UNIT, port_of, settings, told
from gateway import free_port
from vendor import Vendor


@contextmanager
def wide_relay(port: int, target: int) -> Iterator[None]:
    """Listens on every address, and hands what comes to `target` on this machine."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with source, sink:
            while data := source.recv(65536):
                sink.sendall(data)

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                here, _ = listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", target))
            for pair in ((here, there), (there.dup(), here.dup())):
                threading.Thread(target=quiet(pump), args=pair, daemon=True).start()

    with socket.create_server(("0.0.0.0", port)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)


def quiet(function: Callable[..., None]) -> Callable[..., None]:
    def run(*arguments: object) -> None:
        try:
            function(*arguments)
        except OSError:
            return

    return run


def test_nobody_listens(doctor, project: Path):
    found = doctor(code=1)
    told(found[f"port {port_of(project)}"], "warning", "no one listens", f"start {UNIT}")
    told(found["health"], "error", "does not answer")


def test_another_program_has_the_port(doctor, project: Path, vendors: dict[str, Vendor]):
    port = int(vendors["openai"].url.rpartition(":")[2])
    settings(project, port=port)
    name = Path(f"/proc/{os.getpid()}/comm").read_text().strip()
    check = doctor(code=1)[f"port {port}"]
    told(check, "error", f"{name} ({os.getpid()}) listens", "no LiteLLM", "another `port`")


@contextmanager
def gateway_that(*answers: bytes) -> Iterator[int]:
    """A port where something answers /health/liveliness, and everything after it in this order."""
    alive = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"I\'m alive!"'

    def serve(listener: socket.socket) -> None:
        for answer in (alive, *answers):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=quiet(serve), args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]


def answer(status: int, body: str = "{}") -> bytes:
    return f"HTTP/1.1 {status} OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


STRANGE = {
    "open": ((200, 401), "access", "error", "the gateway answers without a key"),
    "known": ((401, 200), "access", "error", "the gateway answers with sk-1234"),
    "closed": ((401, 401), "access", "ok", "no one gets in without the master key"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_who_gets_into_a_gateway(doctor, project: Path, name: str):
    statuses, check, status, message = STRANGE[name]
    with gateway_that(*map(answer, statuses)) as port:
        settings(project, port=port)
        found = doctor()
    told(found["health"], "ok", f":{port} answers")
    told(found[check], status, message)


def test_a_gateway_that_breaks_off(doctor, project: Path):
    key = project / "keys" / "master.txt"
    key.write_text("sk-0123456789abcdef0123456789abcdef\n")
    with gateway_that(b"", b"") as port:
        settings(project, port=port, master_key_file=key)
        found = doctor()
    told(found["access"], "skipped", "the gateway broke off: RemoteDisconnected")
    for last, status, message in (
        (b"", "skipped", "the gateway broke off: RemoteDisconnected"),
        (answer(500), "error", "the gateway answers 500 to /v1/models"),
        (answer(200, "no JSON"), "error", "and no list of them"),
        (answer(403), "error", "this is not its master key"),
        (answer(200, '{"data": [{"id": "other"}]}'), "error", "the gateway lacks claude-"),
    ):
        with gateway_that(answer(401), answer(401), last) as port:
            settings(project, port=port)
            told(doctor()["models"], status, message)


def test_an_open_gateway(doctor, project: Path):
    with gateway_that(answer(200), answer(200), answer(200, '{"data": []}')) as port:
        settings(project, port=port, auth="open")
        found = doctor(code=1)
    told(found["access"], "ok", "open, as nixcfg.yaml says")
    told(found["master key"], "warning", "lets every user and web page", "auth: master-key")
    told(found["models"], "error", "the gateway lacks")


def test_a_master_key_that_is_none(doctor, project: Path):
    key = project / "keys" / "master.txt"
    key.write_text("two\nlines\n")
    settings(project, master_key_file=key)
    told(doctor(code=1)["master key"], "error", "holds more than one line", "sk- and 32 or more")


def test_a_gateway_in_order(doctor, trying: Trying, project: Path):
    key = project / "keys" / "master.txt"
    key.write_text(trying.key + "\n")
    port = trying.url.rpartition(":")[2]
    settings(project, port=port, master_key_file=key)
    found = doctor()
    told(found[f"port {port}"], "ok", "listens on 127.0.0.1")
    for name in ("health", "access", "models", "master key", "image", "firewall"):
        told(found[name], "ok")
    assert trying.key not in json.dumps(found)

    settings(project, model_config="holed")
    told(doctor()["models"], "error", "the gateway lacks dropped", "nixcfg rehearse")
    settings(project, model_config="claude")
    told(doctor()["models"], "warning", "also serves gpt-4o", "nixos-rebuild switch")


def test_another_master_key(doctor, trying: Trying, project: Path):
    key = project / "keys" / "master.txt"
    settings(project, port=trying.url.rpartition(":")[2], master_key_file=key)
    told(doctor()["master key"], "warning", "master.txt is missing")
    key.write_text("sk-0123456789abcdef0123456789abcdef\n")
    told(doctor()["models"], "error", "this is not its master key")
    for weak, message in (("sk-1234", "everyone knows"), ("hunter2", "weak key")):
        key.write_text(f"{weak}\n")
        found = doctor(code=1)
        told(found["master key"], "error", message, "32 or more random characters")
        assert "hunter2" not in json.dumps(found)


def test_a_gateway_that_the_network_reaches(doctor, trying: Trying, project: Path):
    port = free_port()
    settings(project, port=port)
    with wide_relay(port, int(trying.url.rpartition(":")[2])):
        check = doctor(code=1)[f"port {port}"]
    told(check, "error", "listens on 0.0.0.0", "nixcfg.yaml says 127.0.0.1")
    settings(project, listen_address="0.0.0.0")
    told(doctor()["firewall"], "warning", "past the NixOS firewall", "listen_address: 127.0.0.1")


def test_several_instances_that_nobody_reaches(doctor, project: Path):
    settings(project, instances=2, redis="local", port=free_port())
    found = doctor()
    told(found["health"], "error", "journalctl -u 'docker-litellm-proxy-*' -n 50")
