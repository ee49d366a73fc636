"""Every request that LiteLLM makes, caught before it leaves, and the variables it looks up."""

import asyncio
import base64
import contextlib
import logging
import os
import re
import socket
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

ADDRESS = re.compile(r"(API_BASE|BASE_URL|URL|ENDPOINT|HOST)$")
REGION = "eu-central-1"


@dataclass(frozen=True)
class Request:
    """An outgoing request; ``parts`` are its address, its body and each header by name."""

    url: str
    parts: Mapping[str, str]

    @property
    def aside(self) -> bool:
        """Not the call itself: asks for a token, or for a file of the model's."""
        path = urlsplit(self.url).path
        return "grant_type" in self.parts["body"] or path.endswith("/oauth") or "/raw/" in path


@dataclass(frozen=True)
class Outcome:
    requests: tuple[Request, ...]
    error: str
    read: frozenset[str]

    @property
    def call(self) -> Request | None:
        """The call itself, the last of its requests."""
        return next((r for r in reversed(self.requests) if not r.aside), None)

    @property
    def sent(self) -> bool:
        return self.call is not None

    @property
    def url(self) -> str:
        return self.call.url if self.call else ""

    def shows(self, names: Iterable[str]) -> set[str]:
        """Those variables whose value is in some request."""
        return {name for name in names if self.places(name)}

    def places(self, name: str) -> frozenset[str]:
        """The parts of the requests in which a variable's value is."""
        return frozenset(
            place
            for request in self.requests
            for place, text in request.parts.items()
            if tag(name) in text
        )


def tag(name: str) -> str:
    return f"nixcfg-{name.lower().replace('_', '-')}-end"


def value(name: str) -> str:
    if ADDRESS.search(name):
        return f"https://{tag(name)}.test/prefix"
    if name.endswith(("REGION", "REGION_NAME")):
        return REGION
    return tag(name)


# --- catching requests ---------------------------------------------------------------------------

caught: list[Request] = []
looked_up: set[str] = set()


def cut_network() -> None:
    """No connection leaves this process."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise OSError("the network is cut")

    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        setattr(socket, name, refuse)


def record(url: Any, headers: Iterable[tuple[Any, Any]], body: Any) -> None:
    parts = {"url": str(url)}
    parts["body"] = body.decode("latin-1") if isinstance(body, bytes) else str(body or "")
    for name, raw in headers:
        text = raw.decode("latin-1") if isinstance(raw, bytes) else str(raw)
        words = text.split()
        if words[:1] == ["Basic"] and len(words) == 2:
            with contextlib.suppress(ValueError):
                text += base64.b64decode(words[1]).decode("latin-1")
        parts[str(name).lower()] = text
    caught.append(Request(str(url), parts))


def token_for(request: Request) -> dict[str, Any]:
    """An answer for those who fetch a token first: it names the keys that it was given for."""
    keys = sorted(set(re.findall(r"nixcfg-[a-z0-9-]+-end", " ".join(request.parts.values()))))
    text = "token-for-" + "-and-".join(keys)
    never = 4102444800
    expiry = {"expires_in": 3600, "expires_at": never * 1000, "expiration": never, "exp": never}
    return {"access_token": text, "tok": text, "token_type": "Bearer", **expiry}


def catch_requests() -> None:
    """Replace the sending end of every HTTP client that LiteLLM uses."""
    import httpx
    import requests
    from botocore.httpsession import URLLib3Session

    def httpx_send(_: Any, request: httpx.Request, **__: Any) -> httpx.Response:
        body = request.read() if isinstance(request.stream, httpx.SyncByteStream) else b""
        record(request.url, request.headers.items(), body)
        if caught[-1].aside:
            return httpx.Response(200, json=token_for(caught[-1]), request=request)
        raise httpx.ConnectError("the network is cut", request=request)

    async def httpx_send_async(_: Any, request: httpx.Request, **__: Any) -> httpx.Response:
        return httpx_send(_, request)

    def requests_send(_: Any, request: Any, **__: Any) -> NoReturn:
        record(request.url, request.headers.items(), request.body)
        raise requests.ConnectionError("the network is cut")

    def botocore_send(_: Any, request: Any) -> NoReturn:
        record(request.url, request.headers.items(), request.body)
        raise OSError("the network is cut")

    httpx.Client.send = httpx_send  # type: ignore[method-assign, assignment]
    httpx.AsyncClient.send = httpx_send_async  # type: ignore[method-assign, assignment]
    requests.Session.send = requests_send  # type: ignore[method-assign, assignment]
    URLLib3Session.send = botocore_send


def watch_environment() -> None:
    """Note the names that this thread looks up (loggers work in others)."""
    watched = threading.get_ident()
    original = os._Environ.__getitem__  # noqa: SLF001 - there is no other way to see reads

    def getitem(self: Any, key: Any) -> Any:
        if threading.get_ident() == watched and isinstance(key, str):
            looked_up.add(key)
        return original(self, key)

    os._Environ.__getitem__ = getitem  # type: ignore[method-assign]  # noqa: SLF001


def skip_reports() -> None:
    """Three thousand calls fail, and no one reads what LiteLLM would write about each."""
    import anyio
    from litellm.litellm_core_utils.litellm_logging import Logging

    logging.disable(logging.CRITICAL)
    Logging.failure_handler = lambda *_, **__: None  # type: ignore[method-assign]
    traceback.format_exc = lambda *_, **__: ""  # type: ignore[assignment]
    time.sleep = lambda _: None
    asyncio.sleep = anyio.sleep = _at_once  # type: ignore[assignment]


_sleep = asyncio.sleep


async def _at_once(_: float, result: Any = None) -> Any:
    """In place of a sleep before the next try."""
    return await _sleep(0, result)


@contextlib.contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)
