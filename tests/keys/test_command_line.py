"""A key on the command line: never repeated, whatever the command, and said to be exposed."""

import secrets
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_process import Done, call

from nixcfg.commands.init import copy_starter
from nixcfg.keys.shapes import PREFIXES

LETTERS = string.ascii_letters + string.digits


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy_starter(tmp_path / "project")
    return tmp_path / "project"


def random_key(prefix: str) -> str:
    """Made anew, so that no list has it."""
    return prefix + "1aB2" + "".join(secrets.choice(LETTERS) for _ in range(36))


KEYS = {prefix: random_key(prefix) for each in PREFIXES.values() for prefix in each}
KEYS["hex"] = "0f" + secrets.token_hex(20)
KEYS["letters"] = random_key("")


def ways(key: str) -> Iterator[tuple[str, ...]]:
    """Where a person may put a key."""
    yield "set-key", "claude", key
    yield "set-key", key
    yield "set-key", key, "claude"
    yield "set-key", f"ANTHROPIC_API_KEY={key}"
    yield "set-key", "claude", "--key", key
    yield "set-key", "claude", f"--key={key}"
    yield "set-key", "claude", "--file", "x", key
    yield "set-key", "claude", "--host", key
    yield "add-provider", "groq", key
    yield "add-provider", "groq", "--env", f"GROQ_API_KEY={key}"
    yield "add-provider", key
    yield "models", key
    yield "explain", key
    yield "use", key
    yield "rename", "claude", key, key
    yield "validate", key
    yield (key,)
    yield "set-kee", "claude", key


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_never_repeated(name: str, project: Path) -> None:
    key = KEYS[name]
    for arguments in ways(key):
        done = call(*arguments, cwd=project)
        printed = done.stdout + done.stderr
        assert key not in printed, arguments
        assert key[-12:] not in printed, arguments
        assert done.returncode != 0, arguments
        assert "in the shell's history now" in printed, arguments
        assert "Revoke it" in printed, arguments


def test_another_word_is_not_repeated_either(project: Path) -> None:
    done = call("set-key", "claude", "hunter2", cwd=project)
    assert done.returncode == 2
    assert "hunter2" not in done.stderr
    assert "If the other word is one" in done.stderr


QUIET = (
    ("models", "anthropic/claude-haiku-4-5-20251001"),
    ("models", "claude", "--json"),
    ("validate",),
    ("add-model", "claude", "claude-opus-4-5-20251101"),
    ("add-provider", "bedrock", "--model", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("add-provider", "groq", "--key-file", "/run/keys/groq_api_key_2.txt"),
)


@pytest.mark.parametrize("arguments", QUIET)
def test_what_is_no_key_is_shown(arguments: tuple[str, ...], project: Path) -> None:
    done: Done = call(*arguments, cwd=project)
    assert done.returncode == 0, done.stderr
    assert "***" not in done.stdout + done.stderr
    assert "history" not in done.stderr
