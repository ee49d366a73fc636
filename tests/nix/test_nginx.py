"""The configuration of nginx that the module generates, in the real nginx.

Behind it stand-ins for instances, whose answers are scripted: what nginx does with an answer, a
failure and a file is seen here in seconds. tests/scale has the real LiteLLM behind it.
"""

import contextlib
import http.client
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

FLEET = """
  services.litellm-proxy = {
    enable = true; backend = "podman"; modelConfig = "all";
    configs.all.file = ./test_nginx.py;
    instances = 3; redis.createLocally = true;
  };
"""
TLS = """
  services.litellm-proxy.nginx.virtualHost = "llm.example.org";
  services.nginx.virtualHosts."llm.example.org" = {
"""
GIVEN = 'forceSSL = true; sslCertificate = "@CERT@"; sslCertificateKey = "@KEY@";'
ACME = "enableACME = true; forceSSL = true;"
ONE = """
  services.litellm-proxy = {
    enable = true; backend = "podman"; modelConfig = "all";
    configs.all.file = ./test_nginx.py;
    nginx.enable = true;
  };
"""
SETTINGS = {
    "fleet": FLEET,
    "one": ONE,
    "tls": f"{FLEET}{TLS}{GIVEN} }};",
    "acme": f"""{FLEET}{TLS}{ACME} }};
      security.acme = {{ acceptTerms = true; defaults.email = "a@example.org"; }};""",
    # The options of nginx that people set for all of it.
    "recommended": FLEET
    + """services.nginx = { recommendedProxySettings = true; recommendedGzipSettings = true;
         recommendedOptimisation = true; recommendedTlsSettings = true; statusPage = true; };""",
}

#: What the nginx of NixOS has elsewhere than that of Debian.
PLACES = {
    "/usr/conf/": "/etc/nginx/",
    "/usr/etc/nginx/mime.types": "/etc/nginx/mime.types",
}


@pytest.fixture(scope="module", autouse=True)
def needs() -> None:
    for program in ("nginx", "openssl"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run(command, check=True, capture_output=True)
    shutil.copy(folder / "fullchain.pem", folder / "chain.pem")
    return folder


@pytest.fixture(scope="module")
def generated(nix, certificate) -> Callable[[str], str]:
    """The text of nginx.conf for one of SETTINGS, with the places of this machine."""
    texts: dict[str, str] = {}

    def text(name: str) -> str:
        if name not in texts:
            settings = SETTINGS[name].replace("./test_nginx.py", str(Path(__file__)))
            settings = settings.replace("@CERT@", f"{certificate}/fullchain.pem")
            settings = settings.replace("@KEY@", f"{certificate}/key.pem")
            texts[name] = nix("units.nix", settings=f"{{ {settings} }}")["nginx"]
            for theirs, ours in PLACES.items():
                texts[name] = texts[name].replace(theirs, ours)
            texts[name] = re.sub(r"/var/lib/acme/[^/;]+", str(certificate), texts[name])
        return texts[name]

    return text


def configure(folder: Path, text: str) -> list[str]:
    """Put a configuration into a folder with everything that nginx writes; gives the command."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    own += f"access_log {folder}/access.log;\n"
    text = text.replace("/run/nginx/nginx.pid", f"{folder}/nginx.pid")
    text = text.replace("http {", f"http {{\n{own}", 1)
    (folder / "nginx.conf").write_text(text)
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


@pytest.mark.parametrize("name", SETTINGS)
def test_nginx_accepts_it(generated, tmp_path, name):
    command = configure(tmp_path, generated(name))
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "litellm" not in done.stderr


def test_certificates_of_nixos_are_used(generated):
    for name in ("tls", "acme"):
        text = generated(name)
        assert "listen 0.0.0.0:443" in text
        assert "server_name llm.example.org" in text
        assert "ssl_certificate " in text
        assert "listen 127.0.0.1:4000;" in text


class Instance(ThreadingHTTPServer):
    """A stand-in for one instance, which answers with `status`, or `dies` before it answers."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        self.requests: list[tuple[str, int]] = []
        self.headers: list[Any] = []
        self.status = 200
        self.dies = False
        self.release = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Instance

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path, len(body)))
        self.server.headers.append(self.headers)
        if self.server.dies:
            self.close_connection = True
            return
        self.send_response(self.server.status)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"6\r\nfirst\n\r\n")
        if self.path == "/stream":
            self.server.release.wait(20)
        self.wfile.write(b"5\r\nlast\n\r\n0\r\n\r\n")

    def log_message(self, *_args: object) -> None:
        """Silent."""


class Gateway:
    """nginx in front of three of them."""

    def __init__(self, port: int, instances: list[Instance], out: Path) -> None:
        self.port, self.instances, self.out = port, instances, out

    def ask(self, path: str = "/v1/chat/completions", body: bytes = b"{}") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", path, body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def asked(self) -> list[int]:
        return [len(instance.requests) for instance in self.instances]


@pytest.fixture
def folder() -> Iterator[Path]:
    """nginx gives up root, and its user has to get at this, which pytest's folders do not allow."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(folder: Path, text: str, count: int) -> Iterator[Gateway]:
    instances = [Instance() for _ in range(count)]
    threads = [
        threading.Thread(target=each.serve_forever, args=(0.05,), daemon=True) for each in instances
    ]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    out = folder / "out"
    out.mkdir()
    text = text.replace("/run/litellm-proxy-out", str(out))
    ports = {4000: port, **{4041 + n: each.server_port for n, each in enumerate(instances)}}
    text = re.sub(r"\b127\.0\.0\.1:(\d+)", lambda m: f"127.0.0.1:{ports[int(m[1])]}", text)
    command = configure(folder, text)
    for thread in threads:
        thread.start()
    with (folder / "error.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while not listens(port):
            assert time.monotonic() < deadline, (folder / "error.log").read_text()
            time.sleep(0.05)
        yield Gateway(port, instances, out)
    finally:
        for each in instances:
            each.release.set()
        server.terminate()
        server.wait(timeout=30)
        for each in instances:
            each.shutdown()
            each.server_close()


@pytest.fixture
def gateway(generated, folder) -> Iterator[Gateway]:
    with running(folder, generated("fleet"), 3) as started:
        yield started


def test_each_gets_its_share(gateway):
    for _ in range(9):
        assert gateway.ask()[0] == 200
    assert gateway.asked() == [3, 3, 3]


def test_a_file_keeps_requests_from_an_instance_from_one_to_the_next(gateway):
    (gateway.out / "2").touch()
    for _ in range(6):
        assert gateway.ask()[0] == 200
    assert gateway.asked()[1] == 0
    (gateway.out / "2").unlink()
    for _ in range(6):
        assert gateway.ask()[0] == 200
    assert gateway.asked()[1] > 0


def test_with_two_out_nobody_is_refused(gateway):
    """They may be gone, so that every one is tried."""
    (gateway.out / "1").touch()
    (gateway.out / "3").touch()
    for _ in range(3):
        assert gateway.ask()[0] == 200


def test_a_request_that_was_not_answered_is_asked_of_another_with_its_body(gateway):
    gateway.instances[0].dies = True
    body = b"x" * 300_000
    for _ in range(6):
        assert gateway.ask(body=body)[0] == 200
    assert {size for each in gateway.instances for _, size in each.requests} == {len(body)}


def test_one_that_refuses_connections_is_passed_over(gateway):
    gateway.instances[0].shutdown()
    gateway.instances[0].server_close()
    for _ in range(6):
        assert gateway.ask()[0] == 200


def test_a_request_that_kills_is_asked_twice_and_no_more(gateway):
    for each in gateway.instances:
        each.dies = True
    assert gateway.ask()[0] == 502
    assert sum(gateway.asked()) == 2


def test_one_failure_of_all_is_no_verdict(gateway):
    """nginx would otherwise answer 502 by itself for seconds."""
    for each in gateway.instances:
        each.dies = True
    for _ in range(6):
        gateway.ask()
    for each in gateway.instances:
        each.dies = False
    assert gateway.ask()[0] == 200


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_litellm_answers_is_the_answer(gateway, status):
    """A vendor that is down would otherwise be asked by every instance."""
    for each in gateway.instances:
        each.status = status
    assert gateway.ask()[0] == status
    assert sum(gateway.asked()) == 1


def test_the_first_piece_of_a_stream_comes_before_the_last_is_there(gateway):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=15)
    connection.request("POST", "/stream", b"{}")
    response = connection.getresponse()
    assert response.readline() == b"first\n"
    for each in gateway.instances:
        each.release.set()
    assert response.read() == b"last\n"
    connection.close()


def test_a_large_file_goes_through(gateway):
    assert gateway.ask("/v1/files", b"x" * 40_000_000)[0] == 200


def test_instances_are_told_who_asked(gateway):
    gateway.ask()
    (headers,) = [each.headers[0] for each in gateway.instances if each.headers]
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "http"
    assert headers["Host"] == f"127.0.0.1:{gateway.port}"
    assert headers["Connection"] is None


def test_path_and_query_are_left_alone(gateway):
    gateway.ask("/v1/models/a%2Fb?x=%20y")
    (path,) = [each.requests[0][0] for each in gateway.instances if each.requests]
    assert path == "/v1/models/a%2Fb?x=%20y"


def test_one_alone_behind_nginx(generated, folder):
    with running(folder, generated("one"), 1) as gateway:
        assert gateway.ask()[0] == 200
        (gateway.out / "1").touch()
        assert gateway.ask()[0] == 200
