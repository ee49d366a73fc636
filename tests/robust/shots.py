"""Renders of a changed project, struck at chosen system calls by strace."""

import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

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
