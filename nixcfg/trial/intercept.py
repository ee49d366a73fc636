"""An HTTP proxy on loopback that answers in place of every host: nothing leaves the machine.

LiteLLM runs on exactly the rendered configuration. It is sent here by HTTPS_PROXY, and trusts the
certificates made here because SSL_CERT_FILE names their authority, which exists for one run.
"""

import datetime as dt
import select
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from nixcfg.trial.clock import Clock
from nixcfg.trial.exchange import Reply, Request

_IDLE_SECONDS = 120


class Authority:
    """Certificates for any host, signed by an authority whose certificate is the file `bundle`."""

    def __init__(self, folder: Path) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self.bundle = folder / "authority.pem"
        self._folder = folder
        self._lock = threading.Lock()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _certificate("nixcfg test", self._key, None)
        self.bundle.write_bytes(_pem(self._certificate))

    def context(self, host: str) -> ssl.SSLContext:
        """What a server needs that wants to be `host`."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._made(host)
            return self._contexts[host]

    def _made(self, host: str) -> ssl.SSLContext:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = self._folder / f"host-{len(self._contexts)}.pem"
        signed = _certificate(host, key, (self._certificate, self._key))
        file.write_bytes(secret + _pem(signed))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _certificate(name: str, key: Any, signer: tuple[Any, Any] | None) -> Any:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    issuer, signing = (signer[0].subject, signer[1]) if signer else (subject, key)
    now = dt.datetime.now(tz=dt.UTC)
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name if signer else "nixcfg.invalid")
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
        .sign(signing, hashes.SHA256())
    )


def _pem(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    encoded: bytes = certificate.public_bytes(serialization.Encoding.PEM)
    return encoded


class Interceptor(ThreadingHTTPServer):
    """One proxy, for one case: `answer` is asked for every request that LiteLLM sends out."""

    daemon_threads = True

    def __init__(
        self, authority: Authority, answer: Callable[[Request], Reply], clock: Clock
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.authority = authority
        self.answer = answer
        self.clock = clock
        self.connected: set[int] = set()
        self.ends = threading.Event()
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def is_asked(self) -> bool:
        """Whether LiteLLM has sent something, or connects, and no thread has seen it yet."""
        try:
            return bool(select.select([self.fileno(), *self.connected], [], [], 0)[0])
        except (OSError, ValueError):
            return True  # one was closed meanwhile

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.ends.set()
        self.shutdown()
        self._thread.join(timeout=5)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """A connection, of which a thread will take care."""
        self.connected.add(request.fileno())
        super().process_request(request, client_address)

    def handle_error(self, *_arguments: object) -> None:
        """A client that leaves is none; `socketserver` would print a traceback."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that send every HTTP client of LiteLLM here."""
        url = f"http://127.0.0.1:{self.server_port}"
        proxies = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        trust = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")
        return {
            **dict.fromkeys(proxies, url),
            **dict.fromkeys(trust, str(self.authority.bundle)),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
            "AIOHTTP_TRUST_ENV": "True",
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    server: Interceptor
    tunnel = ""

    def setup(self) -> None:
        """A connection begins."""
        self.number = self.request.fileno()
        super().setup()

    def finish(self) -> None:
        """It ends; its number may become that of another one."""
        self.server.connected.discard(self.number)
        super().finish()

    def do_CONNECT(self) -> None:
        """Be the host that is asked for, until the connection ends."""
        self.tunnel = self.path
        self.send_response(200, "Connection established")
        self.end_headers()
        host = self.path.rpartition(":")[0].strip("[]")
        try:
            with self.server.clock.busy():
                context = self.server.authority.context(host)
                secure = context.wrap_socket(self.connection, server_side=True)
        except OSError:  # ssl.SSLError is one: the client does not trust us, or left
            self.close_connection = True
            return
        self.connection = secure
        self.rfile = secure.makefile("rb")
        self.wfile = secure.makefile("wb", buffering=0)  # type: ignore[assignment]
        self.close_connection = False
        while not self.close_connection:
            self.handle_one_request()

    def do_POST(self) -> None:
        try:
            with self.server.clock.busy():
                self._reply(self.server.answer(self._request()))
        except OSError:
            self.close_connection = True

    do_GET = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_POST  # noqa: N815 (http.server asks so)

    def _request(self) -> Request:
        url = urlsplit(self.path)
        host = url.netloc or self.tunnel or self.headers.get("Host", "")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(
            method=self.command,
            host=host.removesuffix(":443"),
            path=url.path + (f"?{url.query}" if url.query else ""),
            headers=headers,
            body=self._body(headers),
        )

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if "chunked" not in headers.get("transfer-encoding", ""):
            return self.rfile.read(int(headers.get("content-length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _reply(self, reply: Reply) -> None:
        if reply.delay and self.server.clock.hold(reply.delay, self._has_gone):
            self.close_connection = True
            return
        if not reply.status:
            self._break()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in reply.pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if reply.is_cut:
            self._break()
            return
        self.wfile.write(b"0\r\n\r\n")

    def _has_gone(self, seconds: float) -> bool:
        """Whether LiteLLM has closed the connection, or the case ends; found out in so long. It
        sends nothing more before it has its answer."""
        return (
            bool(select.select([self.connection], [], [], seconds)[0]) or self.server.ends.is_set()
        )

    def _break(self) -> None:
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_args: object) -> None:
        """Silent: the case keeps its own log."""
