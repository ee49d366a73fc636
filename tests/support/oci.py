"""A real registry on loopback (Debian's docker-registry), and the images in it.

The images are made here: an index of two platforms or a plain manifest, each layer a few bytes.
"""

import contextlib
import hashlib
import http.client
import http.server
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from gateway import free_port

from program import Run

START_SECONDS = 30.0
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ENTRYPOINT = ["docker/prod_entrypoint.sh"]


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
