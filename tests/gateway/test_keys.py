"""Key files are read as the service reads them (tests/keys has what is refused)."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from day import is_running

from nixcfg.gateway import cleanup, process
from nixcfg.keys import read
from nixcfg.project import wiring
from nixcfg.project.wiring import KeyFile


def test_the_names_are_those_of_the_module():
    from nixcfg.disk.shipped import module_texts

    module = "".join(module_texts().values())
    assert f'missingKey = "{wiring.MISSING_KEY}";' in module
    assert f'STAND_IN = b"{wiring.MISSING_KEY}"' in module
    assert f'configFile = "{wiring.CONTAINER_CONFIG}";' in module


def test_an_encrypted_key(tmp_path: Path):
    program = shutil.which("systemd-creds")
    if not program:
        pytest.skip("there is no systemd-creds here")
    file = tmp_path / "key"
    command = [program, "encrypt", "--with-key=host", "--name=X_API_KEY", "-", file]
    done = subprocess.run(command, input=b"sk-secret", capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        pytest.skip(f"systemd-creds cannot encrypt here: {done.stderr.decode()}")
    assert read.content(KeyFile("X_API_KEY", str(file), encrypted=True)) == b"sk-secret"
    with pytest.raises(read.KeyForbiddenError, match="cannot decrypt it for you"):
        read.content(KeyFile("Y_API_KEY", str(file), encrypted=True))


def test_a_document_in_memory_is_a_file_for_the_child():
    content = b'{"type": "service_account"}\n'
    with process._documents({"ACCOUNT": content}) as (paths, handles):
        command = [sys.executable, "-c", f"print(open({paths['ACCOUNT']!r}).read(), end='')"]
        for _ in range(2):  # each opening starts at the beginning
            done = subprocess.run(command, pass_fds=handles, capture_output=True, check=True)
            assert done.stdout == content


def test_the_cleanup_ends_a_group_and_removes_the_folder(tmp_path: Path):
    """What LiteLLM has started is in its group, and does not go by itself when LiteLLM goes."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "config.yaml").touch()
    command = ["sh", "-c", "sleep 600 & echo $!; wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as group:
        assert group.stdout is not None
        grandchild = int(group.stdout.readline())
        watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", cleanup.__file__, folder], stdin=subprocess.PIPE
        )
        assert watcher.stdin is not None
        watcher.stdin.write(f"{group.pid}\n".encode())
        watcher.stdin.flush()
        time.sleep(0.3)
        assert is_running(grandchild)
        watcher.stdin.close()  # as when nixcfg is killed
        assert watcher.wait(20) == 0
        group.wait(20)
    give_up = time.monotonic() + 20
    while is_running(grandchild) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert not is_running(grandchild)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("put", "kind", "error", "told"),
    [
        (lambda file: file.parent, "env", read.KeyMissingError, "is missing"),
        (lambda file: file.mkdir(), "env", read.KeyUnusableError, "is a folder"),
        (lambda file: file.symlink_to(file.name), "env", read.KeyUnusableError, "cannot be read"),
        (lambda file: file.write_bytes(b""), "file", read.KeyUnusableError, "is empty"),
        (
            lambda file: file.write_text("replace-me\n"),
            "file",
            read.KeyUnusableError,
            "still holds a placeholder",
        ),
    ],
)
def test_a_file_that_holds_no_key(
    put: Callable[[Path], object], kind: str, error: type[Exception], told: str, tmp_path: Path
):
    file = tmp_path / "key"
    put(file)
    with pytest.raises(error, match=told):
        read.content(KeyFile("X_API_KEY", str(file), kind=kind))


def test_a_document_is_kept_as_it_is(tmp_path: Path):
    file = tmp_path / "key"
    file.write_bytes(b'{"a": 1}\n\n')
    assert read.content(KeyFile("X", str(file), kind="file")) == b'{"a": 1}\n\n'


def test_an_encrypted_key_where_nobody_can_decrypt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "key"
    file.write_bytes(b"x")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(read.KeyUnusableError, match="there is no systemd-creds here"):
        read.content(KeyFile("X_API_KEY", str(file), encrypted=True))
