"""What a machine has and no source explains: planted one by one on a real systemd, and found, on
the machine itself and through the real ssh. The engine is a stand-in (test_drift_containers.py has
the real ones), and the database is in tests/access."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from booting import Machine
from switching import SYSTEM, Switched

from nixcfg.plan import facts
from program import Run

pytestmark = pytest.mark.slow

PROJECT = {
    "nixcfg.yaml": "model_config: all\nbackend: podman\nenvironment: {LITELLM_LOG: DEBUG}\n",
    "providers/openai.yaml": "model_list:\n"
    "  - {model_name: gpt, litellm_params: {model: openai/gpt-5.6}}\n"
    'environment_variables: {OPENAI_API_KEY: "${OPENAI_API_KEY}"}\n',
}
UNIT = "podman-litellm-proxy.service"
SECRETS = "litellm-proxy-secrets.service"
KEY = "etc/nixcfg/secrets/openai_api_key.txt"
LINES = "[Service]\nNice=1\n"
HOST = "gateway.example.org"
# What the tests say that the engine has: a file for each container, and a list.
PODMAN = """#!/bin/sh
case "$*" in
  "container inspect "*) cat "/srv/containers/$3" 2> /dev/null || exit 125 ;;
  ps*) cat /srv/listed ;;
  "image inspect "*) echo '[{}]' ;;
esac
"""
Planned = Callable[[], tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def switched(nix: Run, nixcfg: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switched]:
    """A machine that runs what the sources say, and nothing else."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a systemd in namespaces")
    folder = tmp_path_factory.mktemp("drift")
    made = Switched(folder, nix, nixcfg, {"/usr/bin/podman": PODMAN})
    (folder / "overlay/etc").mkdir(parents=True)
    passwd = Path("/etc/passwd").read_text()
    if "\nsshd:" not in passwd:
        passwd += "sshd:x:61:65534::/run/sshd:/usr/sbin/nologin\n"
        (folder / "overlay/etc/passwd").write_text(passwd)
    with made.booted(PROJECT) as machine:
        machine.write(KEY, "sk-0123456789abcdef\n")
        machine.write("srv/listed", "")
        machine.write("srv/containers/litellm-proxy", json.dumps([container(made)]))
        yield made


@pytest.fixture
def machine(switched: Switched) -> Machine:
    return switched.running


def container(switched: Switched) -> dict[str, Any]:
    """As podman reports it."""
    deployed = json.loads(switched.exported["deployed"])
    address, _, port = deployed["published"]["litellm-proxy"].rpartition(":")
    return {
        "State": {"Status": "running"},
        "ImageName": deployed["image"],
        "Image": "0" * 64,
        "Config": {"Env": ["LITELLM_LOG=DEBUG"]},
        "Mounts": [{"Source": deployed["config"], "Destination": "/app/config.yaml"}],
        "HostConfig": {"PortBindings": {"4040/tcp": [{"HostIp": address, "HostPort": port}]}},
    }


@pytest.fixture(scope="module")
def by_ssh(switched: Switched, nixcfg: Run, tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """`nixcfg plan HOST`, from outside of the machine: the real client and the real server."""
    server = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
    if server is None or shutil.which("ssh") is None:
        pytest.skip("openssh-server and openssh-client are not installed")
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "user"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(make, check=True, timeout=60)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    machine = switched.running
    machine.write("srv/ssh/host", (folder / "host").read_text())
    (machine.root / "srv/ssh/host").chmod(0o600)
    machine.write("srv/ssh/authorized", (folder / "user.pub").read_text())
    machine.write("run/sshd/.made", "")
    machine.write(
        "srv/ssh/config",
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey /srv/ssh/host\nStrictModes no\n"
        "AuthorizedKeysFile /srv/ssh/authorized\nPermitRootLogin yes\nUsePAM no\nPidFile none\n",
    )
    command = ("systemd-run", "--unit=sshd", server, "-D", "-e", "-f", "/srv/ssh/config")
    done = machine.run(*command)
    assert done.returncode == 0, done.stderr
    (folder / "config").write_text(
        f"Host {HOST}\n  HostName 127.0.0.1\n  Port {port}\n  User root\n"
        f"  IdentityFile {folder}/user\n  StrictHostKeyChecking no\n"
        "  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
    )
    # The user's own configuration, which ssh reads from the home directory of the user database.
    client = folder / "bin/ssh"
    client.parent.mkdir()
    client.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/config "$@"\n')
    client.chmod(0o755)
    environment = {**os.environ, "PATH": f"{client.parent}:{os.environ['PATH']}"}

    def answers() -> bool:
        asked = subprocess.run(
            [client, HOST, "true"], check=False, capture_output=True, timeout=60, env=environment
        )
        return asked.returncode == 0

    machine.until(answers, 30)

    def planned() -> tuple[int, dict[str, Any]]:
        done = nixcfg("-C", switched.project, "plan", HOST, "--json", env=environment)
        assert done.returncode in (0, 2), done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout)

    return planned


@pytest.fixture(params=["here", "by ssh"])
def planned(request: pytest.FixtureRequest, switched: Switched) -> Planned:
    if request.param == "here":
        return switched.planned
    planned: Planned = request.getfixturevalue("by_ssh")
    return planned


def drift(machine: Machine, planned: Planned) -> set[tuple[str, str, str]]:
    assert machine.run("systemctl", "daemon-reload").returncode == 0
    code, data = planned()
    assert data["changes"] == data["units"] == data["unsure"] == []
    assert code == (2 if data["drift"] else 0)
    return {(each["what"], each["name"], each["detail"]) for each in data["drift"]}


def test_a_machine_as_nixos_made_it_has_none(machine: Machine, planned: Planned):
    assert drift(machine, planned) == set()


def test_both_say_the_same(switched: Switched, by_ssh: Planned):
    switched.write({**PROJECT, "nixcfg.yaml": PROJECT["nixcfg.yaml"] + "port: 4001\n"})
    (switched.running.root / KEY).rename(switched.running.root / f"{KEY}.gone")
    try:
        assert by_ssh() == switched.planned()
        _, data = by_ssh()
    finally:
        (switched.running.root / f"{KEY}.gone").rename(switched.running.root / KEY)
        switched.write(PROJECT)
    assert set(data) == {
        "access", "changes", "costs", "drift", "loses_requests", "migrations", "missing_keys",
        "refused_seconds", "units", "unsure",
    }  # fmt: skip
    assert data["missing_keys"] == ["OPENAI_API_KEY"]
    assert data["loses_requests"] is True
    assert data["refused_seconds"] == [5, 40]
    assert data["migrations"] is None
    assert data["changes"] == [
        {"what": "port", "kind": "changed", "name": "4000 -> 4001", "detail": ""}
    ]
    assert [each["unit"] for each in data["units"]] == [UNIT]


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        # systemctl edit --runtime
        (f"run/systemd/system/{UNIT}.d/override.conf", UNIT),
        # systemctl set-property
        (f"etc/systemd/system.control/{SECRETS}.d/50-MemoryMax.conf", SECRETS),
        (f"{SYSTEM}/litellm-proxy-other.service", "litellm-proxy-other.service"),
        (f"{SYSTEM}/redis-litellm-proxy.service", "redis-litellm-proxy.service"),
    ],
)
def test_a_drop_in_or_a_unit_by_hand(machine: Machine, planned: Planned, path: str, unit: str):
    machine.write(path, LINES if path.endswith(".conf") else f"{LINES}ExecStart=/bin/true\n")
    try:
        assert drift(machine, planned) == {("unit", unit, f"/{path}")}
    finally:
        (machine.root / path).unlink()
    assert drift(machine, planned) == set()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"{SYSTEM}/{UNIT}", ("unit", UNIT, f"/{SYSTEM}/{UNIT}")),
        (facts.DEPLOYED.lstrip("/"), ("file", facts.DEPLOYED, "is no link into the Nix store")),
    ],
)
def test_a_file_that_is_edited_in_place(
    machine: Machine, planned: Planned, path: str, found: tuple[str, str, str]
):
    file = machine.root / path
    link = file.readlink()
    text = (machine.root / str(link).lstrip("/")).read_text()
    file.unlink()
    file.write_text(f"{text}\n")
    try:
        assert drift(machine, planned) == {found}
    finally:
        file.unlink()
        file.symlink_to(link)
    assert drift(machine, planned) == set()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"State": {"Status": "exited"}}, "is exited"),
        ({"ImageName": "localhost/own:1"}, "runs localhost/own:1, and not "),
        ({"Mounts": []}, "loads no configuration of the module, and not "),
        ({"Config": {"Env": []}}, "has another LITELLM_LOG"),
        ({"HostConfig": {}}, "is published on no port, and not 127.0.0.1:4000"),
    ],
)
def test_a_container_that_was_changed_by_hand(
    switched: Switched, planned: Planned, change: dict[str, Any], found: str
):
    machine, file = switched.running, "srv/containers/litellm-proxy"
    machine.write(file, json.dumps([{**container(switched), **change}]))
    try:
        ((what, name, detail),) = drift(machine, planned)
    finally:
        machine.write(file, json.dumps([container(switched)]))
    assert (what, name) == ("container", "litellm-proxy")
    assert detail.startswith(found)


def test_a_container_by_hand(machine: Machine, planned: Planned):
    listed = (
        "litellm-proxy|ghcr.io/berriai/litellm:v1.108.14\n"
        "trying-it|ghcr.io/berriai/litellm:v1.110.2\n"
        "of-nixos|ghcr.io/berriai/litellm:v1.110.2\n"
        "another|docker.io/library/redis:7\n"
    )
    machine.write("srv/listed", listed)
    name = "podman-of-nixos.service"
    machine.write(f"nix/store/other/{name}", f"{LINES}ExecStart=/bin/true\n")
    unit = machine.root / SYSTEM / name
    unit.symlink_to(f"/nix/store/other/{name}")
    try:
        found = drift(machine, planned)
    finally:
        machine.write("srv/listed", "")
        unit.unlink()
    said = "podman has it, of ghcr.io/berriai/litellm:v1.110.2"
    assert found == {("container", "trying-it", said)}


def test_a_container_that_is_gone(machine: Machine, planned: Planned):
    file = machine.root / "srv/containers/litellm-proxy"
    file.rename(f"{file}.gone")
    try:
        assert drift(machine, planned) == {("container", "litellm-proxy", "is absent")}
    finally:
        Path(f"{file}.gone").rename(file)
