"""Prometheus under a real systemd: it scrapes with the master key that systemd hands out, and with
the next one when the key is changed.

Its unit and configuration are those of NixOS with the module. In place of the container there is a
server that lets in whoever has the master key.
"""

import json
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import booting
import pytest
from booting import Machine

pytestmark = [pytest.mark.usefixtures("root"), pytest.mark.slow]

CONTAINER = "podman-litellm-proxy.service"

MACHINE = """{{
  services.litellm-proxy = {{
    enable = true; backend = "podman"; port = {proxy}; metrics.enable = true;
    modelConfig = "all"; configs.all.file = ./machine.nix;
  }};
  services.prometheus = {{
    enable = true; listenAddress = "127.0.0.1"; port = {prometheus};
    globalConfig.scrape_interval = "1s";
  }};
}}
"""

# `podman run … -v FILE:FILE:ro … -p ADDRESS:PORT:4040 …`
PODMAN = """#!/usr/bin/python3
import http.server, sys

arguments = sys.argv[1:]
if arguments[0] != "run" or "--detach" in arguments:  # a trial, which succeeds
    sys.exit(0)
port = int(arguments[arguments.index("-p") + 1].split(":")[1])
keys = next(word for word in arguments if word.endswith("/environment:ro"))
with open(keys.partition(":")[0]) as file:
    key = dict(line.rstrip("\\n").split("=", 1) for line in file)["LITELLM_MASTER_KEY"]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.headers["Authorization"] == "Bearer " + key and self.path == "/metrics/"
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"litellm_in_flight_requests 1\\n" if allowed else b"")

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""

DROP_INS = {
    CONTAINER: "[Service]\nType=simple\n",
    # A namespace within those of boot.sh is not to be had everywhere.
    "prometheus.service": "[Service]\nPrivateUsers=no\n",
}


def built(text: str) -> str:
    """The text of a file that nix would make of another by `ln -s FILE $out`: see pkgs.nix."""
    linked = re.match(r"ln -s (\S+) \$out\n", text)
    return Path(linked[1]).read_text() if linked else text


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return dict(zip(("proxy", "prometheus"), free_ports(2), strict=True))


@pytest.fixture(scope="module")
def machine(nix, ports, tmp_path_factory) -> Iterator[Machine]:
    if shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed")
    folder = tmp_path_factory.mktemp("machine")
    (folder / "machine.nix").write_text(MACHINE.format(**ports))
    exported = nix(
        "units.nix", settings=str(folder / "machine.nix"), also='[ "prometheus.service" ]'
    )
    unit = exported["units"]["prometheus.service"]
    (path,) = re.findall(r"--config.file=(\S+)", unit)
    config = json.loads(built(Path(path).read_text()))
    overlay = tmp_path_factory.mktemp("overlay")
    rules = overlay / "srv/rules"
    rules.mkdir(parents=True)
    for number, file in enumerate(config["rule_files"]):
        (rules / f"{number}.yaml").write_text(built(Path(file).read_text()))
    config["rule_files"] = ["/srv/rules/*.yaml"]
    (overlay / "srv/prometheus.yml").write_text(json.dumps(config))
    exported["units"]["prometheus.service"] = unit.replace(path, "/srv/prometheus.yml")

    booting.lay(overlay, exported, {"/usr/bin/podman": PODMAN})
    units = overlay / "etc/systemd/system"
    for name, text in DROP_INS.items():
        (units / f"{name}.d").mkdir()
        (units / f"{name}.d" / "test.conf").write_text(text)
    with booting.booted(overlay) as booted:
        done = booted.run("systemctl", "start", "prometheus.service", CONTAINER)
        assert done.returncode == 0, done.stderr
        yield booted


def is_up(ports: dict[str, int]) -> bool:
    query = quote('up{job="litellm-proxy"} == 1')
    url = f"http://127.0.0.1:{ports['prometheus']}/api/v1/query?query={query}"
    try:
        with urlopen(url, timeout=5) as answer:
            return bool(json.load(answer)["data"]["result"])
    except OSError:
        return False


def master_key(machine: Machine) -> Path:
    return machine.root / "var/lib/litellm-proxy/master-key"


def started(machine: Machine) -> str:
    return machine.run(
        "systemctl", "show", "-P", "ActiveEnterTimestampMonotonic", "prometheus.service"
    ).stdout


def test_scrapes_with_the_generated_key(machine, ports):
    machine.until(lambda: is_up(ports), 30)
    url = f"http://127.0.0.1:{ports['prometheus']}/api/v1/rules"
    with urlopen(url, timeout=5) as answer:
        groups = json.load(answer)["data"]["groups"]
    assert [group["name"] for group in groups] == ["litellm-proxy"]


def test_key_is_for_prometheus_and_for_nobody_else(machine):
    loaded = "/run/credentials/prometheus.service/litellm-proxy-master-key"
    as_user = ["setpriv", "--regid=65534", "--clear-groups"]
    key = master_key(machine).read_text().strip()
    its = [*as_user, "--reuid=prometheus", "cat", loaded]
    machine.until(lambda: machine.run(*its).stdout.strip() == key, 30)
    assert machine.run(*as_user, "--reuid=nobody", "cat", loaded).returncode != 0
    assert master_key(machine).stat().st_mode & 0o777 == 0o600


def test_new_key_reaches_prometheus_by_itself(machine, ports):
    machine.until(lambda: is_up(ports), 30)
    machine.settle()
    before = started(machine)
    master_key(machine).write_text("sk-another-0123456789abcdef0123\n")
    machine.until(lambda: started(machine) not in {before, "0\n"}, 30)
    machine.until(lambda: is_up(ports), 30)


def test_what_does_not_change_the_key_leaves_prometheus_alone(machine):
    machine.settle()
    before = started(machine)
    master_key(machine).touch()
    machine.run("systemctl", "start", "litellm-proxy-rotate.service")
    machine.settle()
    assert started(machine) == before


def test_without_a_key_prometheus_still_watches_everything_else(machine):
    """The gateway is stopped, and its key is gone: systemd has a stand-in for it."""
    machine.run("systemctl", "stop", CONTAINER)
    machine.settle()
    master_key(machine).unlink()
    done = machine.run("systemctl", "restart", "prometheus.service")
    assert done.returncode == 0, done.stderr
    assert machine.state("prometheus.service") == "active"
    assert machine.run("systemctl", "start", CONTAINER).returncode == 0
    machine.settle()
