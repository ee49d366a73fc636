"""What `nixcfg test` leaves behind, and what leaves the machine: nothing, however it ends."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tested import HERE, copy, run

pytest.importorskip("litellm", reason="LiteLLM is not installed: pip install 'nixcfg[proxy]'")
pytestmark = pytest.mark.slow

PLANTED = "sk-proj-planted-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c"
WORKERS = 3


def processes(temporary: Path) -> list[str]:
    """The environments of all processes that were started with this TMPDIR."""
    found = []
    for each in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            environment = (each / "environ").read_text(errors="replace")
            if each.name.isdecimal() and str(temporary) in environment:
                found.append(environment)
    return found


@contextlib.contextmanager
def started(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """`nixcfg test`, when its first case is over, with more to come."""
    project = copy("project", tmp_path)
    case = "- {{name: c{0}, request: {{model: claude, prompt: Hi}}, expect: {{status: 200}}}}\n"
    many = "cases:\n" + "".join(case.format(number) for number in range(300))
    (project / "tests" / "many.yaml").write_text(many)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "nixcfg", "-C", str(project), "test", "tests/many.yaml"],
        env={**os.environ, "TMPDIR": str(temporary), "OPENAI_API_KEY": PLANTED},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline().startswith("ok")
        yield child, temporary
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_it_nothing_stays(tmp_path: Path, number: signal.Signals):
    with started(tmp_path) as (child, temporary):
        until = time.monotonic() + 30
        while len(processes(temporary)) < WORKERS:  # itself, LiteLLM and what serves a case
            assert time.monotonic() < until
            time.sleep(0.02)
        child.send_signal(number)
        _, errors = child.communicate(timeout=60)
        assert child.returncode != 0
        assert "Traceback" not in errors
        until = time.monotonic() + 30
        while (processes(temporary) or list(temporary.iterdir())) and time.monotonic() < until:
            time.sleep(0.2)
        assert processes(temporary) == []
        assert list(temporary.iterdir()) == []


def test_litellm_is_given_no_key_of_the_user(tmp_path: Path):
    with started(tmp_path) as (_, temporary):
        of_litellm = [each for each in processes(temporary) if "CONFIG_FILE_PATH=" in each]
    assert of_litellm
    assert all("nixcfg-test-OPENAI_API_KEY" in each for each in of_litellm)
    assert not any(PLANTED in each for each in of_litellm)


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_nothing_leaves_the_machine(tmp_path: Path):
    """All addresses that its processes connect or send to; the configuration names a Redis."""
    trace = tmp_path / "trace"
    calls = "trace=connect,sendto,sendmsg,sendmmsg"
    cases = ["-k", "moderation finds nothing"]
    program = [sys.executable, "-P", "-m", "nixcfg", "-C", str(HERE / "limits"), "test", *cases]
    done = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-qq", "-e", calls, "-o", str(trace), *program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = trace.read_text(errors="replace")
    four = set(re.findall(r'inet_addr\("([^"]+)"\)', seen))
    six = set(re.findall(r'inet_pton\(AF_INET6, "([^"]+)"', seen))
    assert four == {"127.0.0.1"}
    assert six <= {"::1"}


def test_a_project_that_is_not_right_starts_nothing(tmp_path: Path):
    project = copy("project", tmp_path)
    (project / "providers" / "openai.yaml").write_text("model_list: 1\n")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    assert run(project, temporary=temporary).returncode == 1
    assert list(temporary.iterdir()) == []
