"""LiteLLM's Admin UI in a real Chromium, with a database: a login, and no default password."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway import Gateway, free_port
from reconciler import MASTER_KEY

pytestmark = pytest.mark.slow


@pytest.fixture
def page() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium")
    if not program:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser.new_page(ignore_https_errors=True)
        browser.close()


def logged_in(page: Any, url: str, password: str) -> bool:
    page.goto(f"{url}/ui/login/", wait_until="networkidle")
    page.get_by_placeholder("username").fill("admin")
    page.get_by_placeholder("password").fill(password)
    page.locator("button[type=submit]").click()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2000)
    return any(each["name"] == "token" for each in page.context.cookies())


@pytest.mark.parametrize("password", ["", "admin", "sk-1234"])
def test_no_default_password_opens_it(live: Gateway, page: Any, password: str):
    assert not logged_in(page, f"http://127.0.0.1:{live.port}", password or " ")


def test_the_master_key_opens_it(live: Gateway, page: Any):
    assert logged_in(page, f"http://127.0.0.1:{live.port}", MASTER_KEY)


TLS = """{{ lib, ... }}: {{
  services.litellm-proxy = {{
    enable = true;
    modelConfig = "all";
    configs.all.file = {folder}/all.yaml;
    nginx = {{ enable = true; virtualHost = "localhost"; }};
    database.createLocally = true;
  }};
  services.nginx = {{
    defaultListenAddresses = [ "127.0.0.1" ];
    defaultSSLListenPort = {port};
    virtualHosts.localhost = {{
      onlySSL = true;
      sslCertificate = "{folder}/cert.pem";
      sslCertificateKey = "{folder}/key.pem";
    }};
    # Debian's nginx has these elsewhere, and may not write where NixOS' may.
    appendHttpConfig = lib.concatMapStrings (kind: "${{kind}}_temp_path {folder}/${{kind}};\n") [
      "client_body" "proxy" "fastcgi" "uwsgi" "scgi"
    ];
  }};
}}
"""


@pytest.fixture
def behind_tls(live: Gateway, tmp_path: Path, nix_units: Callable[[Path], Any]) -> Iterator[str]:
    """The gateway's address behind the nginx that the module configures, with a certificate."""
    for program in ("nginx", "openssl"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    (tmp_path / "all.yaml").write_text("model_list: []\n")
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost"
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run(["openssl", *made.split(), *files], check=True, capture_output=True)
    port, plain = free_port(), free_port()
    settings = tmp_path / "settings.nix"
    settings.write_text(TLS.format(folder=tmp_path, port=port))
    text = nix_units(settings)["nginx"]
    text = re.sub(r"include /usr/.*;", "", text)
    text = text.replace("/run/nginx/nginx.pid", str(tmp_path / "nginx.pid"))
    text = text.replace("listen 127.0.0.1:4000;", f"listen 127.0.0.1:{plain};")
    text, replaced = re.subn(r"server 127\.0\.0\.1:\d+ ", f"server 127.0.0.1:{live.port} ", text)
    assert replaced == 1
    (tmp_path / "nginx.conf").write_text(text)
    # The workers belong to another user, who cannot come into pytest's folder.
    command = ["nginx", "-c", str(tmp_path / "nginx.conf"), "-g", "user root;"]
    with (
        (tmp_path / "error.log").open("w") as log,
        subprocess.Popen(command, stderr=log) as running,
    ):
        try:
            while not (tmp_path / "nginx.pid").exists():
                assert running.poll() is None, (tmp_path / "error.log").read_text()
                time.sleep(0.05)
            yield f"https://localhost:{port}"
        finally:
            running.terminate()


def test_it_opens_behind_nginx_with_tls(page: Any, behind_tls: str):
    assert not logged_in(page, behind_tls, "sk-1234")
    assert logged_in(page, behind_tls, MASTER_KEY)
    assert page.url.startswith(f"{behind_tls}/ui/"), "sent on to another address"
