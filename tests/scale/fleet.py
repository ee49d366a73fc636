"""A machine on which the module's units run several real LiteLLM behind the real nginx.

Everything between the client and the vendor is real but for podman, whose stand-in runs LiteLLM
from this interpreter instead of from an image: units, scripts and the configuration of nginx are
those that the module gives a NixOS system, and a systemd of its own runs them.
"""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import booting
import pytest
import services
from booting import Machine
from patient import PatientOpenAI
from services import Redis

from nixcfg.plan.compare import Plan, plan
from nixcfg.plan.facts import Facts, facts

HERE = Path(__file__).parent
UNITS_NIX = HERE.parent / "nix" / "units.nix"

INSTANCES = (1, 2)
TARGET = "litellm-proxy.target"
ROLL = "litellm-proxy-roll.service"
KEY_FILE = "etc/nixcfg/secrets/openai_api_key.txt"
REDIS_HOST = "redis.example.org"
DATABASE_HOST = "db.example.org"
REDIS_FILE = "etc/nixcfg/secrets/redis_password.txt"
DATABASE_FILE = "etc/nixcfg/secrets/database_password.txt"
START_SECONDS = 240

# `podman run … --cidfile=F … -e K=V … -p ADDRESS:PORT:4040 … -v SOURCE:TARGET:ro …`
# with port and configuration as they are outside, `podman stop --ignore --cidfile=F` as
# --stop-signal and --stop-timeout have it, `podman image inspect` and `podman pull`.
# `choose` sets $python by the $image, and what else that LiteLLM needs.
PODMAN = """#!/bin/bash
case $1 in
  image | pull) [ ! -e /srv/no-image ]; exit ;;
  stop)
    pid=$(cat "${3#--cidfile=}")
    kill -INT "$pid"
    for _ in {1..6000}; do
      kill -0 "$pid" 2> /dev/null || exit 0
      sleep 0.05
    done
    kill -KILL "$pid"
    exit 0 ;;
  run) ;;
  *) exit 0 ;;
esac
[ ! -e /srv/refuse ] || exit 125
while [ $# -gt 0 ]; do
  case $1 in
    --cidfile=*) echo $$ > "${1#*=}" ;;
    */litellm:*) image=$1 ;;
    -e) export "$2"; shift ;;
    -p) IFS=: read -r address port _ <<< "$2"; shift ;;
    -v)
      case $2 in
        *:/app/config.yaml:ro) config=${2%%:*} ;;
        *:/app/start.py:ro) start=${2%%:*} ;;
        */environment:ro) keys=${2%%:*} ;;
      esac
      shift ;;
  esac
  shift
done
export CONFIG_FILE_PATH=$config
CHOOSE
export PATH=${python%/*}:$PATH
exec "$python" -I "$start" "$keys" litellm \\
  --config "$config" --host "$address" --port "$port"
"""


def podman(choose: str = f"python={sys.executable}") -> str:
    return PODMAN.replace("CHOOSE", choose)


# The stand-in is no conmon that would say when it is ready.
DROP_IN = "[Service]\nType=simple\n"

# Where the nginx of NixOS keeps what it cannot keep in memory; that of Debian cannot write there.
TEMPORARY = "".join(
    f"{kind}_temp_path /tmp/nginx-{kind};\n"
    for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)


def free_ports(count: int) -> list[int]:
    """Ports in a row that no one listens on."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                for number in range(port + 1, port + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            except OSError:
                continue
            return list(range(port, port + count))


@dataclass
class Fleet:
    """The running machine."""

    machine: Machine
    port: int
    ports: dict[int, int]
    master_key: str
    fleets: "Fleets"

    def unit(self, instance: int) -> str:
        return f"podman-litellm-proxy-{instance}.service"

    def main_pid(self, instance: int) -> int:
        said = self.machine.run(
            "systemctl", "show", "--property=MainPID", "--value", self.unit(instance)
        )
        return int(said.stdout)

    def started(self) -> dict[int, int]:
        return {instance: self.main_pid(instance) for instance in INSTANCES}

    def models(self, instance: int) -> list[str]:
        """What one instance serves, asked past nginx."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[instance], timeout=60)
        connection.request(
            "GET", "/v1/models", headers={"Authorization": f"Bearer {self.master_key}"}
        )
        said = json.loads(connection.getresponse().read())
        connection.close()
        return sorted(each["id"] for each in said["data"])

    def is_whole(self) -> bool:
        """Every instance is ready and gets requests, and nothing is going on."""
        active = all(self.machine.state(self.unit(each)) == "active" for each in INSTANCES)
        out = [
            each
            for each in INSTANCES
            if (self.machine.root / f"run/litellm-proxy-out/{each}").exists()
        ]
        jobs = self.machine.run("systemctl", "list-jobs", "--no-legend").stdout.strip()
        rotate = self.machine.state("litellm-proxy-rotate.service")
        return active and not out and not jobs and rotate in ("inactive", "failed")

    def until_whole(self) -> None:
        self.machine.until(self.is_whole, START_SECONDS)

    def said(self, unit: str, cursor: str) -> str:
        return self.machine.journal(unit, cursor)

    def switch(self, config: str) -> tuple[list[str], bool]:
        """As booting.switch, of which it gives the answer."""
        before = self.fleets.exported
        after = self.fleets.export(config)
        assert after["nginx"] == before["nginx"], "a switch would reload nginx"
        self.fleets.lay(self.machine.root, after)
        return booting.switch(self.machine, before, after, START_SECONDS)

    def planned(self, config: str) -> Plan:
        """What `nixcfg plan` says of a switch to a configuration, by what the module deploys."""
        running = self.fleets.exported
        to = self.fleets.export(config)
        self.fleets.exported = running
        return plan(*(deployed(each) for each in (running, to)))


def deployed(exported: dict[str, Any]) -> Facts:
    """What the machine of some units runs."""
    data = json.loads(exported["deployed"])
    return facts(data, exported["files"][data["config"]])


@dataclass
class Fleets:
    """What the machine is made of: ports, keys, and a NixOS configuration by name. `options` are
    further ones of the module, and `podman` is its stand-in."""

    folder: Path
    redis: Redis
    vendor: PatientOpenAI
    options: str = ""
    podman: str = field(default_factory=podman)
    exported: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.port,) = free_ports(1)
        self.instance_ports = free_ports(len(INSTANCES))
        # Each is a set of providers, told apart by their models.
        self.configs = {
            "first": ["stays", "goes"],
            "second": ["stays", "comes"],
            "third": ["stays"],
        }

    def export(self, config: str) -> dict[str, Any]:
        """The units of a NixOS system with one of the configurations."""
        models = [
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"openai/{name}",
                    "api_base": f"{self.vendor.url}/v1",
                    "api_key": "os.environ/OPENAI_API_KEY",
                },
            }
            for name in self.configs[config]
        ]
        (self.folder / "litellm.yaml").write_text(json.dumps({"model_list": models}))
        settings = self.folder / "settings.nix"
        settings.write_text(f"""{{
          services.litellm-proxy = {{
            enable = true;
            backend = "podman";
            instances = {len(INSTANCES)};
            port = {self.port};
            instancePort = {self.instance_ports[0]};
            redis = {{
              host = "{REDIS_HOST}";
              port = {self.redis.port};
              passwordFile = "/{REDIS_FILE}";
            }};
            modelConfig = "all";
            configs.all = {{ file = ./litellm.yaml; secrets = [ "OPENAI_API_KEY" ]; }};
            secrets.OPENAI_API_KEY.file = "/{KEY_FILE}";
            {self.options}
          }};
        }}""")
        command = [
            "nix-instantiate",
            "--eval",
            "--strict",
            "--json",
            "--read-write-mode",
            str(UNITS_NIX),
        ]
        command += ["--arg", "settings", str(settings), "--arg", "also", '[ "nginx.service" ]']
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 0 and "<nixpkgs>" in done.stderr:
            pytest.skip("<nixpkgs> has no NixOS modules")
        assert done.returncode == 0, done.stderr
        self.exported = json.loads(done.stdout)
        return self.exported

    def lay(self, root: Path, exported: dict[str, Any]) -> None:
        """Put a system where the systemd inside finds it."""
        programs = {"/usr/bin/podman": self.podman}
        booting.lay(root, exported, programs)
        for instance in INSTANCES:
            drop_ins = root / f"etc/systemd/system/podman-litellm-proxy-{instance}.service.d"
            drop_ins.mkdir(exist_ok=True)
            (drop_ins / "test.conf").write_text(DROP_IN)
        # As `systemctl enable` and NixOS do it.
        wants = root / f"etc/systemd/system/{TARGET}.wants"
        wants.mkdir(exist_ok=True)
        for name, targets in exported["wantedBy"].items():
            if TARGET in targets and not (wants / name).is_symlink():
                (wants / name).symlink_to(f"../{name}")
        nginx = exported["nginx"].replace("http {", f"http {{\n{TEMPORARY}", 1)
        (root / "etc/nginx").mkdir(exist_ok=True)
        (root / "etc/nginx/nginx.conf").write_text(nginx)
        for path, text in exported["files"].items():
            if not (root / path.lstrip("/")).exists():
                (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
                (root / path.lstrip("/")).write_text(text)

    @contextlib.contextmanager
    def booted(self) -> Iterator[Fleet]:
        overlay = self.folder / "overlay"
        overlay.mkdir(exist_ok=True)
        self.lay(overlay, self.export("first"))
        # nginx, its files and its user are where those of NixOS are.
        (overlay / "usr/bin/nginx").symlink_to(shutil.which("nginx") or "")
        for source, target in {
            "fastcgi.conf": "usr/conf",
            "uwsgi_params": "usr/conf",
            "mime.types": "usr/etc/nginx",
        }.items():
            (overlay / target).mkdir(parents=True, exist_ok=True)
            shutil.copy(Path("/etc/nginx") / source, overlay / target)
        for name, line in {
            "passwd": "nginx:x:60:60::/:/usr/sbin/nologin",
            "group": "nginx:x:60:",
        }.items():
            (overlay / "etc" / name).write_text(Path("/etc", name).read_text() + line + "\n")
        (overlay / "etc/hosts").write_text(f"127.0.0.1 localhost {REDIS_HOST} {DATABASE_HOST}\n")
        (overlay / "srv").mkdir(exist_ok=True)
        (overlay / KEY_FILE).parent.mkdir(parents=True)
        with booting.booted(overlay, Path(sys.prefix)) as machine:
            # The folder of keys is none of this machine's, and boot.sh makes it again.
            machine.write(KEY_FILE, self.vendor.key + "\n")
            machine.write(REDIS_FILE, services.PASSWORD)
            machine.write(DATABASE_FILE, services.PASSWORD)
            done = machine.run("systemctl", "start", "nginx.service", TARGET)
            assert done.returncode == 0, machine.run("journalctl", "-n", "60").stdout
            master_key = machine.root / "var/lib/litellm-proxy/master-key"
            machine.until(master_key.exists, START_SECONDS)
            fleet = Fleet(
                machine,
                self.port,
                dict(zip(INSTANCES, self.instance_ports, strict=True)),
                master_key.read_text().strip(),
                self,
            )
            fleet.until_whole()
            yield fleet
