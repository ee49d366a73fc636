"""A real registry on loopback (Debian's docker-registry), the images in it, and what it asks.

The images are made here: an index of two platforms or a plain manifest, each layer a few bytes.
"""

import base64
import contextlib
import datetime as dt
import hashlib
import http.client
import http.server
import io
import json
import os
import shutil
import signal
import ssl
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from gateway import free_port

from program import Run

START_SECONDS = 30.0
USER, PASSWORD = "someone", "right"
#: bcrypt of PASSWORD, the only kind that docker-registry takes.
HTPASSWD = f"{USER}:$2b$04$bfl/sRyl4wQswJPNMHQ5D.pzXDWz4hGxuc8SHdD1YlzkNKkkurvLK\n"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ENTRYPOINT = ["docker/prod_entrypoint.sh"]


def basic(user: str = USER, password: str = PASSWORD) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _layer(content: bytes) -> bytes:
    """A layer with one file."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("app/release")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


@dataclass
class Registry:
    """`host` is `localhost:PORT`; `authorization` is what a push has to send."""

    host: str
    authorization: str = ""

    def push(
        self,
        name: str,
        tag: str,
        *,
        platforms: Sequence[str] = ("linux/amd64", "linux/arm64"),
        plain: bool = False,
        docker: bool = False,
        config: Mapping[str, Any] | None = None,
        salt: str = "",
    ) -> str:
        """Push an image; gives the digest of its index, or with `plain` of its only manifest."""
        kind = DOCKER_MANIFEST if docker else OCI_MANIFEST
        entries = []
        for platform in platforms:
            system, architecture = platform.split("/")
            layer = _layer(f"{name} {platform} {salt}".encode())
            described = {
                "os": system,
                "architecture": architecture,
                "config": {"Entrypoint": ENTRYPOINT, **(config or {})},
                "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
            }
            manifest = {
                "schemaVersion": 2,
                "mediaType": kind,
                "config": self._blob(
                    name,
                    json.dumps(described).encode(),
                    "application/vnd.docker.container.image.v1+json"
                    if docker
                    else "application/vnd.oci.image.config.v1+json",
                ),
                "layers": [
                    self._blob(
                        name,
                        layer,
                        "application/vnd.docker.image.rootfs.diff.tar"
                        if docker
                        else "application/vnd.oci.image.layer.v1.tar",
                    )
                ],
            }
            body = json.dumps(manifest).encode()
            digest = digest_of(body)
            self.put(name, tag if plain else digest, kind, body)
            if plain:
                return digest
            entries.append(
                {
                    "mediaType": kind,
                    "digest": digest,
                    "size": len(body),
                    "platform": {"os": system, "architecture": architecture},
                }
            )
        index_kind = DOCKER_LIST if docker else OCI_INDEX
        index = {"schemaVersion": 2, "mediaType": index_kind, "manifests": entries}
        body = json.dumps(index).encode()
        self.put(name, tag, index_kind, body)
        return digest_of(body)

    def put(self, name: str, reference: str, kind: str, body: bytes) -> None:
        self._ask("PUT", f"/v2/{name}/manifests/{reference}", body, kind, wanted=201)

    def delete(self, name: str, digest: str) -> None:
        self._ask("DELETE", f"/v2/{name}/manifests/{digest}", b"", "text/plain", wanted=202)

    def _blob(self, name: str, body: bytes, kind: str) -> dict[str, Any]:
        digest = digest_of(body)
        where = self._ask("POST", f"/v2/{name}/blobs/uploads/", b"", "text/plain", wanted=202)
        parts = urlsplit(where)
        path = f"{parts.path}?{parts.query}&digest={digest}"
        self._ask("PUT", path, body, "application/octet-stream", wanted=201)
        return {"mediaType": kind, "digest": digest, "size": len(body)}

    def _ask(self, method: str, path: str, body: bytes, kind: str, *, wanted: int) -> str:
        connection = http.client.HTTPConnection(self.host, timeout=30)
        headers = {"Content-Type": kind}
        if self.authorization:
            headers["Authorization"] = self.authorization
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status == wanted, (method, path, answer.status, said)
            return answer.headers.get("Location", "")
        finally:
            connection.close()


@contextlib.contextmanager
def registry(folder: Path, auth: Mapping[str, Any] | None = None) -> Iterator[Registry]:
    """A docker-registry of its own in `folder`; `auth` is that part of its configuration."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed (Debian: docker-registry)")
    folder.mkdir(parents=True, exist_ok=True)
    host = f"localhost:{free_port()}"
    settings = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "data")},
            "delete": {"enabled": True},
        },
        "http": {"addr": host.replace("localhost", "127.0.0.1")},
        **({"auth": auth} if auth else {}),
    }
    file = folder / "registry.yml"
    file.write_text(json.dumps(settings))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "serve", str(file)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _wait(process, host, folder / "registry.log")
            yield Registry(host)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], host: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        connection = http.client.HTTPConnection(host, timeout=5)
        try:
            connection.request("GET", "/v2/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise AssertionError(log.read_text())


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


@dataclass
class Project:
    """`nixcfg -C folder pin ...` in a home of its own, which has no login yet."""

    folder: Path
    home: Path
    run: Run

    @property
    def file(self) -> Path:
        return self.folder / "nixcfg.yaml"

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def login(self, data: object, *, file: str = ".docker/config.json") -> Path:
        path = self.home / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        return path

    def pin(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        kept = {n: v for n, v in os.environ.items() if not n.lower().endswith("_proxy")}
        for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"):
            kept.pop(name, None)
        return self.run(
            "-C", self.folder, "pin", *arguments, env={**kept, "HOME": str(self.home), **more}
        )
