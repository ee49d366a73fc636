"""The URL of a database elsewhere, put together by the wiring script, run as systemd runs it.

urllib says what the URL means. LiteLLM's own reading of it is asked where LiteLLM is installed.
"""

import random
import re
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from wired import Machine, machine_with, script_of

pytestmark = pytest.mark.usefixtures("root")

MACHINE = Path(__file__).parent / "database.nix"

PASSWORDS = {
    "plain": "hunter2",
    "reserved": ":/?#[]@!$&'()*+,;=",
    "percent": "100%25 %2F %zz %",
    "spaces": "two words  and more",
    "plus-is-no-space": "a+b c",
    "shell": "$HOME `id` $(id) \\ \" ' ! ~ * ? { } < > | ; &",
    "url": "x@elsewhere.example/other?host=/tmp#",
    "unicode": "pässwörd-пароль-密码-🔑",
    "unreserved": "AZaz09-._~",
    "not-utf8": b"\x80\xff\xc3(\xa0",
    "bytes": bytes(byte for byte in range(0x20, 0x100) if byte not in b"\x7f"),
    "format": "%s %d %n \\x41 \\n -n -e",
    "long": "ab:/ " * 200 + "x",
}


@pytest.fixture(scope="module")
def script(nix) -> str:
    return script_of(nix, MACHINE)


@pytest.fixture
def machine(script, tmp_path) -> Machine:
    return machine_with(
        script,
        tmp_path,
        LITELLM_MASTER_KEY="sk-0123456789abcdef0123456789abcdef",
        DATABASE_PASSWORD="hunter2",
        REDIS_PASSWORD="hunter3",
    )


def as_bytes(password: str | bytes) -> bytes:
    return password if isinstance(password, bytes) else password.encode()


def url(machine: Machine, password: str | bytes) -> str:
    machine.give(DATABASE_PASSWORD=as_bytes(password).strip(b" ") + b"\n")
    done = machine.run()
    assert done.returncode == 0, done.stderr
    return machine.wired()["DATABASE_URL"]


def assert_is_read_back(text: str, password: bytes) -> None:
    assert text.isascii()
    read = urlsplit(text)
    assert read.scheme == "postgresql"
    assert (read.hostname, read.port) == ("db.example.org", 6432)
    assert unquote(read.username or "") == "us:er@röle"
    assert (read.password or "") == quote(password, safe="")
    assert unquote(read.path) == "/gate/way?x=1"
    assert parse_qs(read.query) == {"sslmode": ["verify-full"]}
    assert read.fragment == ""


@pytest.mark.parametrize("name", PASSWORDS)
def test_url_means_what_it_was_made_of(machine, name):
    password = as_bytes(PASSWORDS[name]).strip(b" ")
    assert_is_read_back(url(machine, password), password)


@pytest.mark.slow
def test_random_passwords(machine):
    made = random.Random(8)
    allowed = [byte for byte in range(0x20, 0x100) if byte != 0x7F]
    for _ in range(60):
        password = b"p" + bytes(made.choices(allowed, k=made.randint(0, 40))) + b"w"
        assert_is_read_back(url(machine, password), password)


@pytest.mark.slow
def test_litellm_reads_it_and_asks_for_a_checked_certificate(machine):
    """Prisma knows no verify-full: LiteLLM translates, and must not spoil the password."""
    settings = pytest.importorskip("litellm.proxy.db.db_url_settings")
    password = str(PASSWORDS["reserved"]) + " %2F+"
    text = url(machine, password)
    assert settings.unsupported_db_scheme(text) is None
    read = urlsplit(settings.translate_libpq_ssl_params(text))
    assert unquote(read.password or "") == password
    assert parse_qs(read.query) == {"sslmode": ["require"], "sslaccept": ["strict"]}


def test_password_of_redis_is_taken_as_it_is(machine):
    password = str(PASSWORDS["reserved"]) + " 100%"
    machine.give(REDIS_PASSWORD=password + "\n")
    assert machine.run().returncode == 0
    assert machine.wired()["REDIS_PASSWORD"] == password


def test_password_itself_is_no_variable(machine):
    machine.run()
    assert set(machine.wired()) == {
        "DATABASE_URL",
        "LITELLM_MASTER_KEY",
        "LITELLM_SALT_KEY",
        "REDIS_PASSWORD",
    }


def test_missing_password_file_is_named(machine):
    machine.give(DATABASE_PASSWORD=None)
    done = machine.run()
    assert done.returncode == 1
    assert (
        "<3>DATABASE_PASSWORD: key file /keys/it's 100%/database.txt is missing. Create it"
        in done.stderr
    )
    assert not (machine.runtime / "environment").exists()


@pytest.mark.parametrize("content", ["", "changeme", "two\nlines", "tab\there"])
def test_password_that_cannot_be_one_is_refused_and_not_said(machine, content):
    machine.give(DATABASE_PASSWORD=content)
    done = machine.run()
    assert done.returncode == 1
    assert "<3>DATABASE_PASSWORD: key file /keys/it's 100%/database.txt" in done.stderr
    if content:
        assert content not in done.stdout + done.stderr


def test_password_is_never_an_argument_of_a_program(machine, tmp_path):
    if subprocess.run(["which", "strace"], capture_output=True, check=False).returncode:
        pytest.skip("strace is not installed")
    machine.give(DATABASE_PASSWORD="hunter2 of the database\n", REDIS_PASSWORD="hunter3 of redis\n")
    log = tmp_path / "strace"
    done = machine.run("strace", "-f", "-s", "4096", "-e", "trace=execve", "-o", str(log))
    assert done.returncode == 0, done.stderr
    seen = log.read_text()
    assert "execve" in seen
    for secret in ("hunter2", "hunter3", *machine.wired().values()):
        assert secret not in seen


def test_salt_key_is_made_once_and_the_note_with_it(machine):
    first = machine.run()
    key = (machine.state / "salt-key").read_text()
    assert re.fullmatch(r"sk-[0-9a-f]{64}\n", key)
    assert machine.wired()["LITELLM_SALT_KEY"] == key.strip()
    assert "<4>LITELLM_SALT_KEY: BACK UP /var/lib/litellm-proxy/salt-key NOW" in first.stderr
    assert key.strip() not in first.stdout + first.stderr
    again = machine.run()
    assert "BACK UP" not in again.stderr
    assert (machine.state / "salt-key").read_text() == key


def test_script_passes_shellcheck(script, tmp_path):
    if subprocess.run(["which", "shellcheck"], capture_output=True, check=False).returncode:
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
