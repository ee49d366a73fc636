"""The gateway's own network, made by the module's script with real docker.

dockerd runs in a network namespace of its own, with the rules that it makes itself and the firewall
of NixOS. podman is not here: Debian's makes no such network, and the module refuses it.
"""

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import engines
import pytest
from engines import IMAGE, Engine

pytestmark = [
    pytest.mark.usefixtures("root"),
    pytest.mark.slow,
]

MACHINE = """
  services.litellm-proxy = {
    enable = true; backend = "docker"; modelConfig = "a"; auth = "open";
    configs.a.file = ./config.yaml; hostPorts = [ 11434 ];
  };
"""
LISTEN = """
import socket, sys
servers = [socket.create_server(("0.0.0.0", int(port)), backlog=64) for port in sys.argv[1:]]
print("listening", flush=True)
import signal
signal.sigwait([signal.SIGTERM])
"""
ASK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=4).close()
    print("answered")
except ConnectionRefusedError:
    print("refused")
except OSError:
    print("silent")
"""


class Machine:
    """dockerd in a network namespace, with the firewall of NixOS and two ports of its own."""

    def __init__(self, name: str, engine: Engine, case: dict[str, Any]) -> None:
        self.name, self.engine, self.case = name, engine, case

    def listen(self, container: str, network: str, *options: str) -> str:
        """Start a container with something on port 4040; gives its address."""
        python = ("--entrypoint=python3", IMAGE, "-c", LISTEN, "4040")
        self.engine("run", "-d", f"--name={container}", f"--network={network}", *options, *python)
        self.engine.until(container, "listening")
        shown = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return self.engine("inspect", "-f", shown, container).strip()

    def ask(self, container: str, address: str, port: int) -> str:
        return self.engine("exec", container, "python3", "-c", ASK, address, str(port)).strip()

    def ask_as_host(self, address: str, port: int) -> str:
        command = [*inside(self.name), "python3", "-c", ASK, address, str(port)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def inside(name: str) -> tuple[str, ...]:
    """As `ip netns exec`, which would hide the control groups from dockerd."""
    return ("nsenter", f"--net=/run/netns/{name}")


@pytest.fixture(scope="module")
def machine(nix, tmp_path_factory) -> Iterator[Machine]:
    for program in ("ip", "nft", "iptables"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    folder = tmp_path_factory.mktemp("own-network")
    (folder / "config.yaml").write_text("model_list: []\n")
    (folder / "machine.nix").write_text(f"{{ {MACHINE} }}")
    (folder / "cases.nix").write_text("{ x = ./machine.nix; }")
    case = nix("cases.nix", cases=str(folder / "cases.nix"))["x"]
    rules = nix("firewall.nix", module=str(folder / "machine.nix"))
    image = engines.stub_image(folder / "image")
    name = f"nixcfg-docker-{tmp_path_factory.getbasetemp().name.rpartition('-')[2]}"
    short = functools.partial(
        tempfile.TemporaryDirectory, prefix="docker", ignore_cleanup_errors=True
    )
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        for command in (
            ("ip", "link", "set", "lo", "up"),
            # Without a way out, docker makes no bridge.
            ("ip", "link", "add", "eth0", "type", "bridge"),
            ("ip", "address", "add", "192.0.2.2/24", "dev", "eth0"),
            ("ip", "link", "set", "eth0", "up"),
            ("ip", "route", "add", "default", "via", "192.0.2.1"),
        ):
            subprocess.run([*inside(name), *command], check=True)
        with short() as root, engines.docker(Path(root), (), inside(name)) as engine:
            engine("import", str(image), IMAGE)
            loads = [*inside(name), "nft", "-f", "-"]
            subprocess.run(loads, input=rules, text=True, check=True)
            listener = subprocess.Popen(
                [*inside(name), "python3", "-c", LISTEN, "11434", "5432"], stdout=subprocess.PIPE
            )
            assert listener.stdout is not None
            assert listener.stdout.readline() == b"listening\n"
            try:
                create = case["unit"]["preStart"].replace("docker ", " ".join(engine.command) + " ")
                create = create[create.index("if ! ") :]
                subprocess.run(["bash", "-ec", create], check=True)
                yield Machine(name, engine, case)
            finally:
                listener.terminate()
                listener.wait(timeout=30)
                listener.stdout.close()
                engine("rm", "-f", *engine("ps", "-aq").split(), check=False)
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)


@pytest.fixture(scope="module")
def gateway(machine: Machine) -> str:
    (network,) = [
        option.partition("=")[2]
        for option in machine.case["container"]["extraOptions"]
        if option.startswith("--network=")
    ]
    hosts = [o for o in machine.case["container"]["extraOptions"] if o.startswith("--add-host")]
    return machine.listen("gateway", network, "-p", "127.0.0.1:4000:4040", *hosts)


def test_the_gateway_reaches_the_opened_port_of_the_host_and_no_other(machine, gateway):  # noqa: ARG001
    for name in ("host.containers.internal", "host.docker.internal"):
        assert machine.ask("gateway", name, 11434) == "answered"
        assert machine.ask("gateway", name, 5432) == "refused"


def test_the_host_reaches_the_gateway(machine, gateway):  # noqa: ARG001
    assert machine.ask_as_host("127.0.0.1", 4000) == "answered"


@pytest.mark.parametrize("network", ["bridge", "others"])
def test_no_other_container_reaches_the_gateway_or_the_port(machine, gateway, network):
    if network == "others":
        machine.engine("network", "create", "others")
    machine.listen(f"on-{network}", network, "--add-host=host:host-gateway")
    assert machine.ask(f"on-{network}", gateway, 4040) == "silent"
    assert machine.ask(f"on-{network}", "host", 11434) == "refused"


def test_on_the_shared_bridge_another_container_would(machine):
    """As the module does with a master key, which the other container has not."""
    address = machine.listen("shared", "bridge")
    machine.listen("neighbour", "bridge")
    assert machine.ask("neighbour", address, 4040) == "answered"


def test_the_network_goes_with_the_last_container(machine, gateway):  # noqa: ARG001
    remove = machine.case["unit"]["postStop"]
    (line,) = [line for line in remove.splitlines() if "network rm" in line]
    command = line.replace("docker ", " ".join(machine.engine.command) + " ")
    subprocess.run(["bash", "-ec", command], check=True)
    assert "litellm-proxy" in machine.engine("network", "ls")
    machine.engine("rm", "-f", "gateway")
    subprocess.run(["bash", "-ec", command], check=True)
    assert "litellm-proxy" not in machine.engine("network", "ls")
