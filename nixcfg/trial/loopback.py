"""Keep a Python process on its machine: it connects to loopback alone, and looks up no other name.

For what no proxy variable keeps here: Redis, databases, mail, statsd. A second lock beside the
proxy; what a library does below Python's sockets, it does not see.
"""

import contextlib
import ipaddress
import socket
import sys
from typing import Any


def confine() -> None:
    """From now on, refuse everything else, as a machine would that no one is connected to."""
    for name in ("connect", "connect_ex", "sendto"):
        _guard(name)
    looked_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        if not _is_here(host):
            _say(host)
            raise socket.gaierror(socket.EAI_NONAME, f"{host}: nothing leaves this machine")
        return looked_up(host, *rest, **more)

    socket.getaddrinfo = getaddrinfo
    with contextlib.suppress(ImportError):
        _guard_uvloop()


def _guard(name: str) -> None:
    original = getattr(socket.socket, name)

    def guarded(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            _say(address[0])
            raise ConnectionRefusedError(f"{address[0]}: nothing leaves this machine")
        return original(self, *arguments)

    setattr(socket.socket, name, guarded)


def _guard_uvloop() -> None:
    """uvloop connects below Python's sockets."""
    import uvloop

    original = uvloop.Loop.create_connection

    async def create_connection(
        self: Any, factory: Any, host: Any = None, *rest: Any, **more: Any
    ) -> Any:
        if not _is_here(host):
            _say(host)
            raise ConnectionRefusedError(f"{host}: nothing leaves this machine")
        return await original(self, factory, host, *rest, **more)

    setattr(uvloop.Loop, "create_connection", create_connection)  # noqa: B010 (mypy: a method)


def _is_here(host: Any) -> bool:
    """Whether it is this machine, by a loopback address or its usual name; None is no host."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not text or text in ("localhost", "<broadcast>"):
        return text != "<broadcast>"
    try:
        address = ipaddress.ip_address(str(text).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _say(host: Any) -> None:
    sys.stderr.write(f"nixcfg: no connection to {host}: nothing leaves this machine\n")
