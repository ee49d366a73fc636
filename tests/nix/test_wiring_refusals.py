"""What the wiring script refuses, what it takes, and what it says of either."""

import re

import pytest
from wired import MISSING

pytestmark = pytest.mark.usefixtures("root")


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
