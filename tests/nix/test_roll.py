"""Several instances on a real systemd: their order, and what a changed key does to them.

As test_systemd.py, with a stand-in for podman that is ready a moment after its start, as LiteLLM
is, and notes what it was started with. tests/scale has the real LiteLLM, and requests.
"""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import booting
import pytest
from booting import Machine

pytestmark = [pytest.mark.usefixtures("root"), pytest.mark.slow]

TARGET = "litellm-proxy.target"
ROLL = "litellm-proxy-roll.service"
UNITS = {1: "podman-litellm-proxy-1.service", 2: "podman-litellm-proxy-2.service"}
KEY = "etc/nixcfg/secrets/key.txt"

SETTINGS = """{
  services.litellm-proxy = {
    enable = true;
    backend = "podman";
    instances = 2;
    instancePort = @PORT@;
    modelConfig = "all";
    configs.all = { file = @FILE@; secrets = [ "OPENAI_API_KEY" ]; };
    secrets.OPENAI_API_KEY.file = "/@KEY@";
    redis.host = "redis.example.org";
    database = { host = "db.example.org"; passwordFile = "/etc/nixcfg/secrets/db.txt"; };
  };
}"""

# A line of /srv/log for each start, for the moment when it is ready, and for its end.
PODMAN = """#!/usr/bin/python3
import json, os, signal, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
words = sys.argv[1:]
cidfile = next((w.partition("=")[2] for w in words if w.startswith("--cidfile=")), "")
if words[0] == "stop":
    pid = int(open(cidfile).read())
    os.kill(pid, signal.SIGINT)
    while os.path.exists(f"/proc/{pid}"):
        time.sleep(0.02)
if words[0] != "run":
    sys.exit()
after = lambda name: words[words.index(name) + 1]
name = next(w.partition("=")[2] for w in words if w.startswith("--name="))
variables = [words[i + 1] for i, w in enumerate(words) if w == "-e"]
keys = next(w for w in words if w.endswith("/environment:ro"))
lines = open(keys.partition(":")[0]).read().splitlines()
def note(event):
    said = {"name": name, "event": event, "at": time.monotonic()}
    said |= dict(each.split("=", 1) for each in variables + lines)
    with open("/srv/log", "a") as log:
        log.write(json.dumps(said) + "\\n")
open(cidfile, "w").write(str(os.getpid()))
note("start")
time.sleep(1.5)
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health/readiness" else 404)
        self.end_headers()
        ready()
    def log_message(self, *_):
        pass
asked = []
def ready():
    if not asked:
        asked.append(1)
        note("ready")
def end(*_):
    note("end")
    os._exit(0)
signal.signal(signal.SIGINT, end)
address, port, _ = after("-p").split(":")
HTTPServer((address, int(port)), Handler).serve_forever()
"""


def free_pair() -> int:
    """The first of two free ports in a row."""
    while True:
        with ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            second = stack.enter_context(socket.socket())
            if second.connect_ex(("127.0.0.1", port + 1)) != 0:
                return port


@pytest.fixture(scope="module")
def booted(nix, tmp_path_factory) -> Iterator[Machine]:
    settings = SETTINGS.replace("@PORT@", str(free_pair())).replace("@FILE@", __file__)
    exported = nix("units.nix", settings=settings.replace("@KEY@", KEY))
    overlay = tmp_path_factory.mktemp("overlay")
    booting.lay(overlay, exported, {"/usr/bin/podman": PODMAN})
    units = overlay / "etc/systemd/system"
    (units / f"{TARGET}.wants").mkdir()
    for name, targets in exported["wantedBy"].items():
        if TARGET in targets:
            (units / f"{TARGET}.wants" / name).symlink_to(f"../{name}")
    for unit in UNITS.values():
        (units / f"{unit}.d").mkdir()
        (units / f"{unit}.d" / "test.conf").write_text("[Service]\nType=simple\nRestartSec=1\n")
    (overlay / "srv").mkdir()
    (overlay / "srv/log").touch()
    with booting.booted(overlay) as machine:
        machine.write("etc/nixcfg/secrets/db.txt", "database-password\n")
        # Without one, a unit would ask the database first, which is not there.
        machine.write("var/lib/litellm-proxy/salt-key", f"sk-{'5' * 40}\n")
        yield machine


def events(machine: Machine) -> list[dict[str, str]]:
    return [json.loads(line) for line in (machine.root / "srv/log").read_text().splitlines()]


def starts(machine: Machine) -> list[str]:
    """The names in the order of their starts."""
    return [each["name"] for each in events(machine) if each["event"] == "start"]


def settle(machine: Machine) -> None:
    """Until nothing is done; twice, because a change is noticed after a moment."""
    for _ in range(2):
        machine.until(lambda: is_quiet(machine), 90)
        time.sleep(1.5)


def is_quiet(machine: Machine) -> bool:
    asked = (
        "systemctl list-jobs --no-legend; "
        "systemctl is-active litellm-proxy-rotate.service litellm-proxy-roll.service"
    )
    return "ing" not in machine.run("sh", "-c", asked).stdout


@pytest.fixture
def machine(booted) -> Machine:
    """The machine with a good key, both instances ready, and an empty record."""
    if not (booted.root / KEY).exists() or "sk-" not in (booted.root / KEY).read_text():
        booted.write(KEY, "sk-key-0\n")
    booted.run("systemctl", "start", TARGET)
    settle(booted)
    if booted.state(ROLL) != "active":
        booted.run("systemctl", "restart", ROLL)
        settle(booted)
    assert [booted.state(unit) for unit in UNITS.values()] == ["active", "active"]
    assert not list((booted.root / "run/litellm-proxy-out").glob("[0-9]"))
    (booted.root / "srv/log").write_text("")
    return booted


def test_missing_key_starts_nothing_and_both_start_when_it_comes(booted):
    booted.run("systemctl", "start", TARGET)
    time.sleep(2)
    assert starts(booted) == []
    assert booted.state(TARGET) == "active"
    booted.write(KEY, "sk-key-0\n")
    settle(booted)
    assert sorted(starts(booted)) == ["litellm-proxy-1", "litellm-proxy-2"]


def test_the_first_is_ready_before_the_second_starts(machine):
    """Whose tables the second uses."""
    machine.run("systemctl", "stop", TARGET)
    settle(machine)
    (machine.root / "srv/log").write_text("")
    machine.run("systemctl", "start", TARGET)
    settle(machine)
    said = [(each["name"][-1], each["event"]) for each in events(machine)]
    assert said == [("1", "start"), ("1", "ready"), ("2", "start"), ("2", "ready")]
    first, second = (each for each in events(machine) if each["event"] == "start")
    assert "DISABLE_SCHEMA_UPDATE" not in first
    assert second["DISABLE_SCHEMA_UPDATE"] == "True"
    assert first["DATABASE_URL"] == second["DATABASE_URL"]


def test_changed_key_renews_one_after_the_other(machine):
    machine.write(KEY, "sk-key-next\n")
    machine.until(lambda: len(starts(machine)) == 2, 60)
    settle(machine)
    said = [(each["name"][-1], each["event"]) for each in events(machine)]
    assert said == [
        *(("1", event) for event in ("end", "start", "ready")),
        *(("2", event) for event in ("end", "start", "ready")),
    ]
    assert {each["OPENAI_API_KEY"] for each in events(machine) if each["event"] == "start"} == {
        "sk-key-next"
    }


def test_key_that_changes_in_the_middle_reaches_both(machine):
    machine.write(KEY, "sk-key-1\n")
    machine.until(lambda: len(starts(machine)) == 1, 60)
    machine.write(KEY, "sk-key-2\n")
    settle(machine)
    last = {each["name"]: each["OPENAI_API_KEY"] for each in events(machine)}
    assert last == {"litellm-proxy-1": "sk-key-2", "litellm-proxy-2": "sk-key-2"}


def test_same_content_renews_nothing(machine):
    machine.write(KEY, (machine.root / KEY).read_text().strip())
    settle(machine)
    assert events(machine) == []


def test_bad_key_renews_nothing_and_is_told(machine):
    cursor = machine.cursor()
    machine.write(KEY, "changeme\n")
    settle(machine)
    assert events(machine) == []
    assert "cannot be used, see" in machine.journal("litellm-proxy-rotate", cursor)
    assert machine.run("systemctl", "restart", ROLL).returncode != 0
    assert "No instance was restarted." in machine.journal(ROLL, cursor)
    assert events(machine) == []


def test_roll_has_nothing_to_do_where_nothing_has_changed(machine):
    assert machine.run("systemctl", "restart", ROLL).returncode == 0
    assert events(machine) == []


def test_one_that_stops_gets_no_requests_and_leaves_the_keys_to_the_other(machine):
    machine.run("systemctl", "stop", UNITS[1])
    assert (machine.root / "run/litellm-proxy-out/1").exists()
    assert (machine.root / "run/litellm-proxy/environment").exists()
    assert machine.state("litellm-proxy-secrets.path") == "active"
    machine.run("systemctl", "start", UNITS[1])
    assert not (machine.root / "run/litellm-proxy-out/1").exists()


def test_one_that_crashes_gets_no_requests_until_it_is_ready(machine):
    machine.run("systemctl", "kill", "--signal=KILL", UNITS[2])
    machine.until((machine.root / "run/litellm-proxy-out/2").exists, 10)
    machine.until(lambda: not (machine.root / "run/litellm-proxy-out/2").exists(), 30)
    assert machine.state(UNITS[2]) == "active"
    assert starts(machine) == ["litellm-proxy-2"]


def test_nginx_may_look_and_nobody_may_write(machine):
    """It is not root."""
    folder = machine.root / "run/litellm-proxy-out"
    assert oct(folder.stat().st_mode & 0o7777) == oct(0o755)
    assert oct((folder / "lock").stat().st_mode & 0o7777) == oct(0o600)
    assert folder.stat().st_uid == 0
    assert oct((machine.root / "run/litellm-proxy").stat().st_mode & 0o7777) == oct(0o700)


def test_stop_by_hand_is_respected_and_leaves_nothing(machine):
    machine.run("systemctl", "stop", TARGET)
    settle(machine)
    names = {each.name for each in (machine.root / "run/litellm-proxy").iterdir()}
    assert names == {"lock"}
    assert machine.state("litellm-proxy-secrets.path") == "inactive"
    before = starts(machine)
    machine.write(KEY, "sk-key-1\n")
    time.sleep(3)
    assert starts(machine) == before


def test_no_key_is_in_the_journal(machine):
    said = machine.run("journalctl", "--no-pager", "--output=verbose").stdout
    for secret in ("sk-key-", "database-password"):
        assert secret not in said
