"""The units on a real systemd: what is started, restarted and said when a key file changes.

systemd runs with the unit files and scripts that the module produced. Only podman is a stand-in,
which notes what it was started with: tests/vm has the real one, with a real LiteLLM.
"""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import booting
import pytest
from booting import Machine
from changes import CHANGES, DROP_IN, GOOD, edit

pytestmark = [pytest.mark.usefixtures("root"), pytest.mark.slow]

HERE = Path(__file__).parent
CONTAINER = "podman-litellm-proxy.service"


@pytest.fixture(scope="module")
def booted(nix, tmp_path_factory) -> Iterator[Machine]:
    overlay = tmp_path_factory.mktemp("overlay")
    booting.lay(
        overlay,
        nix("units.nix", settings=str(HERE / "booted.nix")),
        {"/usr/bin/podman": booting.PODMAN},
    )
    drop_in = overlay / "etc/systemd/system" / f"{CONTAINER}.d" / "podman.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(DROP_IN)
    (overlay / "srv/starts").mkdir(parents=True)
    with booting.booted(overlay) as machine:
        yield machine


@pytest.fixture
def machine(booted) -> Machine:
    """The machine with good keys and a running proxy, at rest."""
    secrets = booted.root / "etc/nixcfg/secrets"
    (secrets / "optional_key.txt").unlink(missing_ok=True)
    for path, text in GOOD.items():
        booted.write(path, text)
    booted.link("srv/keys/linked", "linked-1")
    booted.link("run/secrets", "/run/secrets.d/1")
    if booted.state(CONTAINER) != "active":
        assert booted.run("systemctl", "start", CONTAINER).returncode == 0
    booted.settle()
    assert booted.wired()["PLAIN_KEY"] == "sk-plain-0"
    return booted


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_changed_key_is_in_use_within_seconds_after_one_restart(machine, change):
    before = machine.starts()
    change(machine)
    took = machine.until(lambda: machine.starts() > before)
    machine.settle()
    assert "sk-new" in machine.wired().values()
    assert machine.starts() == before + 1
    assert took < 10


def test_rename_is_never_missed(machine):
    """Four in a row: one path unit with several paths loses about every other one."""
    for number in range(4):
        before = machine.starts()
        machine.write("etc/nixcfg/secrets/.new", f"sk-renamed-{number}\n")
        folder = machine.root / "etc/nixcfg/secrets"
        (folder / ".new").rename(folder / "plain_key.txt")
        machine.until(lambda before=before: machine.starts() > before)
        machine.settle()
        assert machine.wired()["PLAIN_KEY"] == f"sk-renamed-{number}"


def test_changed_document_is_there_after_one_restart(machine):
    before = machine.starts()
    machine.write("srv/keys/document.json", '{"a": 1}\n')
    machine.until(lambda: machine.starts() > before)
    machine.settle()
    assert machine.starts() == before + 1
    assert (machine.root / "run/litellm-proxy/files/DOCUMENT").read_text() == '{"a": 1}\n'


def test_same_content_restarts_nothing(machine):
    before = machine.starts()
    cursor = machine.cursor()
    machine.write("etc/nixcfg/secrets/plain_key.txt", "sk-plain-0")  # without its newline
    machine.until(lambda: "the proxy runs with" in machine.journal("litellm-proxy-rotate", cursor))
    machine.settle()
    assert machine.starts() == before


def test_bad_new_key_is_told_and_the_old_one_stays_in_use(machine):
    before = machine.starts()
    cursor = machine.cursor()
    machine.write("etc/nixcfg/secrets/plain_key.txt", "changeme\n")
    machine.until(lambda: "cannot be used, see" in machine.journal("litellm-proxy-rotate", cursor))
    machine.settle()
    assert machine.starts() == before
    assert machine.state(CONTAINER) == "active"
    said = machine.journal("litellm-proxy-secrets", cursor)
    assert "PLAIN_KEY: key file /etc/nixcfg/secrets/plain_key.txt still holds a placeholder" in said
    text = (machine.root / "run/litellm-proxy/environment").read_text()
    assert "PLAIN_KEY=sk-plain-0\n" in text


def test_keys_with_which_litellm_does_not_start_leave_the_running_one_alone(machine):
    before = machine.starts()
    cursor = machine.cursor()
    machine.write("srv/trial-ends", "3")
    edit(machine)
    machine.until(lambda: "does not start with" in machine.journal("litellm-proxy-rotate", cursor))
    machine.settle()
    assert machine.starts() == before
    assert machine.state(CONTAINER) == "active"
    said = machine.journal("litellm-proxy-rotate", cursor)
    assert "does not start with what has changed (PLAIN_KEY)" in said
    assert "sk-new" not in said
    assert "it ended with 3" in machine.journal("litellm-proxy-trial", cursor)
    assert machine.state("litellm-proxy-rotate-again.timer") == "active"
    # What stood in the way is gone, as when a database has got its new password.
    (machine.root / "srv/trial-ends").unlink()
    machine.run("systemctl", "start", "litellm-proxy-rotate-again.service")
    machine.until(lambda: machine.starts() > before)
    machine.settle()
    assert machine.wired()["PLAIN_KEY"] == "sk-new"


def test_new_keys_are_tried_on_no_port_before_the_old_container_stops(machine):
    trials = machine.root / "srv/trials"
    trials.unlink(missing_ok=True)
    before = machine.starts()
    edit(machine)
    machine.until(lambda: machine.starts() > before)
    machine.settle()
    (tried,) = trials.read_text().splitlines()
    words = tried.split()
    assert not [word for word in words if word.startswith(("-p", "--publish", "--health"))]
    assert "--volume=/run/litellm-proxy/environment:/run/litellm-proxy/environment:ro" in words
    assert "--read-only" in words
    assert words[-7:-5] == ["/app/start.py", "/run/litellm-proxy/environment"]


def test_missing_key_is_told_and_the_proxy_starts_when_it_comes(machine):
    machine.run("systemctl", "stop", CONTAINER)
    (machine.root / "etc/nixcfg/secrets/plain_key.txt").unlink()
    before = machine.starts()
    cursor = machine.cursor()
    assert machine.run("systemctl", "start", CONTAINER).returncode != 0
    machine.settle()
    said = machine.journal("litellm-proxy-secrets", cursor)
    assert "PLAIN_KEY: key file /etc/nixcfg/secrets/plain_key.txt is missing." in said
    said = machine.journal("litellm-proxy-failure", cursor)
    assert "was not started, because its keys cannot be used" in said
    assert machine.starts() == before
    edit(machine)
    machine.until(lambda: machine.starts() > before)
    machine.settle()
    assert machine.state(CONTAINER) == "active"
    assert machine.starts() == before + 1


def test_whole_directory_of_keys_missing_at_first(machine):
    machine.run("systemctl", "stop", CONTAINER)
    shutil.rmtree(machine.root / "etc/nixcfg")
    before = machine.starts()
    assert machine.run("systemctl", "start", CONTAINER).returncode != 0
    machine.settle()
    edit(machine)
    machine.until(lambda: machine.starts() > before)


def test_missing_optional_key_is_a_harmless_text(machine):
    assert machine.wired()["OPTIONAL_KEY"] == "nixcfg-missing-key"


def test_master_key_that_is_deleted_is_made_anew(machine):
    before, old = machine.starts(), machine.wired()["LITELLM_MASTER_KEY"]
    (machine.root / "var/lib/litellm-proxy/master-key").unlink()
    machine.until(lambda: machine.starts() > before)
    machine.settle()
    assert re.fullmatch("sk-[0-9a-f]{64}", machine.wired()["LITELLM_MASTER_KEY"])
    assert machine.wired()["LITELLM_MASTER_KEY"] != old
    assert machine.starts() == before + 1


def test_master_key_outlives_restarts(machine):
    old = machine.wired()["LITELLM_MASTER_KEY"]
    machine.run("systemctl", "restart", CONTAINER)
    machine.settle()
    assert machine.wired()["LITELLM_MASTER_KEY"] == old


def test_modes_and_owners(machine):
    for path, mode in {
        "run/litellm-proxy": 0o700,
        "run/litellm-proxy/environment": 0o600,
        "run/litellm-proxy/files/DOCUMENT": 0o600,
        "var/lib/litellm-proxy": 0o700,
        "var/lib/litellm-proxy/master-key": 0o600,
    }.items():
        status = (machine.root / path).stat()
        assert (oct(status.st_mode & 0o7777), status.st_uid) == (oct(mode), 0), path


def test_stop_by_hand_leaves_nothing_and_is_respected(machine):
    machine.run("systemctl", "stop", CONTAINER)
    machine.settle()
    assert [p.name for p in (machine.root / "run/litellm-proxy").iterdir()] == ["lock"]
    assert machine.state("litellm-proxy-secrets.path") == "inactive"
    before = machine.starts()
    edit(machine)
    time.sleep(3)
    assert machine.starts() == before
    assert machine.state(CONTAINER) == "inactive"


def test_crash_is_followed_by_a_start_with_fresh_keys(machine):
    before = machine.starts()
    machine.run("systemctl", "kill", "--signal=KILL", CONTAINER)
    machine.until(lambda: machine.starts() > before)
    machine.settle()
    assert machine.state("litellm-proxy-secrets.path") == "active"
    assert machine.wired()["PLAIN_KEY"] == "sk-plain-0"


def test_what_fails_is_explained_and_tried_again_without_an_end(machine):
    """As when a database is away: no one has to start the gateway when it is there again."""
    pause = "run/systemd/system/podman-litellm-proxy.service.d/pause.conf"
    machine.write(pause, "[Service]\nRestartSec=20ms\n")
    machine.run("systemctl", "daemon-reload")
    machine.write("srv/refuse", "")
    cursor = machine.cursor()
    before = machine.starts()
    machine.run("systemctl", "restart", "--no-block", CONTAINER)

    def failures() -> int:
        said = machine.run("systemctl", "show", "--value", "-p", "NRestarts", CONTAINER).stdout
        return int(said)

    machine.until(lambda: failures() > 25, 60)
    assert "LiteLLM itself refused to start" in machine.journal(CONTAINER, cursor)
    (machine.root / "srv/refuse").unlink()
    machine.until(lambda: machine.starts() > before)
    (machine.root / pause).unlink()
    machine.run("systemctl", "daemon-reload")
    machine.settle()
    assert machine.state(CONTAINER) == "active"


# -- a switch -------------------------------------------------------------------------------------

IMAGE_UNIT = "litellm-proxy-image.service"


def switch(machine: Machine) -> tuple[int, str]:
    """What nixos-rebuild does when something about the container has changed."""
    machine.write("run/litellm-proxy/started", "another revision\n")
    cursor = machine.cursor()
    done = machine.run("systemctl", "restart", IMAGE_UNIT)
    # It would ask again in half a minute.
    machine.run("systemctl", "stop", IMAGE_UNIT) if done.returncode else machine.settle()
    return done.returncode, machine.journal(IMAGE_UNIT, cursor)


def test_switch_restarts_what_has_changed_and_nothing_else(machine):
    before = machine.starts()
    assert switch(machine)[0] == 0
    machine.until(lambda: machine.starts() == before + 1)
    machine.settle()
    machine.run("systemctl", "restart", IMAGE_UNIT)
    machine.settle()
    assert machine.starts() == before + 1


def test_switch_to_an_image_that_cannot_be_had_costs_nothing(machine):
    before = machine.starts()
    machine.write("srv/no-image", "")
    code, said = switch(machine)
    (machine.root / "srv/no-image").unlink()
    assert code != 0
    assert "cannot be had. Nothing was restarted" in said
    assert machine.starts() == before
    assert machine.state(CONTAINER) == "active"


def test_switch_with_a_key_that_cannot_be_used_costs_nothing(machine):
    before = machine.starts()
    machine.run("systemctl", "stop", "litellm-proxy-secrets*.path")
    machine.write("etc/nixcfg/secrets/plain_key.txt", "Bearer sk-plain\n")
    code, said = switch(machine)
    assert code != 0
    assert "was not restarted" in said
    assert machine.starts() == before
    assert machine.state(CONTAINER) == "active"
    machine.write("etc/nixcfg/secrets/plain_key.txt", "sk-plain-0\n")
    machine.run("systemctl", "restart", CONTAINER)
    machine.settle()


def test_an_image_is_compiled_once_before_anything_is_restarted(machine):
    compiled = machine.root / "srv/compiled"
    before = machine.starts()
    machine.write("srv/image", "sha256:1\n")
    code, said = switch(machine)
    assert (code, "Compiling the Python files" in said) == (0, True)
    machine.until(lambda: machine.starts() == before + 1)
    (words,) = (line.split() for line in compiled.read_text().splitlines())
    assert "--network=none" in words
    assert not [word for word in words if "/run/litellm-proxy" in word]  # no keys
    assert "--volume=/var/cache/litellm-proxy/bytecode:/app/bytecode" in words
    assert "Compiling" not in switch(machine)[1]
    machine.write("srv/image", "sha256:2\n")
    assert "Compiling" in switch(machine)[1]
    assert len(compiled.read_text().splitlines()) == 2
    machine.settle()


def test_an_image_that_cannot_be_compiled_runs_all_the_same(machine):
    before = machine.starts()
    machine.write("srv/image", "sha256:3\n")
    machine.write("srv/compiler-ends", "1\n")
    code, said = switch(machine)
    (machine.root / "srv/compiler-ends").unlink()
    assert (code, "could not be compiled" in said) == (0, True)
    machine.until(lambda: machine.starts() == before + 1)
    assert "Compiling" in switch(machine)[1]  # it is tried again
    machine.settle()


def test_start_of_what_does_not_run(machine):
    machine.run("systemctl", "stop", CONTAINER)
    machine.settle()
    before = machine.starts()
    machine.run("systemctl", "restart", IMAGE_UNIT)
    machine.until(lambda: machine.starts() == before + 1)


def test_no_key_is_in_the_journal_or_on_a_command_line(machine):
    edit(machine)
    machine.settle()
    keys = [*machine.wired().values()]
    said = machine.run("journalctl", "--no-pager", "--output=verbose").stdout
    for key in keys:
        if key.startswith("sk-"):
            assert key not in said
