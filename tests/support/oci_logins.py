"""Registries that ask who one is, and servers in a registry's place that note what they hear."""

import base64
import contextlib
import datetime as dt
import http.client
import http.server
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from oci import Registry, registry

USER, PASSWORD = "someone", "right"
#: bcrypt of PASSWORD, the only kind that docker-registry takes.
HTPASSWD = f"{USER}:$2b$04$bfl/sRyl4wQswJPNMHQ5D.pzXDWz4hGxuc8SHdD1YlzkNKkkurvLK\n"


def basic(user: str = USER, password: str = PASSWORD) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@contextlib.contextmanager
def with_passwords(folder: Path) -> Iterator[Registry]:
    """A registry that wants USER and PASSWORD by Basic."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "htpasswd").write_text(HTPASSWD)
    with registry(folder, {"htpasswd": {"realm": "r", "path": str(folder / "htpasswd")}}) as found:
        found.authorization = f"Basic {basic()}"
        yield found


@dataclass
class Heard:
    """A request, as a server heard it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """An HTTP server that answers as the test says; `heard` is all that it was asked."""

    host: str
    heard: list[Heard] = field(default_factory=list)


Reply = tuple[int, Mapping[str, str], bytes]


@contextlib.contextmanager
def server(
    answer: Any, address: str = "localhost", tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """`answer(Heard)` gives the status, headers and body."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            heard = Heard(self.command, self.path, headers, self.rfile.read(length))
            found.heard.append(heard)
            status, sent, body = answer(heard)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **sent}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_POST = do_GET  # noqa: N815 (http.server calls them so)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer((address, 0), Handler) as running:
        if tls:
            running.socket = tls.wrap_socket(running.socket, server_side=True)
        found = Server(f"{address}:{running.server_port}")
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            running.shutdown()
            thread.join()


@contextlib.contextmanager
def with_tokens(folder: Path) -> Iterator[tuple[Registry, Server]]:
    """A registry that sends its users to a token service beside it, which wants USER and PASSWORD
    by Basic, or the identity token `identity-of-someone`."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tokens")])
    now = dt.datetime.now(tz=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    der = certificate.public_bytes(serialization.Encoding.DER)
    (folder / "ca.pem").write_bytes(pem)

    def token(scope: str) -> str:
        kind, repository, actions = scope.rsplit(":", 2) if scope.count(":") > 1 else ("", "", "")
        access = [{"type": kind, "name": repository, "actions": actions.split(",")}]
        claims = {
            "iss": "tokens",
            "sub": USER,
            "aud": "images",
            "exp": int(time.time()) + 300,
            "nbf": int(time.time()) - 300,
            "iat": int(time.time()),
            "jti": "1",
            "access": access if repository else [],
        }
        chain = [base64.b64encode(der).decode()]
        return jwt.encode(claims, key, algorithm="ES256", headers={"x5c": chain})

    def answer(heard: Heard) -> Reply:
        asked = parse_qs(urlsplit(heard.path).query)
        if heard.method == "POST":
            asked = parse_qs(heard.body.decode())
            allowed = asked.get("refresh_token") == ["identity-of-someone"]
        else:
            allowed = heard.headers.get("authorization") == f"Basic {basic()}"
        if not allowed:
            return 401, {}, b"{}"
        return 200, {}, json.dumps({"token": token(asked["scope"][0])}).encode()

    with server(answer) as service:
        settings = {
            "token": {
                "realm": f"http://{service.host}/token",
                "service": "images",
                "issuer": "tokens",
                "rootcertbundle": str(folder / "ca.pem"),
            }
        }
        with registry(folder, settings) as found:
            found.authorization = f"Bearer {token('repository:mirror/litellm:pull,push')}"
            yield found, service
