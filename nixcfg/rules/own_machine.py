"""Servers on the gateway's own machine, which its firewall keeps from the container."""

from collections.abc import Iterator

from nixcfg.problems.problem import Problem, Rule, Severity, Steps
from nixcfg.project import own_ports
from nixcfg.project.model import Machine
from nixcfg.rules.context import Whole
from nixcfg.rules.scope import EveryMachine
from nixcfg.rules.walk import scalars
from nixcfg.yamltext.document import Document

CLOSED_PORT = Rule("NX523", Severity.WARNING)


@EveryMachine
def _closed_ports(whole: Whole, machine: Machine) -> Iterator[Problem]:
    reported: set[tuple[str, int]] = set()
    for document, path, port in _asked(whole, machine):
        if port not in machine.host_ports and (document.name, port) not in reported:
            reported.add((document.name, port))
            yield document.problem(
                CLOSED_PORT,
                path,
                f"this machine's firewall drops what the container sends to port {port}",
                help=f"Add {own_ports.opened(machine, [port])} to nixcfg.yaml, and "
                f"{own_ports.LISTEN}.",
            )


def _asked(whole: Whole, machine: Machine) -> Iterator[tuple[Document, Steps, int]]:
    """Where the configuration that the container loads names its machine, and the port there."""
    project = whole.project
    for name, value in machine.environment.items():
        port = own_ports.own_port(value)
        if port is not None:
            yield project.document, machine.place("environment", name), port
    for key, port in own_ports.servers(machine):
        yield project.document, (*machine.place(key), "host"), port
    loaded = next((each for each in machine.configs if each.name == machine.model_config), None)
    for provider in project.providers:
        if loaded and provider.name in loaded.providers:
            if not own_ports.may_be_in(provider.document.text):
                continue
            for path, text in scalars(provider.document.data):
                port = own_ports.own_port(text) if isinstance(text, str) else None
                if port is not None:
                    yield provider.document, path, port
