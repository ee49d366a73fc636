"""set-key: where a key may go, and where it is refused."""

import os
import subprocess
from pathlib import Path

import pytest
from roster import Run
from stored import KEY, names


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
