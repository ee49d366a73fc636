"""start.py, by which the container gets its keys without the engine: run as the container does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

START = Path(__file__).parents[2] / "modules/litellm-proxy/start.py"

#: The program that the image would have run: shows its arguments and the variables it got.
PROGRAM = """#!/bin/sh
printf '%s\\n' "$$" "$*" "$FIRST_KEY" "$SECOND_KEY" "$FROM_THE_IMAGE"
"""
KEYS = b'FIRST_KEY=sk-a=b==\nSECOND_KEY=$HOME `id` "x" \\n \xff\n'


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "bin/litellm"
    path.parent.mkdir()
    path.write_text(PROGRAM)
    path.chmod(0o755)
    return path


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", str(START), *arguments],
        env={"PATH": f"{folder}:/usr/bin:/bin", "FROM_THE_IMAGE": "kept"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_becomes_the_program_with_every_key_byte_for_byte(program: Path, tmp_path: Path) -> None:
    keys = tmp_path / "environment"
    keys.write_bytes(KEYS)
    process = start(
        program.parent, str(keys), "/absent/entrypoint.sh:litellm", "--config", "/a b.yaml"
    )
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert said.splitlines() == [
        str(process.pid).encode(),  # the same process, which the engine's signals reach
        b"--config /a b.yaml",
        b"sk-a=b==",
        b'$HOME `id` "x" \\n \xff',
        b"kept",
    ]


def test_the_first_program_that_the_image_has_is_run(program: Path, tmp_path: Path) -> None:
    entrypoint = tmp_path / "entrypoint.sh"
    entrypoint.write_text("#!/bin/sh\necho from the image\n")
    entrypoint.chmod(0o755)
    process = start(program.parent, os.devnull, f"{entrypoint}:litellm")
    assert process.communicate(timeout=30) == (b"from the image\n", b"")


@pytest.mark.parametrize(
    ("file", "programs", "reason"),
    [
        ("/absent", "litellm", b"cannot read /absent: No such file"),
        (os.devnull, "/absent:absent", b"the image has none of /absent, absent"),
    ],
)
def test_says_what_is_missing_in_one_line(
    program: Path, file: str, programs: str, reason: bytes
) -> None:
    process = start(program.parent, file, programs)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, b"")
    assert reason in err
    assert len(err.splitlines()) == 1


def test_a_key_is_never_an_argument(program: Path, tmp_path: Path) -> None:
    program.write_text("#!/bin/sh\necho ready\nexec sleep 30\n")
    keys = tmp_path / "environment"
    keys.write_bytes(KEYS)
    with start(program.parent, str(keys), "litellm") as process:
        assert process.stdout is not None
        process.stdout.readline()
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        process.send_signal(signal.SIGINT)
    assert process.returncode == -signal.SIGINT
    assert b"sk-a" not in arguments
    assert b"FIRST_KEY=sk-a=b==" in environment
