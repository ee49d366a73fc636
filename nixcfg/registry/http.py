"""One HTTP request: with limits, through the proxy of the environment, with errors of one line."""

import http.client
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from nixcfg import __version__
from nixcfg.registry.reference import is_loopback

SECONDS = 20.0
"""For each answer of the network; the whole of one request may take three times as long."""
_HOPS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


class RegistryError(Exception):
    """What was asked for cannot be had; the message is one line, and holds no credential."""


class NoAnswerError(RegistryError):
    """The other side does not speak HTTP as it was asked to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, whole. `headers` by names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(
    url: str,
    headers: Mapping[str, str],
    limit: int,
    *,
    method: str = "GET",
    form: bytes | None = None,
    plain: Callable[[str], bool] = is_loopback,
) -> Answer:
    """Ask for a URL; redirects are followed, but Authorization goes to no other host.

    `limit` is the most bytes that the body may have. `form` is posted. `plain` says whether a host
    may be asked without TLS. Raises RegistryError.
    """
    deadline = time.monotonic() + 3 * SECONDS
    sent = {"User-Agent": f"nixcfg/{__version__}", **headers}
    for _ in range(_HOPS + 1):
        _refuse_plain(url, plain)
        answer = _once(urllib.request.Request(url, form, sent, method=method), limit, deadline)  # noqa: S310 (checked above)
        if answer.status not in _REDIRECTS or "location" not in answer.headers:
            return answer
        if form is not None:
            raise RegistryError(f"{_host(url)} sends a login elsewhere; it does not get one")
        target = _target(url, answer.headers["location"])
        if _origin(target) != _origin(url):
            sent.pop("Authorization", None)
        if url.startswith("https:") and not target.startswith("https:"):
            raise RegistryError(f"{_host(url)} sends us to a place without TLS")
        url = target
    raise RegistryError(f"{_host(url)} sends us round in circles")


def shown(text: str, longest: int = 200) -> str:
    """What the other side wrote, fit for a line of ours."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def _target(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise RegistryError(f"{_host(url)} sends us to an address that is none") from None


def _refuse_plain(url: str, plain: Callable[[str], bool]) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise RegistryError("the registry answers with an address that is none") from None
    if parts.username is not None or not parts.hostname or parts.scheme not in ("http", "https"):
        raise RegistryError(f"{shown(parts.scheme)}: no address of a registry")
    if parts.scheme == "http" and not plain(parts.netloc):
        raise RegistryError(
            f"{shown(parts.netloc)} would be asked without TLS, which only this machine is, "
            "and what --insecure-registry names"
        )


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _host(url: str) -> str:
    return shown(urlsplit(url).netloc)


def _once(request: urllib.request.Request, limit: int, deadline: float) -> Answer:
    host = _host(request.full_url)
    try:
        with _opener(request).open(request, timeout=SECONDS) as response:
            body = _body(response, host, limit, deadline)
            headers: dict[str, str] = {}
            for name, value in response.headers.items():
                known = headers.get(name.lower())
                headers[name.lower()] = f"{known}, {value}" if known else value
            return Answer(response.status, headers, body)
    except urllib.error.URLError as error:
        reason = error.reason
        raise _unreachable(host, reason if isinstance(reason, OSError) else OSError()) from None
    except OSError as error:
        raise _unreachable(host, error) from None
    except (http.client.HTTPException, ValueError):
        raise NoAnswerError(f"{host} does not answer as a registry does") from None


def _opener(request: urllib.request.Request) -> urllib.request.OpenerDirector:
    """Without a handler of errors: an answer is an answer, and redirects are followed above."""
    opener = urllib.request.OpenerDirector()
    # As docker and podman: no proxy leads to the machine itself.
    proxies: dict[str, str] | None = {} if is_loopback(request.host) else None
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _body(response: http.client.HTTPResponse, host: str, limit: int, deadline: float) -> bytes:
    pieces, size = [], 0
    while piece := response.read1(65_536):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise RegistryError(f"{host} answers with more than {limit:,} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError
    if response.length:
        raise ConnectionResetError
    return b"".join(pieces)


def _unreachable(host: str, error: OSError) -> RegistryError:
    match error:
        case socket.gaierror():
            return RegistryError(f"there is no {host}, or no DNS that knows it")
        case TimeoutError():
            return RegistryError(f"{host} gave no answer in time")
        case ssl.SSLCertVerificationError():
            why = shown(error.verify_message)
            return RegistryError(
                f"{host} has a certificate that is not trusted: {why}; "
                "SSL_CERT_FILE names the authorities that are"
            )
        case ssl.SSLError():
            return NoAnswerError(f"{host} does not speak TLS: --insecure-registry allows that")
        case ConnectionRefusedError():
            return RegistryError(f"{host} refuses the connection: nothing listens there")
        case ConnectionError():
            return NoAnswerError(f"{host} broke the connection off")
    return RegistryError(
        f"{host} cannot be reached: {shown(error.strerror or 'it failed').lower()}"
    )
