"""hostPorts through the real firewalls of NixOS: nftables, and iptables.

The machine is a network namespace with the rules that NixOS would load, two bridges as docker and
podman make them, and a line to the network. On each is a namespace of its own: the gateway, another
container, and a stranger.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

# The bridge of each peer, and its address there. Docker calls the host by the address of its own
# bridge wherever a container is, podman by the address of the container's bridge.
BRIDGES = {"gateway": "litellm-proxy", "other": "docker0", "stranger": "eth0"}
NETWORKS = {"gateway": "172.31.5", "other": "172.17.0", "stranger": "192.0.2"}
HOST_BY_DOCKER = "172.17.0.1"
HOST_BY_PODMAN = "172.31.5.1"

LISTEN = """
import socket, sys
ports = [socket.create_server(("0.0.0.0", int(port)), backlog=64) for port in sys.argv[1:]]
print("listening", flush=True)
sys.stdin.read()
"""
CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=30).close()
    print("answered")
except ConnectionRefusedError:
    print("refused")
"""

Ask = Callable[[str, str, int], str]


def run(*command: str, stdin: str = "") -> str:
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def inside(namespace: str, *command: str) -> list[str]:
    return ["ip", "netns", "exec", namespace, *command]


@pytest.fixture(scope="module")
def names(root: None, tmp_path_factory) -> dict[str, str]:  # noqa: ARG001 - see conftest.py
    """The network namespaces, by what they stand for."""
    if shutil.which("ip") is None:
        pytest.skip("ip is not installed")
    # pytest numbers its folders, so that two runs at a time have names of their own.
    unique = tmp_path_factory.getbasetemp().name.rpartition("-")[2]
    return {each: f"nixcfg-{each}-{unique}" for each in ("host", *BRIDGES)}


@pytest.fixture(params=["nft", "iptables"])
def firewall(request) -> str:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture(params=["[ 11434 ]", "[ ]"], ids=["opened", "closed"])
def machine(request, firewall, nix, names, tmp_path) -> Iterator[tuple[bool, Ask]]:
    """Whether the port is opened, and a way to ask: who, which address, which port."""
    settings = tmp_path / "proxy.nix"
    (tmp_path / "config.yaml").write_text("model_list: []\n")
    settings.write_text(
        "{ services.litellm-proxy = { enable = true; modelConfig = ''x'';"
        f" configs.x.file = ./config.yaml; hostPorts = {request.param}; }}; }}"
    )
    rules = nix("firewall.nix", module=str(settings), iptables=str(firewall == "iptables").lower())
    listener = None
    try:
        for name in names.values():
            run("ip", "netns", "add", name)
            run(*inside(name, "ip", "link", "set", "lo", "up"))
        host = names["host"]
        for number, (peer, bridge) in enumerate(BRIDGES.items()):
            network = NETWORKS[peer]
            end = f"veth{number}"
            run("ip", "-n", host, "link", "add", bridge, "type", "bridge")
            run("ip", "-n", host, "address", "add", f"{network}.1/24", "dev", bridge)
            run("ip", "-n", host, "link", "set", bridge, "up")
            peer_end = ["peer", "name", "eth0", "netns", names[peer]]
            run("ip", "-n", host, "link", "add", end, "type", "veth", *peer_end)
            run("ip", "-n", host, "link", "set", end, "master", bridge, "up")
            run("ip", "-n", names[peer], "address", "add", f"{network}.2/24", "dev", "eth0")
            run("ip", "-n", names[peer], "link", "set", "eth0", "up")
            run("ip", "-n", names[peer], "route", "add", "default", "via", f"{network}.1")
        loads = ["nft", "-f", "-"] if firewall == "nft" else ["bash", "-e"]
        run(*inside(host, *loads), stdin=rules)
        listener = subprocess.Popen(
            inside(host, sys.executable, "-c", LISTEN, "11434", "5432"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert listener.stdout is not None
        assert listener.stdout.readline() == b"listening\n"

        def ask(peer: str, address: str, port: int) -> str:
            command = inside(names[peer], sys.executable, "-c", CONNECT, address, str(port))
            return run(*command).strip()

        yield request.param != "[ ]", ask
    finally:
        if listener is not None:
            listener.communicate()
        for name in names.values():
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def test_the_gateway_reaches_the_port_and_nothing_else_does(machine):
    is_opened, ask = machine
    answer = "answered" if is_opened else "refused"
    for address in (HOST_BY_DOCKER, HOST_BY_PODMAN):
        assert ask("gateway", address, 11434) == answer
        assert ask("gateway", address, 5432) == "refused"
        assert ask("other", address, 11434) == "refused"
        assert ask("stranger", address, 11434) == "refused"
