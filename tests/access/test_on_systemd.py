"""litellm-proxy-access.service on a real systemd, shut in as the module has it, in front of the
real gateway: credentials, files that it makes for others, and the watch over them."""

import json
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import booting
import pytest
from booting import Machine
from gateway import Gateway
from reconciler import MASTER_KEY, Unit

pytestmark = pytest.mark.scale

CONTAINER = "podman-litellm-proxy.service"
ACCESS = "litellm-proxy-access.service"
# The gateway is there already; the stand-in is what the unit goes with.
PODMAN = """#!/bin/sh
case $1 in run) exec sleep infinity ;; esac
"""
DATA = {
    "prune": False,
    "teams": {"research": {"fields": {"models": ["gpt"]}}},
    "users": {},
    "keys": {
        name: {"fields": {}, "team": "research", "user": None, "expires": None}
        for name in ("ci", "web")
    },
}
SETTINGS = """{
  services.litellm-proxy = {
    enable = true;
    backend = "podman";
    port = @PORT@;
    masterKeyFile = "/etc/nixcfg/secrets/master.txt";
    environment.DATABASE_URL = "postgresql:///none";
    modelConfig = "all";
    configs.all.file = ./access.json;
    access.file = ./access.json;
    access.keys.web = { file = "/srv/keys/web"; owner = "nobody"; mode = "0440"; };
  };
}"""


@pytest.fixture
def machine(unit: Unit, tmp_path: Path, nix_units) -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("namespaces with a systemd of their own take root")
    (tmp_path / "access.json").write_text(json.dumps(DATA))
    (tmp_path / "machine.nix").write_text(SETTINGS.replace("@PORT@", str(unit.live.port)))
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    exported = nix_units(tmp_path / "machine.nix")
    booting.lay(overlay, exported, {"/usr/bin/podman": PODMAN})
    for path, text in exported["files"].items():
        (overlay / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (overlay / path.lstrip("/")).write_text(text)
    drop_in = overlay / "etc/systemd/system" / f"{CONTAINER}.d" / "test.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nType=simple\n")
    (overlay / "srv/keys").mkdir(parents=True)
    with booting.booted(overlay) as running:
        running.write("etc/nixcfg/secrets/master.txt", f"{MASTER_KEY}\n")
        yield running


def run(machine: Machine) -> str:
    """What the unit says from its start to its end."""
    cursor = machine.cursor()
    assert machine.run("systemctl", "start", ACCESS).returncode == 0
    machine.until(lambda: machine.state(ACCESS) in ("inactive", "failed"), 120)
    return machine.journal(ACCESS, cursor)


def test_values_are_made_used_and_replaced(machine: Machine, unit: Unit):
    assert machine.run("systemctl", "start", CONTAINER).returncode == 0
    said = run(machine)
    assert "3 created" in said, said
    own = machine.root / "var/lib/litellm-proxy-keys/ci"
    given = machine.root / "srv/keys/web"
    modes = [each.stat().st_mode & 0o777 for each in (own, given, own.parent)]
    assert modes == [0o600, 0o440, 0o711]
    assert machine.run("stat", "-c", "%U", "/srv/keys/web").stdout.strip() == "nobody"
    values = [each.read_text().strip() for each in (own, given)]
    for value in values:
        assert re.fullmatch("sk-[0-9a-f]{64}", value)
        asked = Gateway(unit.live.port, value, unit.live.log)
        assert asked.chat("gpt", f"question {secrets.token_hex(8)}").status == 200
    assert "nothing was written" in run(machine)

    # The watch sees a new value, whoever writes it.
    new = f"sk-{secrets.token_hex(24)}"
    machine.write("srv/keys/.web.new", f"{new}\n")
    (machine.root / "srv/keys/.web.new").rename(given)
    asked = Gateway(unit.live.port, new, unit.live.log)
    machine.until(lambda: asked.chat("gpt", "hello").status == 200, 120)
    machine.until(lambda: machine.state(ACCESS) == "inactive", 60)

    journal = machine.run("journalctl", "--no-pager").stdout
    assert "key web: given its new value" in journal
    for value in (*values, new, MASTER_KEY):
        assert value not in journal
        shown = machine.run("systemctl", "show", ACCESS, "--all").stdout
        assert value not in shown
    assert "made a value in /srv/keys/web" in journal


def test_a_file_that_cannot_be_made_stops_no_other_key(machine: Machine, unit: Unit):
    del unit
    (machine.root / "srv/keys").rmdir()
    assert machine.run("systemctl", "start", CONTAINER).returncode == 0
    said = run(machine)
    assert "key web: /srv/keys/web cannot be made" in said
    assert "key ci: created" in said
    assert machine.state(ACCESS) == "failed"
