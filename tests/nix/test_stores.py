"""The database and the Redis of this machine, for real.

A systemd starts PostgreSQL and Redis by the units of NixOS and of the module. What runs in place of
the container has what a container has, the mounted sockets, root without capabilities and the
variables, and logs in with them.
"""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import booting
import pytest
from booting import Machine

pytestmark = pytest.mark.usefixtures("root")

HERE = Path(__file__).parent
CONTAINER = "podman-litellm-proxy.service"
POSTGRES = "/usr/lib/postgresql/15/bin"

# `podman run … -e VARIABLE=VALUE … -v SOURCE:TARGET:ro … IMAGE …`: a root of its own, with a /run
# in which there is nothing but what was mounted, and root without capabilities.
PODMAN = """#!/bin/bash
[ "$1" = run ] || exit 0
echo >> /srv/starts
mounts=()
while [ $# -gt 0 ]; do
  case $1 in
    -e) export "$2"; shift ;;
    -v) mounts+=("$2"); shift ;;
  esac
  shift
done
exec unshare --mount --propagation private /srv/container "${mounts[@]}"
"""
INSIDE = """#!/bin/bash
mkdir -p /srv/root
mount --rbind / /srv/root
mount -t tmpfs tmpfs /srv/root/run
for mount in "$@"; do
  IFS=: read -r source target mode <<< "$mount"
  if [ -d "$source" ]; then
    mkdir -p "/srv/root$target"
    mount --bind "$source" "/srv/root$target"
    mount -o "remount,bind,$mode" "/srv/root$target"
  fi
done
exec chroot /srv/root setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all \
  --no-new-privs /srv/client
"""
# The second psql gets what LiteLLM leaves of the URL for libpq.
CLIENT = f"""#!/bin/bash
while :; do
  {{
    {POSTGRES}/psql -At "$DATABASE_URL" -c "select current_user"
    {POSTGRES}/psql -At "${{DATABASE_URL%%\\?*}}" -c "select current_user"
    redis-cli -s "${{REDIS_URL#unix://}}" incr asked
  }} > /srv/said.new 2>&1
  mv /srv/said.new /srv/said
  sleep 0.2
done
"""

DROP_INS = {
    CONTAINER: "[Service]\nType=simple\n",
    # A namespace within those of boot.sh is not to be had everywhere.
    "redis-litellm-proxy.service": "[Service]\nPrivateUsers=no\n",
}


@pytest.fixture(scope="module")
def machine(nix, tmp_path_factory) -> Iterator[Machine]:
    for program in (f"{POSTGRES}/postgres", "redis-server", "redis-cli", "setpriv"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    exported = nix("units.nix", settings=str(HERE / "stores.nix"), also='[ "postgresql.service" ]')
    # In a real store the first is executable, and the second a folder: pkgs.nix builds nothing.
    redis = exported["units"]["redis-litellm-proxy.service"]
    exported["units"]["redis-litellm-proxy.service"] = re.sub(
        r"\+(/nix/store/\S+-prep-conf)", r"+/usr/bin/bash \1", redis
    )
    for path, text in exported["scripts"].items():
        exported["scripts"][path] = text.replace(".conf/postgresql.conf", ".conf")

    overlay = tmp_path_factory.mktemp("overlay")
    programs = {"/usr/bin/podman": PODMAN, "/srv/container": INSIDE, "/srv/client": CLIENT}
    booting.lay(overlay, exported, programs)
    units = overlay / "etc/systemd/system"
    for unit, text in DROP_INS.items():
        (units / f"{unit}.d").mkdir()
        (units / f"{unit}.d" / "test.conf").write_text(text)
    (units / "postgresql@.service").symlink_to("/dev/null")  # the server of Debian
    (overlay / "srv/postgresql").mkdir(parents=True)
    with (overlay / "etc/passwd").open("w") as file:
        file.write(Path("/etc/passwd").read_text())
        file.write("redis-litellm-proxy:x:64001:64001::/:/usr/sbin/nologin\n")
    with (overlay / "etc/group").open("w") as file:
        file.write(Path("/etc/group").read_text() + "redis-litellm-proxy:x:64001:\n")
    with booting.booted(overlay) as booted:
        booted.run("chown", "postgres:", "/srv/postgresql")
        booted.run("chmod", "700", "/srv/postgresql")
        assert booted.run("systemctl", "start", CONTAINER).returncode == 0
        yield booted


def said(machine: Machine) -> list[str]:
    """What the databases answered last, not longer ago than the next moment."""
    (machine.root / "srv/said").unlink(missing_ok=True)
    machine.until((machine.root / "srv/said").exists)
    return (machine.root / "srv/said").read_text().splitlines()


def answers(machine: Machine) -> bool:
    answer = said(machine)
    return answer[:-1] == ["litellm", "litellm"] and answer[-1].isdigit()


def test_both_are_there_before_the_container(machine):
    assert machine.state("postgresql.service") == "active"
    assert machine.state("redis-litellm-proxy.service") == "active"


def test_the_container_logs_in_through_the_sockets_without_a_password(machine):
    assert answers(machine), said(machine)


@pytest.mark.parametrize("unit", ["postgresql.service", "redis-litellm-proxy.service"])
def test_the_container_finds_a_restarted_service_again(machine, unit):
    """A mounted directory that the service made again would be empty for ever."""
    assert answers(machine), said(machine)
    assert machine.run("systemctl", "restart", unit).returncode == 0
    machine.until(lambda: answers(machine))
    assert (machine.root / "srv/starts").read_text() == "\n"


def test_others_of_this_machine_are_kept_out(machine):
    """By the user that nobody runs as: neither is in the group, nor has the name of the role."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    url = "postgresql://litellm@localhost/litellm?host=/run/postgresql"
    login = machine.run(*nobody, f"{POSTGRES}/psql", url, "-c", "select 1")
    assert login.returncode != 0
    assert "Peer authentication failed" in login.stderr
    socket = "/run/redis-litellm-proxy/redis.sock"
    asked = machine.run(*nobody, "redis-cli", "-s", socket, "ping")
    assert "PONG" not in asked.stdout
    assert "Permission denied" in asked.stdout + asked.stderr


def test_redis_listens_on_no_port(machine):
    config = machine.run(
        "redis-cli", "-s", "/run/redis-litellm-proxy/redis.sock", "config", "get", "port"
    )
    assert config.stdout.split() == ["port", "0"]


def test_the_note_to_back_up_the_salt_key_is_said_once(machine):
    note = "BACK UP /var/lib/litellm-proxy/salt-key NOW"
    journal = machine.run("journalctl", "--no-pager", "-u", "litellm-proxy-secrets").stdout
    assert journal.count(note) == 1
    key = (machine.root / "var/lib/litellm-proxy/salt-key").read_text()
    assert re.fullmatch("sk-[0-9a-f]{64}\n", key)
    assert key != (machine.root / "var/lib/litellm-proxy/master-key").read_text()
    assert (
        f"LITELLM_SALT_KEY={key.strip()}\n"
        in (machine.root / "run/litellm-proxy/environment").read_text()
    )
    assert key.strip() not in journal
    machine.run("systemctl", "start", "litellm-proxy-secrets")
    time.sleep(1)
    journal = machine.run("journalctl", "--no-pager", "-u", "litellm-proxy-secrets").stdout
    assert journal.count(note) == 1
    assert (machine.root / "var/lib/litellm-proxy/salt-key").read_text() == key


def test_no_new_salt_key_beside_what_another_one_has_encrypted(machine):
    """A database that was restored, on a machine without its salt key."""
    key = machine.root / "var/lib/litellm-proxy/salt-key"
    saved = key.read_text()
    # psql wants to know where it is, which nsenter leaves open.
    within = ("sh", "-c", 'cd / && exec "$@"', "sh")
    psql = (*within, f"{POSTGRES}/psql", "-h", "/run/postgresql", "-U", "litellm", "-Atc")
    table = '"LiteLLM_CredentialsTable"'
    assert machine.run(*psql, f"create table {table} (credential_values json)").returncode == 0
    key.unlink()
    try:
        # So is the table of a gateway that has kept no credential yet.
        machine.run(*psql, f"insert into {table} values (null), ('{{}}')")
        assert machine.run("systemctl", "start", "litellm-proxy-secrets").returncode == 0
        key.unlink()
        machine.run(*psql, f"""insert into {table} values ('{{"api_key": "AbCd"}}')""")
        assert machine.run("systemctl", "start", "litellm-proxy-secrets").returncode != 0
        assert not key.exists()
        journal = machine.run("journalctl", "--no-pager", "-u", "litellm-proxy-secrets").stdout
        assert "another salt key has encrypted (LiteLLM_CredentialsTable)" in journal
        key.write_text(saved)
        assert machine.run("systemctl", "start", "litellm-proxy-secrets").returncode == 0
    finally:
        machine.run(*psql, f"drop table {table}")
        key.write_text(saved)
