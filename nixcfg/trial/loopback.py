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
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        _guard_lookup(name)
    with contextlib.suppress(ImportError):
        _guard_uvloop()


def _guard(name: str) -> None:
    original = getattr(socket.socket, name)

    def guarded(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _check(address[0])
        return original(self, *arguments)

    setattr(socket.socket, name, guarded)


def _guard_lookup(name: str) -> None:
    original = getattr(socket, name)

    def guarded(host: Any, *rest: Any, **more: Any) -> Any:
        try:
            _check(host)
        except ConnectionRefusedError as error:
            raise socket.gaierror(socket.EAI_NONAME, f"{error}") from None
        return original(host, *rest, **more)

    setattr(socket, name, guarded)


def _guard_uvloop() -> None:
    """uvloop connects, and looks up names, below Python's sockets."""
    import uvloop

    connect, look_up = uvloop.Loop.create_connection, uvloop.Loop.getaddrinfo

    async def create_connection(
        self: Any, factory: Any, host: Any = None, *rest: Any, **more: Any
    ) -> Any:
        _check(host)
        return await connect(self, factory, host, *rest, **more)

    async def getaddrinfo(self: Any, host: Any, *rest: Any, **more: Any) -> Any:
        _check(host)
        return await look_up(self, host, *rest, **more)

    for guarded in (create_connection, getaddrinfo):
        setattr(uvloop.Loop, guarded.__name__, guarded)


def _check(host: Any) -> None:
    if not _is_here(host):
        sys.stderr.write(f"nixcfg: no connection to {host}: nothing leaves this machine\n")
        raise ConnectionRefusedError(f"{host}: nothing leaves this machine")


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
