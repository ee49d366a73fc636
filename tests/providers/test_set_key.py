"""set-key: where a key goes, and where it never shows."""

import contextlib
import json
import os
import secrets
import shutil
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import Done

from nixcfg.keys import store

Run = Callable[..., Done]
KEY = "gsk_" + "Zm9vYmFyYmF6cXV4" * 2


@pytest.fixture
def project(project: Path, tmp_path: Path) -> Path:
    """A project whose keys are kept in a folder of this test's own."""
    file = project / "nixcfg.yaml"
    file.write_text(file.read_text().replace("/etc/nixcfg/secrets", str(tmp_path / "keys")))
    return project


@pytest.fixture
def groq(run: Run, tmp_path: Path) -> Path:
    """Where the key of a provider of the project belongs."""
    run("add-provider", "groq")
    return tmp_path / "keys" / "groq_api_key.txt"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


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


def test_keys_of_other_managers_are_left_to_them(run: Run, project: Path) -> None:
    run("add-provider", "groq", "--key-file", "config.sops.secrets.groq.path")
    assert "kept by sops-nix" in run("set-key", "groq", given=b"x", fails=True).stderr
    assert "did you mean groq?" in run("set-key", "grok", given=b"x", fails=True).stderr
    file = project / "nixcfg.yaml"
    entry = "{ file: /etc/credstore.encrypted/groq, encrypted: true }"
    file.write_text(file.read_text().replace("config.sops.secrets.groq.path", entry))
    assert "systemd-creds encrypt" in run("set-key", "groq", given=b"x", fails=True).stderr
    run("add-provider", "ollama", "--model", "llama3")
    assert "needs no key" in run("set-key", "ollama", given=b"x", fails=True).stderr
    assert "no provider and no secret" in run("set-key", "nosuch", given=b"x", fails=True).stderr


@pytest.fixture
def repository(git: str, tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    subprocess.run([git, "init", "-q", folder], check=True)
    (folder / ".gitignore").write_text("/ignored/\n*.key\n!kept.key\n")
    return folder


@pytest.mark.usefixtures("groq")
def test_a_git_work_tree_must_ignore_the_file(run: Run, repository: Path, git: str) -> None:
    for name in ("key.txt", "new/folder/key.txt", "kept.key"):
        target = repository / name
        done = run("set-key", "groq", "--file", str(target), given=KEY.encode(), fails=True)
        assert "does not ignore it" in done.stderr
        assert not target.exists()
        assert KEY not in done.stderr
    assert not (repository / "new").exists()
    for name in ("ignored/key.txt", "a.key"):
        run("set-key", "groq", "--file", str(repository / name), given=KEY.encode())
        assert (repository / name).read_text() == KEY
    # What is tracked is committed again, whatever .gitignore says.
    tracked = repository / "tracked.key"
    tracked.write_text("old")
    subprocess.run([git, "-C", repository, "add", "-f", tracked], check=True)
    done = run("set-key", "groq", "--file", str(tracked), given=KEY.encode(), fails=True)
    assert "does not ignore it" in done.stderr
    assert tracked.read_text() == "old"
    # A link from outside leads in as well.
    link = repository.parent / "link.txt"
    link.symlink_to(repository / "key.txt")
    assert run("set-key", "groq", "--file", str(link), given=KEY.encode(), fails=True)


@pytest.mark.usefixtures("groq")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a tree to another user")
def test_root_may_ask_about_the_tree_of_a_user(
    run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As through su or doas, which set no SUDO_UID: git by itself refuses a tree of others."""
    monkeypatch.delenv("SUDO_UID", raising=False)
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 1234, 1234)
    target = repository / "ignored" / "key.txt"
    run("set-key", "groq", "--file", str(target), given=KEY.encode())
    assert target.read_text() == KEY
    for target in (repository / "key.txt", repository / "new" / "key.txt"):
        done = run("set-key", "groq", "--file", str(target), given=KEY.encode(), fails=True)
        assert "does not ignore it" in done.stderr


@pytest.mark.usefixtures("groq")
def test_git_runs_no_program_of_the_tree(run: Run, repository: Path, git: str) -> None:
    """The owner of a tree names programs in its configuration; root, who asks, must not run them.

    Two ways that git has, both tried with git 2.39: a file system monitor, and the transport by
    which it fetches the .gitignore that a partial clone lacks.
    """
    ran = repository.parent / "ran"
    hostile = repository.parent / "hostile"
    hostile.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hostile.chmod(0o755)

    def configure(*pairs: tuple[str, str]) -> None:
        for name, value in pairs:
            subprocess.run([git, "-C", repository, "config", name, value], check=True)

    def ask(*, fails: bool) -> str:
        target = str(repository / "ignored" / "key.txt")
        return run("set-key", "groq", "--file", target, given=KEY.encode(), fails=fails).stderr

    configure(("core.fsmonitor", str(hostile)))
    subprocess.run([git, "-C", repository, "check-ignore", "-q", "x"], check=False)
    assert ran.exists(), "git itself would run it"
    ran.unlink()
    ask(fails=False)
    assert not ran.exists()

    configure(("core.fsmonitor", "false"))
    subprocess.run([git, "-C", repository, "add", ".gitignore"], check=True)
    skip = ["update-index", "--skip-worktree", ".gitignore"]
    subprocess.run([git, "-C", repository, *skip], check=True)
    (repository / ".gitignore").unlink()
    for path in (repository / ".git" / "objects").rglob("*"):
        if path.is_file():
            path.unlink()
    configure(
        ("core.repositoryformatversion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", "ssh://nowhere/x"),
        ("core.sshCommand", str(hostile)),
    )
    subprocess.run(
        [git, "-C", repository, "check-ignore", "-q", "x"], check=False, capture_output=True
    )
    assert ran.exists(), "git itself would run it"
    ran.unlink()
    assert "does not ignore it" in ask(fails=True)
    assert not ran.exists()


@pytest.mark.usefixtures("groq")
def test_without_git_a_work_tree_is_refused(
    run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    target = repository / "ignored" / "key.txt"
    done = run("set-key", "groq", "--file", str(target), given=KEY.encode(), fails=True)
    assert "does not ignore it" in done.stderr


@pytest.mark.usefixtures("groq")
def test_the_nix_store_is_refused(run: Run, tmp_path: Path) -> None:
    link = tmp_path / "store-link"
    link.symlink_to("/nix/store/x-keys/groq.txt")
    for target in ("/nix/store/x-keys/groq.txt", str(link)):
        done = run("set-key", "groq", "--file", target, given=KEY.encode(), fails=True)
        assert "Nix store" in done.stderr


@pytest.mark.usefixtures("groq")
def test_a_folder_that_others_write_is_refused(run: Run, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    done = run("set-key", "groq", "--file", str(shared / "k"), given=KEY.encode(), fails=True)
    assert "others can write" in done.stderr
    assert names(shared) == []


@pytest.mark.usefixtures("groq")
def test_what_needs_root_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def access(path: str | Path, kind: int) -> bool:
        return not kind & os.W_OK or "keys" in str(path)

    monkeypatch.setattr(os, "access", access)
    done = run("set-key", "groq", given=KEY.encode(), fails=True)
    assert "needs root: sudo nixcfg -C" in done.stderr
    assert "set-key GROQ_API_KEY" in done.stderr


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


@pytest.mark.parametrize(
    "place", ["secrets.example/groq_api_key.txt", "rendered/key", "providers/key", "nixcfg.yaml"]
)
def test_the_projects_own_folders_are_no_place_for_a_key(
    place: str, run: Run, groq: Path, project: Path
) -> None:
    run("render")
    before = (project / place).read_bytes() if (project / place).exists() else None
    for target in (str(project / place), place):
        done = run("set-key", "groq", "--file", target, given=KEY.encode(), fails=True)
        assert "only its owner can read" in done.stderr or "the project itself" in done.stderr
        assert KEY not in done.stderr
    assert (project / place).read_bytes() == before if before else not (project / place).exists()
    assert not groq.exists()


@pytest.mark.usefixtures("groq")
def test_a_rendered_folder_elsewhere_is_no_place_either(run: Run, tmp_path: Path) -> None:
    run("render", "--out", str(tmp_path / "out"))
    target = tmp_path / "out" / "litellm" / "key.txt"
    done = run("set-key", "groq", "--file", str(target), given=KEY.encode(), fails=True)
    assert "`nixcfg render` writes" in done.stderr
    assert not target.exists()
