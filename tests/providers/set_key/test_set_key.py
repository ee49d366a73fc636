"""set-key: what is stored, whole or not at all, and where a key never shows."""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from roster import Run
from stored import KEY, mode, names

from nixcfg.keys import store


def test_the_gateways_own_key_can_be_stored(run: Run, project: Path, tmp_path: Path) -> None:
    own = tmp_path / "keys" / "own.txt"
    with (project / "nixcfg.yaml").open("a") as file:
        file.write(f"master_key_file: {own}\n")
    key = b"sk-0123456789abcdef0123456789abcdef"
    assert run("set-key", "LITELLM_MASTER_KEY", given=key).stdout == f"{own}\n"
    assert own.read_bytes() == key


@pytest.mark.parametrize("what", ["groq", "GROQ_API_KEY"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_key_is_stored_alone_and_privately(what: str, end: bytes, run: Run, groq: Path) -> None:
    before = os.umask(0)
    try:
        done = run("set-key", what, given=KEY.encode() + end)
    finally:
        os.umask(before)
    assert done.stdout == f"{groq}\n"
    assert KEY not in done.stdout + done.stderr
    assert groq.read_text() == KEY
    assert (mode(groq), mode(groq.parent)) == (0o600, 0o700)
    assert names(groq.parent) == [groq.name]


def test_a_key_is_replaced_and_a_wide_folder_closed(run: Run, groq: Path) -> None:
    groq.parent.mkdir(mode=0o755)
    groq.write_text("old")
    groq.chmod(0o644)
    run("set-key", "groq", given=KEY.encode())
    assert groq.read_text() == KEY
    assert (mode(groq), mode(groq.parent)) == (0o600, 0o700)
    assert names(groq.parent) == [groq.name]


NO_KEYS = {
    "empty": (b"\n", "is empty"),
    "two lines": (b"gsk_aaaabbbbccccdddd\ngsk_x", "more than one line"),
    "blank": (b"gsk_aaaa bbbb", "a space in it"),
    "tab before": (b"\tgsk_aaaabbbbccccdddd", "a control character"),
    "placeholder": (b"replace-me\n", "placeholder"),
    "brackets": (b"<your-api-key>", "placeholder"),
    "your key": (b"your-groq-api-key", "placeholder"),
    "crosses": (b"sk-xxxxxxxxxxxxxxxxxxxxxxxx", "placeholder"),
    "true": (b"true", "the word true"),
    "sk-1234": (b"sk-1234", "everyone knows"),
    "reference": (b"os.environ/GROQ_API_KEY", "names a key"),
    "variable": (b"GROQ_API_KEY", "names a key"),
    "dollar": (b"${GROQ_API_KEY}", "placeholder"),
    "quotes": (b'"gsk_aaaabbbbccccdddd"', "begins with a quote"),
    "assignment": (b"GROQ_API_KEY=gsk_aaaabbbbccccdddd", "an assignment"),
    "letters": ("gsk_ä".encode() + b"a" * 20, "above 0x7f"),
    "bytes": (b"\xff\xfe\x00", "byte order mark"),
    "zero": (b"gsk_aaaa\0bbbb", "control character"),
    "endless": (b"a1" * 40_000, "longer than"),
}


@pytest.mark.parametrize("name", NO_KEYS)
def test_what_is_no_key_is_not_stored(name: str, run: Run, groq: Path) -> None:
    given, reason = NO_KEYS[name]
    done = run("set-key", "groq", given=given, fails=True)
    assert done.returncode == 1
    assert reason in done.stderr
    text = given.decode(errors="replace").strip()
    assert not text or text not in done.stderr or text in {"GROQ_API_KEY", "true", "sk-1234"}
    assert not groq.exists()


def test_a_doubt_is_told_and_the_key_stored(run: Run, groq: Path) -> None:
    other = "sk-ant-api03-" + "Zm9vYmFy" * 3
    done = run("set-key", "groq", given=other.encode())
    assert "looks like a key for ANTHROPIC_API_KEY" in done.stderr
    assert other not in done.stderr
    assert groq.read_text() == other
    short = run("set-key", "groq", given=b"gsk_a1b2")
    assert "only 8 characters" in short.stderr
    odd = run("set-key", "groq", given=b"Zm9vYmFyYmF6cXV4Zm9v")
    assert "usually looks like gsk_..." in odd.stderr


def test_a_json_document_is_stored_whole(run: Run, tmp_path: Path) -> None:
    run("add-provider", "vertex_ai", "--model", "gemini-2.5-pro")
    document = json.dumps(
        {"type": "service_account", "private_key": "-----BEGIN\nx\n-----END"}, indent=1
    )
    run("set-key", "vertex_ai", given=document.encode())
    stored = tmp_path / "keys" / "google_application_credentials.txt"
    assert json.loads(stored.read_text()) == json.loads(document)
    assert (
        "where a document belongs" in run("set-key", "vertex_ai", given=b"AIza", fails=True).stderr
    )


def test_a_provider_with_several_keys_asks_for_one(run: Run, tmp_path: Path) -> None:
    run("add-provider", "bedrock")
    done = run("set-key", "bedrock", given=b"x", fails=True)
    assert "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY" in done.stderr
    run("set-key", "AWS_ACCESS_KEY_ID", given=b"AKIAIOSFODNN7ABCDEFG")
    assert (tmp_path / "keys" / "aws_access_key_id.txt").exists()


def test_a_failing_write_leaves_the_old_key(
    run: Run, groq: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("set-key", "groq", given=KEY.encode())
    for name in ("write", "fsync", "link"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, _full)
            done = run("set-key", "groq", given=b"gsk_another1another2", fails=True)
        assert "nothing was changed" in done.stderr
        assert groq.read_text() == KEY
        assert names(groq.parent) == [groq.name]


def _full(*_args: object, **_options: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_system_without_nameless_files_will_do(
    run: Run, groq: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.open
    refused = []

    def refuse(path: str, flags: int, *rest: int, **options: int) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            refused.append(path)
            raise OSError(95, "Operation not supported")
        return really(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", refuse)
    for key in (KEY, KEY[::-1]):
        run("set-key", "groq", given=key.encode())
        assert groq.read_text() == key
        assert mode(groq) == 0o600
        assert names(groq.parent) == [groq.name]
    assert len(refused) == 2


@pytest.mark.parametrize("when", ["new", "replaced"])
def test_a_kill_at_any_step_leaves_the_old_key_or_the_new(  # noqa: PLR0917 (fixtures)
    when: str, run: Run, groq: Path, project: Path, program: list[str], tmp_path: Path
) -> None:
    """...and the next set-key takes away what the kill left behind."""
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed here")
    new = "gsk_" + secrets.token_hex(20)
    found = set()
    for call in ("linkat", "rename", "fsync"):
        for number in (1, 2):
            shutil.rmtree(groq.parent, ignore_errors=True)
            if when == "replaced":
                run("set-key", "groq", given=KEY.encode())
            log = tmp_path / "log"
            inject = f"inject={call}:signal=SIGKILL:when={number}"
            done = subprocess.run(
                [strace, "-f", "-qq", "-o", log, "-e", f"trace={call}", "-e", inject, *program,
                 "-C", project, "set-key", "groq"],
                input=new.encode(), capture_output=True, timeout=60, check=False,
            )  # fmt: skip
            if b"ptrace" in done.stderr:
                pytest.skip("strace cannot trace here")
            content = groq.read_text() if groq.exists() else None
            assert content in ((KEY, new) if when == "replaced" else (None, new))
            found.add(content)
            run("set-key", "groq", given=KEY.encode())
            assert names(groq.parent) == [groq.name]
            assert groq.read_text() == KEY
    assert new in found
    assert (KEY if when == "replaced" else None) in found


def test_the_key_is_in_no_process_list_and_no_leftover(
    groq: Path, project: Path, program: list[str], tmp_path: Path
) -> None:
    key = "gsk_" + secrets.token_hex(24)
    seen: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.002):
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        if key.encode() in (process / name).read_bytes():
                            seen.append(f"{process}/{name}")

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        done = subprocess.run(
            [*program, "-C", project, "set-key", "groq"],
            input=key.encode(), capture_output=True, timeout=60, check=False,
            env={**os.environ, "NIXCFG_DEBUG": "1", "HOME": str(tmp_path)},
        )  # fmt: skip
    finally:
        over.set()
        watcher.join()
    assert done.returncode == 0, done.stderr
    assert seen == []
    assert key.encode() not in done.stdout + done.stderr
    holds = [
        path for path in tmp_path.rglob("*") if path.is_file() and key.encode() in path.read_bytes()
    ]
    assert holds == [groq]


def test_no_exception_shows_the_key(groq: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(store.KeyRefusedError) as refused:
        store.cleaned(f"{KEY}\n{KEY}".encode(), "GROQ_API_KEY", "env")
    monkeypatch.setattr(os, "write", _full)
    with pytest.raises(Exception, match="nothing was changed") as failed:
        store.write(groq, KEY.encode(), is_private=True)
    for error in (refused.value, failed.value):
        assert KEY not in repr(error)
        assert error.__cause__ is None or KEY not in repr(error.__cause__)


@pytest.mark.usefixtures("groq")
def test_a_key_is_no_argument(run: Run) -> None:
    done = run("set-key", "groq", KEY, fails=True)
    assert done.returncode == 2
