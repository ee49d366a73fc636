"""A machine on which the module's units run several real LiteLLM behind the real nginx.

Everything between the client and the vendor is real but for podman, whose stand-in runs LiteLLM
from this interpreter instead of from an image: units, scripts and the configuration of nginx are
those that the module gives a NixOS system, and a systemd of its own runs them.
"""

import contextlib
import http.client
import json
import shutil
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
from gateway import free_ports
from patient import PatientOpenAI
from services import Redis

from nixcfg.plan.compare import Plan, plan
from nixcfg.plan.facts import Facts, facts
from nixcfg.project import wiring

HERE = Path(__file__).parent
UNITS_NIX = HERE.parent / "nix" / "units.nix"

MOST = 2
"""The most instances that there are."""
TARGET = "litellm-proxy.target"
ROLL = "litellm-proxy-roll.service"
KEY_FILE = "etc/nixcfg/secrets/openai_api_key.txt"
REDIS_HOST = "redis.example.org"
DATABASE_HOST = "db.example.org"
REDIS_FILE = "etc/nixcfg/secrets/redis_password.txt"
DATABASE_FILE = "etc/nixcfg/secrets/database_password.txt"
START_SECONDS = 240
CONTAINERS = tuple(
    wiring.container_unit("podman", name)
    for count in range(1, MOST + 1)
    for name in wiring.containers(count)
)
PLANNED = (*CONTAINERS, "nginx.service", "postgresql.service", "redis-litellm-proxy.service")
"""The units of which `nixcfg plan` says what becomes of them."""

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


@dataclass
class Fleet:
    """The running machine."""

    machine: Machine
    port: int
    ports: dict[int, int]
    master_key: str
    fleets: "Fleets"

    @property
    def instances(self) -> tuple[int, ...]:
        return self.fleets.instances

    def unit(self, instance: int) -> str:
        containers = wiring.containers(len(self.instances))
        return wiring.container_unit("podman", containers[instance - 1])

    def runs(self) -> dict[str, str]:
        """By unit that plan speaks of, with any number of instances, the id of its run."""
        return {unit: self.machine.run_of(unit) for unit in PLANNED}

    def main_pid(self, instance: int) -> int:
        said = self.machine.run(
            "systemctl", "show", "--property=MainPID", "--value", self.unit(instance)
        )
        return int(said.stdout)

    def started(self) -> dict[int, int]:
        return {instance: self.main_pid(instance) for instance in self.instances}

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
        active = all(self.machine.state(self.unit(each)) == "active" for each in self.instances)
        out = [
            each
            for each in self.instances
            # One alone is never taken out, and several leave these files behind.
            if self.fleets.count > 1
            and (self.machine.root / f"run/litellm-proxy-out/{each}").exists()
        ]
        jobs = self.machine.run("systemctl", "list-jobs", "--no-legend").stdout.strip()
        rotate = self.machine.state("litellm-proxy-rotate.service")
        return active and not out and not jobs and rotate in ("inactive", "failed")

    def until_whole(self) -> None:
        self.machine.until(self.is_whole, START_SECONDS)

    def said(self, unit: str, cursor: str) -> str:
        return self.machine.journal(unit, cursor)

    def switch(self, config: str, instances: int = 0) -> tuple[list[str], bool]:
        """To a configuration, and so many instances; 0 for as many as there are. Gives the answer
        of booting.switch."""
        before, count = self.fleets.exported, len(self.instances)
        after = self.fleets.export(config, instances)
        if instances in (0, count):
            assert after["nginx"] == before["nginx"], "a switch would reload nginx"
        else:
            booting.stop_gone(self.machine, before, after, START_SECONDS)
        self.fleets.lay(self.machine.root, after)
        done = booting.switch(self.machine, before, after, START_SECONDS)
        if instances not in (0, count):
            booting.start_wanted(self.machine, after)
        return done

    def planned(self, config: str, instances: int = 0) -> Plan:
        """What `nixcfg plan` says of a switch, by what the module deploys."""
        running, count = self.fleets.exported, len(self.instances)
        to = self.fleets.export(config, instances)
        self.fleets.exported, self.fleets.count = running, count
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
    count: int = 2
    exported: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.port,) = free_ports(1)
        self.instance_ports = free_ports(MOST)
        # Each is a set of providers, told apart by their models.
        self.configs = {
            "first": ["stays", "goes"],
            "second": ["stays", "comes"],
            "third": ["stays"],
        }

    @property
    def instances(self) -> tuple[int, ...]:
        return tuple(range(1, self.count + 1))

    def export(self, config: str, count: int = 0) -> dict[str, Any]:
        """The units of a NixOS system with one of the configurations, and so many instances; 0 for
        as many as there are."""
        self.count = count or self.count
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
            instances = {self.count};
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
        for unit in CONTAINERS:
            drop_ins = root / f"etc/systemd/system/{unit}.d"
            drop_ins.mkdir(exist_ok=True)
            (drop_ins / "test.conf").write_text(DROP_IN)
        # As `systemctl enable` and NixOS do it.
        wants = root / f"etc/systemd/system/{TARGET}.wants"
        shutil.rmtree(wants, ignore_errors=True)
        wants.mkdir()
        for name, targets in exported["wantedBy"].items():
            if TARGET in targets:
                (wants / name).symlink_to(f"../{name}")
        (root / "etc/nginx").mkdir(exist_ok=True)
        if nginx := exported["nginx"].replace("http {", f"http {{\n{TEMPORARY}", 1):
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
            main = wiring.main_unit("podman", self.count)
            units = [main, *(["nginx.service"] if self.count > 1 else [])]
            done = machine.run("systemctl", "start", *units)
            assert done.returncode == 0, machine.run("journalctl", "-n", "60").stdout
            master_key = machine.root / "var/lib/litellm-proxy/master-key"
            machine.until(master_key.exists, START_SECONDS)
            fleet = Fleet(
                machine,
                self.port,
                dict(enumerate(self.instance_ports, 1)),
                master_key.read_text().strip(),
                self,
            )
            fleet.until_whole()
            yield fleet
