"""Old or new, and whole: `nixcfg render` killed, failed and doubled at every system call it makes.

strace finds the calls of the write phase in one run, then strikes at each of them in a run of its
own: the process is killed before the call, or the call fails with an error of the system. (A kill
before every call is a kill between any two.)
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import pytest
from cli import Cli, Done, Entry, names, snapshot

Snapshot = dict[str, Entry]

#: Calls that change something, and those by which a process gets hold of a file. A name with `?`
#: does not exist on every architecture.
CALLS = (
    "openat,?open,?creat,?mkdir,mkdirat,?rename,?renameat,renameat2,?unlink,unlinkat,?rmdir,"
    "?link,linkat,?symlink,symlinkat,write,pwrite64,writev,ftruncate,fallocate,?chmod,fchmod,"
    "fchmodat,fsync,fdatasync,flock,close,getdents64,copy_file_range,sendfile"
)
CREATES = re.compile(r"O_CREAT|^(mkdir|rename|link|symlink|creat)")
#: The others only look: a kill before one of them is a kill before the next call that changes.
LOOKS = re.compile(r"^(?!.*O_CREAT)(open|close|getdents64|flock)")

#: At most this many runs a test; where there are more calls, they are sampled evenly.
MOST_RUNS = 50

#: Two runs at a time: one waits for the disk while the other computes.
WORKERS = 2


@dataclass(frozen=True)
class Call:
    """The nth call of its name in the life of the process, as strace shows it."""

    name: str
    nth: int
    line: str

    def errors(self) -> list[str]:
        """What the system may answer to such a call."""
        if self.name in ("openat", "open", "creat"):
            by_creating = ["ENOSPC", "EROFS"] if "O_CREAT" in self.line else []
            return ["EACCES", "EMFILE", *by_creating]
        if self.name.startswith("renameat2"):  # EINVAL: a file system that cannot exchange
            return ["EACCES", "EROFS", "ENOSPC", "EINVAL", "ENOSYS"]
        if self.name.startswith(("mkdir", "rename", "link", "symlink")):
            return ["ENOSPC", "EROFS", "EACCES"]
        if self.name.startswith(("unlink", "rmdir", "chmod", "fchmod")):
            return ["EACCES", "EROFS"]
        if self.name in ("write", "pwrite64", "writev", "ftruncate", "fallocate"):
            return ["ENOSPC", "EIO"]
        if self.name == "close" and re.search(r"\.(nix|yaml|json)>", self.line):
            return ["ENOSPC", "EIO"]  # where a file system writes late, and says so late
        return {"fsync": ["EIO", "ENOSPC"], "fdatasync": ["EIO"]}.get(self.name, [])


@dataclass(frozen=True)
class Change:
    """A project whose rendered folder is behind its sources: one output changes, one comes, one
    goes. `old` and `new` are its rendered folder before and after a render that succeeds."""

    project: Path
    old: Snapshot
    new: Snapshot

    def copy(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.project, folder, symlinks=True))


@pytest.fixture(scope="session")
def strace(tmp_path_factory: pytest.TempPathFactory) -> str:
    program = shutil.which("strace")
    if not program:
        pytest.skip("strace is not installed here")
    log = tmp_path_factory.mktemp("strace") / "log"
    inject = ["-e", "trace=chdir", "-e", "inject=chdir:error=EMFILE", "-o", str(log)]
    probe = subprocess.run(
        [program, "-f", *inject, "sh", "-c", "cd /"], capture_output=True, timeout=30, check=False
    )
    if b"(INJECTED)" not in (log.read_bytes() if log.exists() else b""):
        pytest.skip(f"strace cannot trace or inject here: {probe.stderr.decode().strip()}")
    return program


def changed(cli: Cli, template: Path, folder: Path, *, fresh: bool) -> Change:
    project = Path(shutil.copytree(template, folder / "project"))
    if fresh:
        shutil.rmtree(project / "rendered")
    else:
        nixcfg = project / "nixcfg.yaml"
        nixcfg.write_text("port: 4711\n")
        claude = project / "providers" / "claude.yaml"
        claude.write_text(claude.read_text().replace("claude-3-7-sonnet", "renamed", 1))
        (project / "providers" / "gemini.yaml").rename(project / "providers" / "google.yaml")
    copy = shutil.copytree(project, folder / "new")
    done = cli("-C", copy, "render")
    assert done.code == 0, done.said
    old = {} if fresh else snapshot(project / "rendered")
    change = Change(project, old, snapshot(copy / "rendered"))
    assert change.old != change.new
    return change


@pytest.fixture
def shots(cli: Cli, strace: str, tmp_path: Path):
    return lambda change: Range(cli, strace, change, tmp_path)


@pytest.fixture(scope="module")
def change(cli: Cli, rendered_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Change:
    return changed(cli, rendered_project, tmp_path_factory.mktemp("change"), fresh=False)


@pytest.fixture(scope="module")
def first(cli: Cli, rendered_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Change:
    """The very first render of a project."""
    return changed(cli, rendered_project, tmp_path_factory.mktemp("first"), fresh=True)


Judge = Callable[[Path, Call, str, Done], str]


@dataclass(frozen=True)
class Range:
    """Where renders of one change are struck: `folder` takes a copy of the project for each.

    `always` is a further injection of strace, which every run gets.
    """

    cli: Cli
    strace: str
    change: Change
    folder: Path
    always: str = ""

    def traced(self, project: Path, calls: str, *options: str) -> tuple[Done, str]:
        """A render under strace, and what strace saw of it."""
        log = project.with_name(f"{project.name}.strace")
        # Compiled files written on the way would make the calls of one run differ from the next.
        before = ["env", "PYTHONDONTWRITEBYTECODE=1", self.strace, "-f", "-qq", "-y"]
        # Without --seccomp-bpf: with it, strace 6.1 injects no signals.
        if self.always:
            calls += "," + self.always.partition(":")[0]
            before += ["-e", f"inject={self.always}"]
        before += ["-o", str(log), "-e", f"trace={calls}", *options]
        done = self.cli("-C", project, "render", before=before)
        return done, log.read_text(errors="replace")

    def write_phase(self) -> list[Call]:
        """The calls on the project's files, from the first that creates something to the end."""
        project = self.change.copy(self.folder / "survey")
        done, log = self.traced(project, CALLS)
        assert done.code == 0, done.said
        assert snapshot(project / "rendered") == self.change.new
        counts: dict[str, int] = {}
        calls: list[Call] = []
        for line in log.splitlines():
            found = re.match(r"\d+ +((\w+)\(.*)", line)
            if not found:
                continue
            name = found[2]
            counts[name] = counts.get(name, 0) + 1
            if str(project) in line and (calls or CREATES.search(found[1])):
                calls.append(Call(name, counts[name], found[1].replace(str(project), "")))
        assert len(calls) > 20, f"strace saw only {len(calls)} calls of the write phase:\n{log}"
        return calls

    def strike(self, runs: Iterable[tuple[Call, str]], judge: Judge) -> str:
        """One render for each run, struck at its call; all that `judge` has against them."""

        def one(numbered: tuple[int, tuple[Call, str]]) -> str:
            number, (call, blow) = numbered
            project = self.change.copy(self.folder / f"run{number}")
            inject = f"inject={call.name}:{blow}:when={call.nth}"
            done, log = self.traced(project, call.name, "-e", inject)
            place = f"{blow} at {call.name} number {call.nth}, {call.line[:150]}"
            if "error" in blow and "(INJECTED)" not in log:
                return f"{place}: never reached, the render is not deterministic"
            wrong = judge(project, call, blow, done)
            said = f" (exit code {done.code}, said: {done.said[-500:]})"
            return f"{place}: {wrong}{said}" if wrong else ""

        with ThreadPoolExecutor(WORKERS) as pool:
            return "\n".join(filter(None, pool.map(one, enumerate(runs))))

    def state(self, project: Path) -> str:
        """`old`, `new`, or what is wrong with the rendered folder."""
        rendered = project / "rendered"
        found = snapshot(rendered) if rendered.exists() else {}
        if found == self.change.old:
            return "old"
        return "new" if found == self.change.new else f"neither old nor new but {sorted(found)}"

    def mends_itself(self, project: Path) -> str:
        """What is wrong after one more render, undisturbed."""
        if not leftovers(project):
            return ""  # exactly as before any render, or after one
        before = ["env"]
        if self.always:
            before = [self.strace, "-qq", "-o", "/dev/null", "-e", f"inject={self.always}"]
        again = self.cli("-C", project, "render", before=before)
        if again.code != 0:
            return f"the next render fails: {again.said}"
        if self.state(project) != "new":
            return f"after the next render: {self.state(project)}"
        return f"left for ever: {leftovers(project)}" if leftovers(project) else ""


def leftovers(project: Path) -> list[str]:
    return [n for n in names(project) if n not in ("nixcfg.yaml", "providers", "rendered")]


def sample(runs: Sequence[tuple[Call, str]], most: int = MOST_RUNS) -> list[tuple[Call, str]]:
    """Evenly spread over the write phase, first and last included."""
    if len(runs) <= most:
        return list(runs)
    step = (len(runs) - 1) / (most - 1)
    return [runs[round(index * step)] for index in range(most)]


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Puts a line into pytest's own output, also while that of the tests is captured."""
    plugins = request.config.pluginmanager
    reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")

    def write(line: str):
        with capture.global_and_fixture_disabled():
            reporter.write_line(line)

    return write


@pytest.mark.parametrize(("start", "most"), [("change", MOST_RUNS), ("first", MOST_RUNS // 4)])
def test_killed_at_every_call(
    start: str,
    most: int,
    request: pytest.FixtureRequest,
    shots: Callable[[Change], Range],
    tell: Callable[[str], None],
):
    ground = shots(request.getfixturevalue(start))
    calls = ground.write_phase()
    changing = [(call, "signal=KILL") for call in calls if not LOOKS.search(call.line)]
    runs = sample(changing, most)
    tell(f"\nkill, {start}: {len(changing)} calls change something, {len(runs)} runs")

    def judge(project: Path, _call: Call, _blow: str, done: Done) -> str:
        if done.code not in (-9, 137):
            return "was not killed"
        after = ground.state(project)
        return ground.mends_itself(project) if after in ("old", "new") else after

    wrong = ground.strike(runs, judge)
    assert not wrong, wrong


def test_killed_on_a_file_system_that_cannot_exchange(
    change: Change, shots: Callable[[Change], Range], tell: Callable[[str], None]
):
    """There the folder may be missing for a moment, but it is never half, and the next render
    finds its way from wherever the last one was stopped."""
    ground = replace(shots(change), always="renameat2:error=EINVAL")
    calls = ground.write_phase()
    exchange = next(n for n, call in enumerate(calls) if call.name == "renameat2")
    assert [c for c in calls[exchange:] if c.name == "rename"], "no other way was tried"
    changing = [(c, "signal=KILL") for c in calls[exchange + 1 :] if not LOOKS.search(c.line)]
    runs = sample(changing, MOST_RUNS // 4)
    tell(f"\nkill, no exchange: {len(changing)} calls change something, {len(runs)} runs")

    def judge(project: Path, _call: Call, _blow: str, done: Done) -> str:
        if done.code not in (-9, 137):
            return "was not killed"
        after = ground.state(project) if (project / "rendered").exists() else "missing"
        return ground.mends_itself(project) if after in ("old", "new", "missing") else after

    wrong = ground.strike(runs, judge)
    assert not wrong, wrong


def test_every_error_at_every_call(
    change: Change, shots: Callable[[Change], Range], tell: Callable[[str], None]
):
    """A clear message, exit code 1, the old state whole and nothing beside it. Once the new state
    is in place, what fails is the clearing away of the old: then the new one stands, and what
    could not be removed goes with the next render."""
    ground = shots(change)
    calls = ground.write_phase()
    runs = sample(list(each_call_and_each_error(calls)))
    tell(f"\nerrors: {len(calls)} calls in the write phase, {len(runs)} runs")
    exchange = next(n for n, call in enumerate(calls) if is_exchange(call))

    def judge(project: Path, call: Call, _blow: str, done: Done) -> str:
        before_exchange = calls.index(call) <= exchange
        after = ground.state(project)
        if "Traceback" in done.said:
            return "a traceback"
        if done.code not in (0, 1):
            return "another exit code than 1"
        if after != ("old" if done.code == 1 and before_exchange else "new"):
            return after
        if done.code == 1 and f"{project.name}/rendered" not in done.err:
            return "no message that names the folder"
        if after == "new" and "nothing was changed" in done.err:
            return "a message that is not true"
        clearing = call.name.startswith(("unlink", "rmdir"))
        if leftovers(project) and before_exchange and not clearing:
            return f"left over: {leftovers(project)}"
        return ground.mends_itself(project)

    wrong = ground.strike(runs, judge)
    assert not wrong, wrong


def each_call_and_each_error(calls: Iterable[Call]) -> Iterable[tuple[Call, str]]:
    """Every call once, its errors in turn; and every error of a kind of call at least once."""
    turns: dict[tuple[str, ...], Iterator[str]] = {}
    firsts: dict[tuple[str, ...], Call] = {}
    given: set[tuple[tuple[str, ...], str]] = set()
    for call in calls:
        errors = tuple(call.errors())
        if errors:
            firsts.setdefault(errors, call)
            error = next(turns.setdefault(errors, cycle(errors)))
            given.add((errors, error))
            yield call, f"error={error}"
    for errors, call in firsts.items():
        yield from ((call, f"error={e}") for e in errors if (errors, e) not in given)


def is_exchange(call: Call) -> bool:
    """The call that puts the new state in place."""
    return call.name.startswith("rename") and "/rendered" in call.line


def test_interrupted_from_the_keyboard(
    change: Change, shots: Callable[[Change], Range], tell: Callable[[str], None]
):
    """Ctrl-C clears up behind itself, and gives no traceback. Only when it hits the clearing up
    itself may something stay, until the next render."""
    ground = shots(change)
    calls = ground.write_phase()
    runs = sample([(call, "signal=INT") for call in calls], MOST_RUNS // 5)
    tell(f"\ninterrupt: {len(calls)} calls in the write phase, {len(runs)} runs")

    def judge(project: Path, _call: Call, _blow: str, done: Done) -> str:
        after = ground.state(project)
        if "Traceback" in done.said:
            return "a traceback"
        if after != "new" and (after != "old" or done.code == 0):
            return after
        if leftovers(project) and after == "old":
            return f"left over: {leftovers(project)}"
        return ground.mends_itself(project)

    wrong = ground.strike(runs, judge)
    assert not wrong, wrong


def test_everything_is_on_the_disk_before_it_is_put_in_place(
    change: Change, shots: Callable[[Change], Range]
):
    """After a power cut the new folder must not hold empty files: each file and each folder that
    was made is synced before the exchange, and the parent after it."""
    calls = shots(change).write_phase()
    exchange = next(n for n, call in enumerate(calls) if is_exchange(call))

    def synced(part: Sequence[Call]) -> set[str]:
        lines = [call.line for call in part if call.name in ("fsync", "fdatasync")]
        return {found[1] for line in lines if (found := re.search(r"<(.*)>\)", line))}

    before = synced(calls[:exchange])
    stages = {str(Path(path).parent) for path in before if path.endswith("/docker.nix")}
    assert len(stages) == 1, f"docker.nix was not synced: {before}"
    (stage,) = stages
    made = {stage, *(f"{stage}/{path}" for path in change.new)}
    assert not made - before
    assert "" in synced(calls[exchange:]), "the project folder was not synced after the exchange"


def test_nothing_is_written_when_nothing_changed(
    change: Change, project: Path, shots: Callable[[Change], Range]
):
    done, log = shots(change).traced(project, CALLS)
    assert done.code == 0, done.said
    touched = [line.split(maxsplit=1)[1] for line in log.splitlines() if str(project) in line]
    assert touched, "strace saw nothing of the project"
    done_to_it = [line for line in touched if " = -1 " not in line]
    assert [line for line in done_to_it if CREATES.search(line)] == []


FILL = "dd if=/dev/zero of=$1/filler bs=1k status=none || true"

SMALL_DISK = """\
set -e
mount -t tmpfs -o size=512k,nr_inodes={inodes} none "$1"
cp -a "$2/." "$1"
{full}
shift 2
"$@" && code=0 || code=$?
cp -a "{project}" "{result}"
exit $code
"""


@pytest.mark.parametrize(
    ("full", "inodes"),
    [
        pytest.param(FILL, 1000, id="no_space"),
        pytest.param(f"{FILL}; truncate -s -12K $1/filler", 1000, id="little_space"),
        pytest.param("i=0; while true > $1/filler$i; do i=$((i+1)); done", 100, id="no_inodes"),
        pytest.param("mount -o remount,ro $1", 1000, id="read_only"),
    ],
)
def test_a_real_disk_that_is_full_or_read_only(
    full: str, inodes: int, cli: Cli, change: Change, tmp_path: Path
):
    unshare = ["unshare", "--mount", "--map-root-user"]
    probe = [*unshare, "mount", "-t", "tmpfs", "none", str(tmp_path)]
    if (
        not shutil.which("unshare")
        or subprocess.run(probe, capture_output=True, check=False).returncode
    ):
        pytest.skip("no mount namespaces here for a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = SMALL_DISK.format(full=full, inodes=inodes, project=disk, result=tmp_path / "result")
    done = cli(
        "-C",
        disk,
        "render",
        before=[*unshare, "sh", "-c", script, "sh", str(disk), str(change.project)],
    )
    result = tmp_path / "result"
    assert done.code == 1, done.said
    assert "Traceback" not in done.said
    assert str(disk.name) in done.err
    assert snapshot(result / "rendered") == change.old
    assert [name for name in leftovers(result) if not name.startswith("filler")] == []


@pytest.mark.parametrize(("together", "rounds"), [(2, 6), (5, 1)])
def test_renders_at_once(together: int, rounds: int, cli: Cli, change: Change, tmp_path: Path):
    for number in range(rounds):
        project = change.copy(tmp_path / f"round{number}")
        line = cli.line("-C", project, "render")
        running = [
            subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(together)
        ]
        try:
            said = [process.communicate(timeout=30) for process in running]
        finally:
            for process in running:
                process.kill()
        assert [process.returncode for process in running] == [0] * together, said
        assert snapshot(project / "rendered") == change.new
        assert leftovers(project) == []


def test_a_link_in_place_of_a_leftover_is_not_followed(
    change: Change, shots: Callable[[Change], Range], cli: Cli, tmp_path: Path
):
    """What a killed run left is cleared away; a link of that name, in a project from somewhere
    else, leads to folders that must stay as they are."""
    ground = shots(change)
    project = change.copy(tmp_path / "project")
    done, _ = ground.traced(project, "fsync", "-e", "inject=fsync:signal=KILL:when=1")
    (leftover,) = leftovers(project)
    shutil.rmtree(project / leftover)
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "folder" / "file").write_text("somebody else's\n")
    before = snapshot(tmp_path / "outside"), outside.stat().st_mode
    (project / leftover).symlink_to(outside)
    done = cli("-C", project, "render")
    assert done.code in (0, 1), done.said
    assert (snapshot(tmp_path / "outside"), outside.stat().st_mode) == before


def test_a_link_in_the_output_is_not_followed(cli: Cli, change: Change, tmp_path: Path):
    project = change.copy(tmp_path / "project")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "claude.yaml").write_text("somebody else's\n")
    shutil.rmtree(project / "rendered" / "litellm")
    (project / "rendered" / "litellm").symlink_to(outside)
    (project / "rendered" / "docker.nix").unlink()
    (project / "rendered" / "docker.nix").symlink_to(outside / "docker.nix")
    for force in ([], ["--force"]):
        done = cli("-C", project, "render", *force)
        assert "Traceback" not in done.said
        assert snapshot(outside) == {"claude.yaml": ("-rw-r--r--", b"somebody else's\n")}
    assert done.code == 0, done.said
    assert snapshot(project / "rendered") == change.new
