"""What a registry does that none should: one clear line, and nothing is written."""

import json
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from oci import Project, digest_of
from oci_logins import Heard, Reply, server

from nixcfg.registry import http

INDEX = {"schemaVersion": 2, "manifests": []}


def said(project: Project, host: str, *arguments: str, image: str = "", **more: str) -> str:
    text = f"image: {image or f'{host}/mirror/litellm:v1'}\n"
    project.write(text)
    done = project.pin(*arguments, **more)
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert project.file.read_text() == text
    return done.stderr


def deep(body: bytes) -> Reply:
    return 200, {}, body


ANSWERS = {
    "limit": ((429, {"Retry-After": "60"}, b""), "for now (429): try again in 60 s"),
    "limit-by-date": ((429, {"Retry-After": "Sat, 28 Nov 2026 23:00 GMT"}, b""), "again later"),
    "limit-for-ever": ((429, {}, b""), "try again later"),
    "trouble": ((503, {}, b""), "is in trouble (503)"),
    "closed": ((403, {}, b""), "is not open to us (403)"),
    "teapot": ((418, {}, b""), "unexpected answer 418"),
    "no-json": (deep(b"<html>"), "no image of a kind"),
    "deep-json": (deep(b"[" * 100_000), "no image of a kind"),
    "schema-1": (deep(b'{"schemaVersion": 1}'), "no image of a kind"),
    "an-artifact": (deep(b'{"schemaVersion": 2}'), "no image of a kind"),
    "empty-index": (deep(json.dumps(INDEX).encode()), "is for no platform"),
    "odd-index": (
        deep(b'{"schemaVersion": 2, "manifests": [1, {"platform": 2}, {"platform": {"os": 3}}]}'),
        "is for no platform",
    ),
    "large": (deep(b" " * 5_000_000), "answers with more than 4,194,304 bytes"),
    "a-circle": ((302, {"Location": "/v2/"}, b""), "round in circles"),
    "a-file": ((302, {"Location": "file:///etc/passwd"}, b""), "file: no address of a registry"),
    "without-tls": ((302, {"Location": "http://10.255.255.1/"}, b""), "be asked without TLS"),
    "a-login-in-it": ((302, {"Location": "https://me:secret@x.org/"}, b""), "no address of"),
    "no-address": ((302, {"Location": "http://[::1/"}, b""), "an address that is none"),
    "escapes": ((302, {"Location": "\x1b[31m://x"}, b""), "round in circles"),
    "another-digest": (
        (200, {"Docker-Content-Digest": "sha256:" + "0" * 64}, b"{}"),
        "do not use this image",
    ),
    "no-token-service": ((401, {"WWW-Authenticate": "Bearer"}, b""), "needs a login"),
    "a-strange-realm": (
        (401, {"WWW-Authenticate": 'Bearer realm="ftp://x/"'}, b""),
        "names no token service",
    ),
    "a-strange-scheme": ((401, {"WWW-Authenticate": 'Negotiate x="y"'}, b""), "needs a login"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers(project: Project, kind: str):
    reply, message = ANSWERS[kind]

    def answer(heard: Heard) -> Reply:
        return (200, {}, b"{}") if heard.path == "/v2/" and kind != "a-circle" else reply

    with server(answer) as asked:
        found = said(project, asked.host)
    assert message in found
    assert "\x1b" not in found
    assert "secret" not in found


def test_a_blob_with_another_content(project: Project):
    config = digest_of(b"{}")
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": config}}).encode()

    def answer(heard: Heard) -> Reply:
        return 200, {}, b'{"os": "linux"}' if "/blobs/" in heard.path else manifest

    with server(answer) as asked:
        assert f"sends something else for {config}" in said(project, asked.host)


def test_a_digest_that_is_not_that_of_the_bytes(project: Project):
    wanted = "sha256:" + "1" * 64
    with server(lambda _: deep(b'{"schemaVersion": 2}')) as asked:
        image = f"{asked.host}/mirror/litellm@{wanted}"
        assert "do not use this image" in said(project, asked.host, image=image)


def test_a_token_that_is_none(project: Project):
    def answer(heard: Heard) -> Reply:
        if heard.path.startswith("/token"):
            return 200, {}, json.dumps({"token": "a\r\nb"}).encode()
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{asked.host}/token"'}, b""

    with server(answer) as asked:
        assert f"{asked.host} gives no token" in said(project, asked.host)


def test_no_one_listens(project: Project):
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"localhost:{free.getsockname()[1]}"
    assert f"{host} refuses the connection: nothing listens there" in said(project, host)


def test_no_such_host(project: Project):
    assert "there is no registry.invalid" in said(project, "registry.invalid")


def test_plain_http_is_for_this_machine_alone(project: Project):
    """Also where the environment has a proxy, which would take it anywhere."""
    with server(lambda _: (404, {}, b"")) as proxy:
        more = {"http_proxy": f"http://{proxy.host}", "https_proxy": f"http://{proxy.host}"}
        found = said(project, "registry.invalid:5000", **more)
        assert [each.method for each in proxy.heard] == []
        assert "registry.invalid:5000" in found
        found = said(
            project, "registry.invalid:5000", "--insecure-registry", "registry.invalid:5000", **more
        )
        assert found == "Error: registry.invalid:5000/mirror/litellm has no v1\n"
        assert proxy.heard[-1].path.startswith("http://registry.invalid:5000/v2/mirror/litellm")


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "1"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def test_tls(project: Project, tls: ssl.SSLContext, tmp_path: Path):
    with server(lambda _: (404, {}, b""), tls=tls) as asked:
        found = said(project, asked.host)
        assert "has a certificate that is not trusted: self-signed certificate" in found
        assert "SSL_CERT_FILE" in found
        trusted = {"SSL_CERT_FILE": str(tmp_path / "cert.pem")}
        assert "/mirror/litellm has no v1" in said(project, asked.host, **trusted)


def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http, "SECONDS", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(http.RegistryError, match="gave no answer in time"),
    ):
        http.fetch(f"http://localhost:{silent.getsockname()[1]}/v2/", {}, 100)


def test_an_answer_that_breaks_off():
    with (
        server(lambda _: (200, {"Content-Length": "100"}, b"short")) as asked,
        pytest.raises(http.RegistryError, match="broke the connection off"),
    ):
        http.fetch(f"http://{asked.host}/v2/", {}, 1000)


@pytest.mark.parametrize("mode", [("--nix", "--json"), ("--check", "extra")])
def test_wrong_usage(project: Project, mode: tuple[str, ...]):
    project.write("port: 4001\n")
    assert project.pin(*mode).returncode == 2
