"""The wiring script itself, run as systemd runs it.

The script is the one in the unit file. What systemd prepares is prepared here: a
directory of credentials (with the stand-in of SetCredential= where a key file is
missing), a runtime directory and a state directory of mode 0700.
"""

import hashlib
import re
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wired import ACCOUNT, FIRST, SECOND

pytestmark = pytest.mark.usefixtures("root")


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_assembles_what_the_container_reads(machine):
    done = machine.run()
    assert done.returncode == 0, done.stderr
    wired = machine.wired()
    assert list(wired) == ["ACCOUNT", "FIRST_KEY", "SECOND_KEY", "LITELLM_MASTER_KEY"]
    assert wired["FIRST_KEY"] == FIRST
    assert wired["SECOND_KEY"] == SECOND
    assert wired["ACCOUNT"] == "/run/litellm-proxy/files/ACCOUNT"
    assert (machine.runtime / "files" / "ACCOUNT").read_text() == ACCOUNT


def test_modes_and_owners(machine):
    machine.run()
    for path in (
        machine.runtime / "environment",
        machine.runtime / "fingerprint",
        machine.runtime / "files" / "ACCOUNT",
        machine.state / "master-key",
    ):
        assert mode(path) == "0o600"
        assert (path.stat().st_uid, path.stat().st_gid) == (0, 0)
    assert mode(machine.runtime / "files") == "0o700"


def test_says_nothing_of_a_key(machine):
    done = machine.run()
    for key in (FIRST, SECOND, "service_account", machine.wired()["LITELLM_MASTER_KEY"]):
        assert key not in done.stdout + done.stderr


@pytest.mark.parametrize("ending", ["", "\n", "\n\n"])
def test_newlines_at_the_end_are_stripped(machine, ending):
    machine.give(FIRST_KEY=FIRST + ending)
    assert machine.run().returncode == 0
    assert machine.wired()["FIRST_KEY"] == FIRST


def test_master_key_is_made_once_of_256_bits(machine):
    first = machine.run()
    key = (machine.state / "master-key").read_text()
    assert re.fullmatch(r"sk-[0-9a-f]{64}\n", key)
    assert machine.wired()["LITELLM_MASTER_KEY"] == key.strip()
    assert f"sudo cat {machine.state}/master-key" in first.stdout
    again = machine.run()
    assert again.stdout == ""
    assert (machine.state / "master-key").read_text() == key


def test_two_machines_have_two_master_keys(machine):
    machine.run()
    key = (machine.state / "master-key").read_text()
    (machine.state / "master-key").unlink()
    machine.run()
    assert (machine.state / "master-key").read_text() != key


def test_fingerprint_follows_every_key(machine):
    seen = set()
    for changed in (
        {},
        {"FIRST_KEY": "another"},
        {"SECOND_KEY": "another"},
        {"ACCOUNT": "{}"},
        {"SECOND_KEY": None},
    ):
        machine.give(**changed)
        machine.run()
        machine.run()
        seen.add((machine.runtime / "fingerprint").read_bytes())
    assert len(seen) == 5


def test_fingerprint_has_a_line_for_each_key_and_document(machine):
    machine.run()
    lines = (machine.runtime / "fingerprint").read_text().splitlines()
    found = [tuple(line.split()[:2]) for line in lines]
    wanted = [*(machine.runtime / "environment").read_bytes().splitlines()]
    wanted = [(line.partition(b"=")[0], line) for line in wanted]
    wanted += [(b"ACCOUNT", (machine.runtime / "files/ACCOUNT").read_bytes())]
    assert found == [(name.decode(), hashlib.sha256(text).hexdigest()) for name, text in wanted]


def test_secrets_of_another_configuration_are_removed(machine):
    (machine.runtime / "files").mkdir()
    (machine.runtime / "files" / "FORMER").write_text("key")
    machine.run()
    assert [path.name for path in (machine.runtime / "files").iterdir()] == ["ACCOUNT"]


def test_runs_at_the_same_time_agree(machine):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: machine.run(), range(16)))
    assert {run.returncode for run in done} == {0}
    assert sum("generated" in run.stdout for run in done) == 1
    key = (machine.state / "master-key").read_text().strip()
    assert machine.wired()["LITELLM_MASTER_KEY"] == key
    assert machine.wired()["FIRST_KEY"] == FIRST
    assert not list(machine.runtime.rglob("*.new"))


@pytest.mark.slow
def test_killed_at_any_moment_leaves_the_old_or_the_new(machine):
    """SIGKILL at every n-th system call that changes a file, in the script and its programs."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    machine.run()
    key = (machine.state / "master-key").read_text()
    old = (machine.runtime / "environment").read_bytes()
    machine.give(FIRST_KEY="sk-the-new-key")
    new = old.replace(FIRST.encode(), b"sk-the-new-key")
    seen = set()
    for call in ("write", "rename,renameat,renameat2", "openat", "ftruncate,unlink,unlinkat"):
        for count in (1, 2, 3, 4, 5, 6, 8):
            (machine.runtime / "environment").write_bytes(old)
            machine.run(
                "strace", "-f", "-o", "/dev/null", f"-einject={call}:signal=KILL:when={count}"
            )
            now = (machine.runtime / "environment").read_bytes()
            assert now in {old, new}, (call, count)
            assert (machine.state / "master-key").read_text() == key
            seen.add(now)
            done = machine.run()
            assert done.returncode == 0, done.stderr
            assert (machine.runtime / "environment").read_bytes() == new
            assert not list(machine.runtime.rglob("*.new"))
    assert seen == {old, new}


@pytest.mark.slow
def test_killed_while_the_master_key_is_made(machine):
    """No half master key is ever used or kept."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    for count in range(1, 8):
        (machine.state / "master-key").unlink(missing_ok=True)
        machine.run(
            "strace",
            "-f",
            "-o",
            "/dev/null",
            f"-einject=write,rename,renameat2:signal=KILL:when={count}",
        )
        if (machine.state / "master-key").exists():
            assert re.fullmatch(r"sk-[0-9a-f]{64}\n", (machine.state / "master-key").read_text())
        assert machine.run().returncode == 0
        assert re.fullmatch(r"sk-[0-9a-f]{64}", machine.wired()["LITELLM_MASTER_KEY"])


def test_runtime_directory_that_cannot_be_written(machine):
    """Root may write anywhere, so the directory is a read-only mount of its own."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    done = machine.run(
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'mount -t tmpfs -o ro,size=64k tmpfs {machine.runtime} && exec "$0"',
    )
    assert done.returncode == 1
    assert f"<3>cannot write below {machine.runtime}; nothing was changed." in done.stderr
    assert FIRST not in done.stderr


def test_full_runtime_directory_keeps_the_old(machine):
    """A file system without room: an error, and no file cut short."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    machine.give(ACCOUNT="{" + " " * 200_000 + "}")
    done = machine.run(
        "unshare",
        "--mount",
        "sh",
        "-c",
        f"mount -t tmpfs -o size=64k tmpfs {machine.runtime}; cd {machine.runtime}; "
        'echo old > environment; "$0"; status=$?; cat environment; exit $status',
    )
    assert done.returncode != 0
    assert done.stdout.endswith("old\n")
    assert "No space left on device" in done.stderr


def test_script_passes_shellcheck(script, tmp_path):
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    (tmp_path / "script").write_text(script)
    done = subprocess.run(
        ["shellcheck", "--shell=bash", str(tmp_path / "script")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
