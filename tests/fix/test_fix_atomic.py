"""`nixcfg fix` killed, and failed, at every system call by which it writes.

strace finds those calls in one run, then strikes at each of them in a run of its own. A kill may
come between two files, so each file is old or new, and the next run does the rest; an error of
the system puts back what was already done.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.robust

CALLS = (
    "openat,?open,?creat,mkdirat,?mkdir,?rename,?renameat,renameat2,?unlink,unlinkat,?link,linkat,"
    "write,ftruncate,?chmod,fchmod,fchown,?chown,fsync,fdatasync,close"
)
SECONDS = 60
NAMES = ["claude.yaml", "gemini.yaml", "openai.yaml"]
OLD = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
litellm_settings:
  drop_params: true
  routing_strategy: least-busy  # the one
"""
NEW = OLD.replace("  routing_strategy", "router_settings:\n  routing_strategy")

State = dict[str, bytes]


@dataclass(frozen=True)
class Call:
    """The nth call of its name in the life of the process."""

    name: str
    nth: int
    line: str

    @property
    def errors(self) -> list[str]:
        if self.name in ("openat", "open", "creat"):
            return ["EACCES", "EMFILE", *(["ENOSPC", "EROFS"] if "O_CREAT" in self.line else [])]
        if self.name.startswith(("rename", "link")):
            return ["EACCES", "EROFS", "ENOSPC"]
        if self.name.startswith("unlink"):
            return ["EACCES", "EROFS"]
        return {"write": ["ENOSPC", "EIO"], "fsync": ["EIO", "ENOSPC"]}.get(self.name, [])


def project(folder: Path) -> Path:
    (folder / "providers").mkdir(parents=True)
    (folder / "nixcfg.yaml").write_text("port: 4000\n")
    for name in NAMES:
        (folder / "providers" / name).write_text(OLD)
    return folder


def state(folder: Path) -> State:
    providers = folder / "providers"
    return {path.name: path.read_bytes() for path in providers.iterdir() if path.is_file()}


def fixed(folder: Path, *before: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*before, sys.executable, "-m", "nixcfg", "-C", str(folder), "fix"],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def traced(
    folder: Path, calls: str, *options: str
) -> "tuple[subprocess.CompletedProcess[str], str]":
    log = folder.with_suffix(".strace")
    # Without --seccomp-bpf: with it, strace 6.1 injects no signals.
    strace = ["strace", "-f", "-qq", "-y", "-o", str(log), "-e", f"trace={calls}", *options]
    return fixed(folder, *strace), log.read_text(errors="replace")


@pytest.fixture(scope="session")
def strace(tmp_path_factory: pytest.TempPathFactory) -> None:
    program = shutil.which("strace")
    if not program:
        pytest.skip("strace is not installed here")
    log = tmp_path_factory.mktemp("strace") / "log"
    inject = ["-e", "trace=chdir", "-e", "inject=chdir:error=EMFILE", "-o", str(log)]
    command = [program, "-f", *inject, "sh", "-c", "cd /"]
    subprocess.run(command, capture_output=True, timeout=30, check=False)
    if b"(INJECTED)" not in (log.read_bytes() if log.exists() else b""):
        pytest.skip("strace cannot trace or inject here")


@pytest.fixture
def write_phase(strace: None, tmp_path: Path) -> list[Call]:  # noqa: ARG001
    """The calls on the project's files, from the first that creates one to the end."""
    folder = project(tmp_path / "survey")
    done, log = traced(folder, CALLS)
    assert done.returncode == 0, done.stderr
    assert state(folder) == dict.fromkeys(NAMES, NEW.encode())
    counts: dict[str, int] = {}
    calls: list[Call] = []
    for line in log.splitlines():
        found = re.match(r"\d+ +(\w+)\(.*", line)
        if not found:
            continue
        counts[found[1]] = counts.get(found[1], 0) + 1
        if str(folder) in line and (calls or "O_CREAT" in line):
            calls.append(Call(found[1], counts[found[1]], line.replace(str(folder), "")))
    assert len(calls) > 10, log
    assert [call.name for call in calls].count("fsync") > len(NAMES)
    return calls


def strike(
    runs: list[tuple[Call, str]],
    folder: Path,
    judge: "Callable[[Path, Call, subprocess.CompletedProcess[str]], str]",
) -> list[str]:
    """One run for each blow; all that `judge` has against them."""

    def one(numbered: tuple[int, tuple[Call, str]]) -> str:
        number, (call, blow) = numbered
        here = project(folder / f"run{number}")
        injected = f"inject={call.name}:{blow}:when={call.nth}"
        done, log = traced(here, call.name, "-e", injected)
        if "error" in blow and "(INJECTED)" not in log:
            return f"{blow} at {call.line}: never reached"
        wrong = judge(here, call, done)
        return wrong and f"{blow} at {call.line[:120]}: {wrong}\n{done.stdout}{done.stderr}"

    with ThreadPoolExecutor(2) as pool:
        return [wrong for wrong in pool.map(one, enumerate(runs)) if wrong]


def fixed_by_the_next_run(folder: Path) -> str:
    again = fixed(folder)
    if again.returncode != 0:
        return f"the next run fails: {again.stderr}"
    if state(folder) != dict.fromkeys(NAMES, NEW.encode()):
        return f"after the next run there is {state(folder)}"
    return ""


def test_killed_at_every_call(write_phase: list[Call], tmp_path: Path):
    def judge(folder: Path, _call: Call, done: "subprocess.CompletedProcess[str]") -> str:
        if done.returncode not in (-9, 137):
            return "was not killed"
        found = state(folder)
        torn = [n for n in NAMES if found.get(n) not in (OLD.encode(), NEW.encode())]
        if torn:
            return f"neither old nor new: {torn}"
        all_new = all(found[name] == NEW.encode() for name in NAMES)
        # What a kill leaves beside finished files is hidden, and goes with the next write there.
        hidden = {name for name in found if name.startswith(".")}
        if set(found) - hidden != set(NAMES):
            return f"left in sight: {sorted(set(found))}"
        return "" if all_new else fixed_by_the_next_run(folder)

    assert strike([(call, "signal=KILL") for call in write_phase], tmp_path, judge) == []


def test_every_error_at_every_call(write_phase: list[Call], tmp_path: Path):
    def judge(folder: Path, call: Call, done: "subprocess.CompletedProcess[str]") -> str:
        if "Traceback" in done.stderr or done.returncode not in (0, 1):
            return f"exit code {done.returncode}"
        found = {name: text for name, text in state(folder).items() if not name.startswith(".")}
        everything = {"old": OLD, "new": NEW}
        now = [s for s, text in everything.items() if found == dict.fromkeys(NAMES, text.encode())]
        if now != (["old"] if done.returncode else ["new"]):
            return f"is {now}"
        if done.returncode and "nothing was changed" not in done.stderr:
            return "no message that says so"
        hidden = set(state(folder)) - set(NAMES)
        return f"left: {hidden}" if hidden and not call.name.startswith("unlink") else ""

    runs = [
        (call, f"error={call.errors[number % len(call.errors)]}")
        for number, call in enumerate(write_phase)
        if call.errors
    ]
    assert strike(runs, tmp_path, judge) == []


def test_two_at_once(tmp_path: Path):
    """Both end well, or the later one says that the files have changed under it."""
    for number in range(3):
        folder = project(tmp_path / f"round{number}")
        command = [sys.executable, "-m", "nixcfg", "-C", str(folder), "fix"]
        running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        said = [process.communicate(timeout=SECONDS) for process in running]
        assert [process.returncode for process in running] == [0, 0, 0], said
        assert state(folder) == dict.fromkeys(NAMES, NEW.encode())
        assert sorted("NX201" in out for out, _ in said) == [False, False, True]
