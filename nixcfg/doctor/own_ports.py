"""The servers on the gateway's own machine, asked from inside the container."""

from collections.abc import Iterator

from nixcfg.doctor import Check, error, hidden, ok, skipped
from nixcfg.gateway import machine
from nixcfg.project import own_ports, wiring
from nixcfg.project.model import Machine

_CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5).close()
    print("answers")
except ConnectionRefusedError:
    print("refused")
except OSError:
    print("silent")
"""
"""The image has Python, and nothing else that could ask."""


def checks(here: Machine) -> Iterator[Check]:
    """Each port that is opened or asked: whether the container gets an answer there."""
    asked = {port for text in _texts(here) if (port := own_ports.own_port(text)) is not None}
    ports = {*here.host_ports, *asked, *(port for _, port in own_ports.servers(here))}
    container = wiring.containers(here.instances)[0]
    for port in sorted(ports):
        yield _check(here, container, port)


def _texts(here: Machine) -> Iterator[str]:
    yield from here.environment.values()
    yield from _all_texts(here.loaded.litellm)


def _all_texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _all_texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _all_texts(each)


def _check(here: Machine, container: str, port: int) -> Check:
    name, address = f"host port {port}", f"{wiring.HOST}:{port}"
    question = ("python3", "-I", "-c", _CONNECT, wiring.HOST, str(port))
    try:
        output = machine.run(here.backend, "exec", container, *question)
    except machine.UnknownError as reason:
        return skipped(name, f"{reason}")
    answer = output.out.strip()
    if answer == "answers":
        return ok(name, f"{address} answers the container")
    if answer == "refused":
        advice = own_ports.LISTEN
        message = f"nothing listens for the container at {address}"
        return error(name, message, f"{advice[:1].upper()}{advice[1:]}.")
    if answer == "silent":
        line = own_ports.opened(here, [port])
        return error(
            name,
            f"{address} does not answer the container: the firewall drops what it sends",
            f"Have {line} in nixcfg.yaml, then nixcfg render and sudo nixos-rebuild switch",
        )
    if not machine.is_root():
        return hidden(name, f"{here.backend} answers only root")
    return skipped(name, f"{container} does not run")
