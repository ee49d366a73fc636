"""nginx in front of the gateway, with those settings of modules/litellm-proxy/nginx.nix that decide
what becomes of a request whose worker goes away."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from gateway import free_port

CONFIG = """\
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream gateway {{
    {servers}
    zone gateway 128k;
    least_conn;
    keepalive 32;
    keepalive_timeout 3s;
  }}
  server {{
    listen 127.0.0.1:{own};
    location / {{
      proxy_pass http://gateway;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      client_max_body_size 512m;
      proxy_connect_timeout 5s;
      proxy_read_timeout 6600s;
      proxy_next_upstream error timeout non_idempotent;
      proxy_next_upstream_tries 2;
    }}
  }}
}}
"""


def absent() -> str | None:
    """Why there can be none here, and what to do."""
    return None if shutil.which("nginx") else "not installed here (Debian): nginx"


@contextmanager
def front(*ports: int) -> Iterator[int]:
    """The port on which nginx listens; the instances of the gateway are at `ports`."""
    own = free_port()
    with tempfile.TemporaryDirectory(prefix="nixcfg-nginx-") as folder:
        Path(folder).chmod(0o755)  # its workers are not root, and keep large requests here
        file = Path(folder, "nginx.conf")
        servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
        file.write_text(CONFIG.format(folder=folder, servers=servers, own=own))
        program = shutil.which("nginx") or "nginx"
        command = ["setpriv", "--pdeathsig", "KILL", program, "-c", str(file), "-p", folder]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 (our own)
        try:
            _wait_until_answering(own)
            yield own
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_answering(port: int, patience: float = 30.0) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=10):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
