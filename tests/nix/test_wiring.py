"""The wiring script itself, run as systemd runs it.

The script is the one in the unit file. What systemd prepares is prepared here: a
directory of credentials (with the stand-in of SetCredential= where a key file is
missing), a runtime directory and a state directory of mode 0700.
"""

import hashlib
import os
import re
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("root")

MISSING = "nixcfg-missing-key"
FIRST = "sk-first-0123456789"
SECOND = "second/with+odd=characters$HOME`id`'\"\\ and spaces"
ACCOUNT = '{"type": "service_account",\n "private_key": "-----BEGIN"}\n'


@pytest.fixture(scope="session")
def script(nix) -> str:
    """The text of litellm-proxy-secrets.service's script, as the unit file names it."""
    exported = nix("units.nix", settings=str(Path(__file__).parent / "wiring.nix"))
    unit = exported["units"]["litellm-proxy-secrets.service"]
    (path,) = re.findall(r"^ExecStart=(\S+)", unit, re.MULTILINE)
    return exported["scripts"][path]


@dataclass(frozen=True)
class Machine:
    """The three directories that systemd gives to the unit, and the script to run."""

    script: Path
    credentials: Path
    runtime: Path
    state: Path

    def give(self, **contents: str | bytes | None) -> None:
        """Write credentials as systemd would; None stands for a missing key file."""
        for variable, content in contents.items():
            text = MISSING if content is None else content
            data = text.encode() if isinstance(text, str) else text
            (self.credentials / variable).write_bytes(data)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "CREDENTIALS_DIRECTORY": str(self.credentials),
            "RUNTIME_DIRECTORY": str(self.runtime),
            "STATE_DIRECTORY": str(self.state),
        }

    def run(self, *prefix: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*prefix, str(self.script)],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def wired(self) -> dict[str, str]:
        """What the container would find in its environment (docker and podman: no quoting)."""
        lines = (self.runtime / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def snapshot(self) -> dict[str, tuple[int, bytes]]:
        """Inode and content of everything that the container reads."""
        return {
            str(path.relative_to(self.runtime)): (path.stat().st_ino, path.read_bytes())
            for path in sorted(self.runtime.rglob("*"))
            if path.is_file() and path.name != "lock"
        }


@pytest.fixture
def machine(script, tmp_path) -> Machine:
    """A machine on which every key is there and good."""
    path = tmp_path / "wire"
    path.write_text(script)
    path.chmod(0o755)
    made = Machine(path, tmp_path / "credentials", tmp_path / "run", tmp_path / "state")
    for folder in (made.credentials, made.runtime, made.state):
        folder.mkdir(mode=0o700)
    made.give(FIRST_KEY=FIRST + "\n", SECOND_KEY=SECOND + "\n", ACCOUNT=ACCOUNT)
    return made


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


REFUSED = {
    "empty": (b"", "is empty"),
    "newline-only": (b"\n", "is empty"),
    "blank": (b"   \n", "is empty but for white space"),
    "two-lines": (b"sk-secret-1\nsk-secret-2\n", "holds more than one line"),
    "carriage-return": (b"sk-secret-1\r\n", "holds a control character"),
    "tab": (b"sk-secret\t1\n", "holds a control character"),
    "nul": (b"sk-secret\x001", "holds a control character"),
    "escape": (b"\x1b[31msk-secret", "holds a control character"),
    "space-before": (b" sk-secret", "begins or ends with a space"),
    "space-after": (b"sk-secret \n", "begins or ends with a space"),
    "quoted": (b'"sk-secret"\n', "begins with a quote"),
    "single-quoted": (b"'sk-secret'\n", "begins with a quote"),
    "assignment": (b"FIRST_KEY=sk-secret\n", "holds an assignment"),
    "export": (b"export FIRST_KEY=sk-secret\n", "holds an assignment"),
    "true": (b"true\n", "holds the word true or false"),
    "False": (b"False", "holds the word true or false"),
    "too-long": (b"s" * 65537, "is longer than 64 KiB"),
    # docker takes no line of 65,536 bytes, and the name is a part of it.
    "too-long-with-its-name": (b"s" * (65536 - len("FIRST_KEY=")), "is longer than 64 KiB"),
    "latin-1": (b"sk-proj-\xf6secret", "holds a byte above 0x7f"),
    "accented": ("sk-secret-é".encode(), "holds a byte above 0x7f"),
    "other-alphabet": ("ключ".encode(), "holds a byte above 0x7f"),
    "bom": (b"\xef\xbb\xbfsk-secret", "begins with a byte order mark"),
    "utf-16": ("sk-secret".encode("utf-16"), "begins with a byte order mark"),
    "bom-inside": ("sk-\ufeffsecret".encode(), "holds a character of no width"),
    "no-break-space": ("sk-secret\u00a0".encode(), "holds a no-break or wide space"),
    "narrow-no-break-space": ("sk-\u202fsecret".encode(), "holds a no-break or wide space"),
    "zero-width-space": ("sk-secret\u200b".encode(), "holds a character of no width"),
    "word-joiner": ("sk-\u2060secret".encode(), "holds a character of no width"),
    "soft-hyphen": ("sk-\u00adsecret".encode(), "holds a character of no width"),
    "smart-quotes": ("“sk-secret”".encode(), "holds a typographic quote"),
    "smart-apostrophe": ("sk-secret\u2019".encode(), "holds a typographic quote"),
    "en-dash": ("sk\u2013secret".encode(), "holds a typographic dash"),
    "bearer": (b"Bearer sk-secret\n", "holds a header"),
    "bearer-lower": (b"bearer sk-secret", "holds a header"),
    "header": (b"Authorization: Bearer sk-secret", "holds a header"),
    "other-header": (b"x-api-key: sk-secret", "holds a header"),
    "other-assignment": (b"OPENAI_API_KEY=sk-secret\n", "holds an assignment"),
    "export-other": (b"export OTHER_KEY=sk-secret", "holds an assignment"),
    "set-other": (b"set OTHER_KEY=sk-secret", "holds an assignment"),
    "lower-assignment": (b"api_key=sk-secret", "holds an assignment"),
    "yaml": (b"api_key: sk-secret", "holds an assignment"),
    "sops": (b"ENC[AES256_GCM,data:secret,iv:x,tag:y,type:str]\n", "is still encrypted"),
    "sops-yaml": (b"key: ENC[AES256_GCM,data:secret]\nsops:\n", "is still encrypted"),
    "age": (b"-----BEGIN AGE ENCRYPTED FILE-----\nsecret\n", "is still encrypted"),
    "age-binary": (b"age-encryption.org/v1\n-> X25519 secret\n\x00\x01", "is still encrypted"),
    "pgp": (b"-----BEGIN PGP MESSAGE-----\n\nsecret\n", "is still encrypted"),
    "ansible": (b"$ANSIBLE_VAULT;1.1;AES256\n6162\n", "is still encrypted"),
    "systemd": (b"Whxqht+dQJax1aZeCGLxmiAAAAABAAAADAAAABAAAAA\n", "is still encrypted"),
}

PLACEHOLDERS = [
    "replace-me",
    "REPLACE_ME",
    "replace me",
    "replaceme",
    "replace-me-with-your-key",
    "sk-replace-me",
    "changeme",
    "change-me",
    "CHANGE_ME",
    "placeholder",
    "fill-me-in",
    "ToDo",
    "your-key",
    "your-api-key",
    "your_anthropic_api_key",
    "your-api-key-here",
    "sk-your-key",
    "your-token",
    "YOUR_SECRET",
    "insert-key-here",
    "paste-your-key-here",
    "put-key-here",
    "<your key>",
    "<OPENAI_API_KEY>",
    "{{ key }}",
    "${OPENAI_API_KEY}",
    "$OPENAI_API_KEY",
    "$(cat /etc/key.txt)",
    "...",
    "sk-...",
    "xxx",
    "sk-xxxxxxxx",
    "XXXX-XXXX",
]

REAL = [
    "sk-ant-api03-xxAbc_def-ghi",
    "your",
    "yourkey123",
    "none",
    "EMPTY",
    "sk-local",
    "xx",
    "xxa",
    "a$b",
    "$2y$10$N9qo8uLOickgx2ZMRZoMye/",
    "$ecret!",
    "truely",
    "QUJDRA==",
    "ABC_DEF==",
    "Endpoint=sb://a.example.org/;SharedAccessKeyName=n;SharedAccessKey=QUJD=",
    "s" * (65535 - len("FIRST_KEY=")),
    "postgresql://user:pass word@host/db?x=1#y",
]


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_cannot_work(machine, name):
    content, reason = REFUSED[name]
    machine.give(FIRST_KEY=content)
    done = machine.run()
    assert done.returncode == 1
    assert f"<3>FIRST_KEY: key file /keys/first.txt {reason}" in done.stderr
    assert "secret" not in done.stderr + done.stdout
    assert not (machine.runtime / "environment").exists()


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_refuses_placeholders(machine, text):
    machine.give(FIRST_KEY=text + "\n")
    done = machine.run()
    assert done.returncode == 1
    assert "FIRST_KEY: key file /keys/first.txt still holds a placeholder" in done.stderr
    assert not (machine.runtime / "environment").exists()


@pytest.mark.parametrize("text", REAL)
def test_takes_what_may_be_a_key(machine, text):
    machine.give(FIRST_KEY=text + "\n")
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert machine.wired()["FIRST_KEY"] == text


def test_optional_key_that_cannot_work_is_refused_too(machine):
    machine.give(SECOND_KEY="changeme")
    assert machine.run().returncode == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("<paste the document here>\n", "still holds a placeholder"),
        ('{"data": "ENC[AES256_GCM,data:x]", "sops": {}}\n', "is still encrypted"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n", "is still encrypted"),
    ],
)
def test_refuses_file_secrets_that_cannot_work(machine, content, reason):
    machine.give(ACCOUNT=content)
    done = machine.run()
    assert done.returncode == 1
    assert f"ACCOUNT: key file /keys/account.json {reason}" in done.stderr


def test_required_key_file_missing(machine):
    machine.give(FIRST_KEY=None, ACCOUNT=None)
    done = machine.run()
    assert done.returncode == 1
    assert "<3>FIRST_KEY: key file /keys/first.txt is missing. Create it" in done.stderr
    assert "<3>ACCOUNT: key file /keys/account.json is missing. Create it" in done.stderr
    assert "<3>2 of the keys cannot be used; nothing was changed." in done.stderr


def test_optional_key_file_missing_leaves_no_variable_unset(machine):
    machine.give(SECOND_KEY=None)
    done = machine.run()
    assert done.returncode == 0
    assert "<4>SECOND_KEY: optional key file /keys/second.txt is missing." in done.stderr
    assert machine.wired()["SECOND_KEY"] == MISSING


def test_all_problems_are_told_at_once_and_nothing_is_changed(machine):
    machine.run()
    before = machine.snapshot()
    machine.give(FIRST_KEY="changeme", SECOND_KEY="two\nlines", ACCOUNT="")
    done = machine.run()
    assert done.returncode == 1
    assert len(re.findall("^<3>[A-Z_]+: key file", done.stderr, re.MULTILINE)) == 3
    assert machine.snapshot() == before


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


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("sk-1234\n", "holds sk-1234"),
        ("sk-12 34\n", "holds sk-1234"),
        ("", "is empty"),
        ("true", "holds the word true or false"),
    ],
)
def test_master_key_that_litellm_refuses(machine, key, said):
    (machine.state / "master-key").write_text(key)
    done = machine.run()
    assert done.returncode == 1
    assert f"LITELLM_MASTER_KEY: key file {machine.state}/master-key {said}" in done.stderr


@pytest.mark.parametrize("key", ["hunter2-hunter2-hunter2", "sk-short"])
def test_weak_master_key_works_with_a_warning(machine, key):
    (machine.state / "master-key").write_text(key)
    done = machine.run()
    assert done.returncode == 0
    assert "<4>LITELLM_MASTER_KEY: key file" in done.stderr
    assert key not in done.stderr
    assert machine.wired()["LITELLM_MASTER_KEY"] == key


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
