"""Ports of the gateway's own machine that a configuration asks, and those that are opened. Pure."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from nixcfg.project import wiring
from nixcfg.project.model import Machine

_NAMES = frozenset((wiring.HOST, "host.docker.internal", "172.17.0.1", "10.88.0.1"))
"""What a container calls its machine: podman's name and docker's, and the default bridges."""
_DEFAULT = {"https": 443, "wss": 443, "postgresql": 5432, "postgres": 5432, "redis": 6379}


def may_be_in(file: str) -> bool:
    """Whether the text of a YAML file can hold such a name: one may be written with escapes."""
    return "\\" in file or _has_name(file)


def _has_name(text: str) -> bool:
    return any(name in text for name in _NAMES)


def own_port(text: str) -> int | None:
    """The port that a URL or HOST:PORT asks on the gateway's machine; None for another machine."""
    if not _has_name(text):
        return None
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        port = parts.port
    except ValueError:
        return None
    if (parts.hostname or "") not in _NAMES:
        return None
    return port or _DEFAULT.get(parts.scheme, 80)


def closed(machine: Machine, texts: Iterable[str]) -> list[int]:
    """The ports that some texts ask on the machine, and that its host_ports leave closed."""
    asked = {port for text in texts if (port := own_port(text)) is not None}
    return sorted(asked - {*machine.host_ports})


def servers(machine: Machine) -> Iterator[tuple[str, int]]:
    """The database and the Redis of nixcfg.yaml that are on the machine itself, with their ports.

    `local` ones are no part of it: they have sockets.
    """
    for key, server, default in (
        ("database", machine.database, 5432),
        ("redis", machine.redis, 6379),
    ):
        if server and server.host in _NAMES:
            yield key, server.port or default


def opened(machine: Machine, ports: Iterable[int]) -> str:
    """The line of nixcfg.yaml that opens these ports beside those that are opened."""
    return f"host_ports: [{', '.join(map(str, sorted({*machine.host_ports, *ports})))}]"


LISTEN = 'let the server listen on more than 127.0.0.1, as services.ollama.host = "0.0.0.0" does'
"""What the server needs beside the port."""
