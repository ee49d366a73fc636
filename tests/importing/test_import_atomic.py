"""Old or new, and whole: `nixcfg import` killed, and failing, at the system calls that it makes.

strace finds the calls that change something in one run, then strikes at each of a sample of them
in a run of its own.
"""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parent / "sources" / "original" / "configs" / "claude.yaml"
CALLS = "openat,?mkdir,?rename,?link,linkat,?unlink,unlinkat,?rmdir,write,?chmod,fsync"
CHANGES = re.compile(r"O_CREAT|^(mkdir|rename|link|unlink|rmdir|write|chmod|fsync)")
MOST_RUNS = 8


@pytest.fixture(scope="module")
def strace(tmp_path_factory: pytest.TempPathFactory) -> str:
    program = shutil.which("strace")
    if not program:
        pytest.skip("strace is not installed here")
    log = tmp_path_factory.mktemp("strace") / "log"
    probe = ["-f", "-e", "trace=chdir", "-e", "inject=chdir:error=EMFILE", "-o", str(log)]
    done = subprocess.run(
        [program, *probe, "sh", "-c", "cd /"], capture_output=True, timeout=30, check=False
    )
    if b"(INJECTED)" not in (log.read_bytes() if log.exists() else b""):
        pytest.skip(f"strace cannot trace or inject here: {done.stderr.decode().strip()}")
    return program


def run(folder: Path, *before: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "nixcfg", "import", str(SOURCE), "--out"]
    return subprocess.run(
        [*before, *command, str(folder / "a" / "gateway")],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def prepare(folder: Path, kind: str) -> Path:
    folder.mkdir()
    if kind == "there":
        (folder / "a" / "gateway").mkdir(parents=True)
        (folder / "a" / "gateway" / "README").write_text("mine\n")
    return folder


def found(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def visible(files: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if ".nixcfg-" not in path}


def survey(strace: str, folder: Path, kind: str) -> tuple[list[tuple[str, int]], dict[str, str]]:
    """The calls that change something, by name and number, and what they make."""
    prepare(folder, kind)
    log = folder.with_suffix(".log")
    done = run(folder, strace, "-f", "-qq", "-y", "-o", str(log), "-e", f"trace={CALLS}")
    assert done.returncode == 0, done.stderr
    counts: dict[str, int] = {}
    calls = []
    for line in log.read_text(errors="replace").splitlines():
        call = re.match(r"\d+ +((\w+)\(.*)", line)
        if call:
            counts[call[2]] = counts.get(call[2], 0) + 1
            if str(folder) in line and CHANGES.search(call[1]):
                calls.append((call[2], counts[call[2]]))
    assert len(calls) > 20, log.read_text()[-3000:]
    return calls, found(folder)


@pytest.mark.parametrize("kind", ["new", "there"])
@pytest.mark.parametrize("blow", ["signal=KILL", "error=ENOSPC"])
def test_struck_at_every_step(blow: str, kind: str, strace: str, tmp_path: Path):
    calls, new = survey(strace, tmp_path / "survey", kind)
    if blow.startswith("error"):
        calls = [call for call in calls if call[0].startswith(("openat", "mkdir", "link", "write"))]
    step = -(-len(calls) // MOST_RUNS)
    old = found(prepare(tmp_path / "old", kind))

    def strike(numbered: tuple[int, tuple[str, int]]) -> str:
        number, (name, nth) = numbered
        folder = prepare(tmp_path / f"run{number}", kind)
        log = folder.with_suffix(".log")
        inject = ["-e", f"trace={name}", "-e", f"inject={name}:{blow}:when={nth}"]
        done = run(folder, strace, "-f", "-qq", "-o", str(log), *inject)
        after = found(folder)
        place = f"{blow} at {name} number {nth}: "
        if "Traceback" in done.stderr:
            return place + done.stderr[-500:]
        if blow.startswith("error"):
            if done.returncode not in (0, 1):
                return place + f"exit code {done.returncode}"
            return "" if after == (new if done.returncode == 0 else old) else place + str(after)
        if done.returncode not in (-9, 137):
            return place + "was not killed"
        is_project = "a/gateway/nixcfg.yaml" in after
        if is_project and visible(after) != new:
            return place + f"a project that is not whole: {sorted(after)}"
        if kind == "new" and visible(after) not in (old, new):
            return place + f"neither old nor new: {sorted(after)}"
        again = run(folder)
        if again.returncode or visible(found(folder)) != new:
            return place + f"the same again does not repair it: {again.stderr[-300:]}"
        left = found(folder).keys() - new.keys()
        return place + f"left for ever: {left}" if left else ""

    with ThreadPoolExecutor(2) as pool:
        wrong = [each for each in pool.map(strike, enumerate(calls[::step])) if each]
    assert not wrong, "\n".join(wrong)


def test_everything_is_on_the_disk_before_it_appears(strace: str, tmp_path: Path):
    """After a power cut a new project must not hold empty files."""
    folder, log = prepare(tmp_path / "new", "new"), tmp_path / "log"
    calls = "?rename,?renameat,renameat2,fsync,fdatasync"
    done = run(folder, strace, "-f", "-qq", "-y", "-o", str(log), "-e", f"trace={calls}")
    assert done.returncode == 0, done.stderr
    lines = log.read_text(errors="replace").splitlines()
    (appears,) = [n for n, line in enumerate(lines) if "rename" in line and str(folder) in line]
    stage = re.search(r'"(\S+/\.nixcfg-create-\w+)"', lines[appears])
    assert stage

    def synced(part: list[str]) -> set[str]:
        calls = (line for line in part if "sync(" in line)
        return {found[1] for line in calls if (found := re.search(r"<(.*)>\)", line))}

    made = {path.relative_to(folder / "a") for path in (folder / "a").rglob("*")}
    assert {f"{stage[1]}/{path}" for path in made} | {stage[1]} <= synced(lines[:appears])
    assert str(folder) in synced(lines[appears:])
