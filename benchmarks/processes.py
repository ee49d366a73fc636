"""What the processes of a measurement take of the machine, and what is taken from them.

Every process that is measured is pinned to one core. A core's other load disturbs only as far as
something waited for it: a program of the lowest priority that runs while ours sleep disturbs no
one. So what counts is the smaller of two times: that for which ours were ready and did not run,
and that for which others had the core; and what the hypervisor took besides.
"""

import ctypes
import os
import platform
import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
SLICE_NANOSECONDS = 100_000
#: Our own processes that run only while no other wants to (`pace`): they are not measured.
IDLING: set[int] = set()
SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}


@dataclass(frozen=True)
class Taken:
    """Of one core, by others: its share, and how long ours waited on average each time that they
    wanted to run, in milliseconds."""

    share: float
    delay: float


@dataclass(frozen=True)
class Usage:
    """Seconds since the machine started. By process: CPU time, waiting and runs of our own, and
    their cores; by core: what everybody used but for those that idle, and what the hypervisor
    took."""

    at: float
    cores: Mapping[int, int]
    used: Mapping[int, float]
    waited: Mapping[int, float]
    runs: Mapping[int, int]
    busy: Mapping[int, float]
    stolen: Mapping[int, float]

    @classmethod
    def now(cls) -> "Usage":
        cores, used, waited, runs = {}, {}, {}, {}
        idled: dict[int, float] = defaultdict(float)
        for pid in below(os.getpid()):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                if pid in IDLING:
                    idled[min(os.sched_getaffinity(pid))] += _seconds(fields)
                    continue
                tasks = list(Path(f"/proc/{pid}/task").iterdir())
                texts = [(task / "schedstat").read_text() for task in tasks]
                cores[pid] = min(os.sched_getaffinity(pid))
            except OSError:  # it has ended
                continue
            counts = [[int(number) for number in text.split()] for text in texts]
            used[pid] = _seconds(fields)
            waited[pid] = sum(wait for _, wait, _ in counts) / 1e9
            runs[pid] = sum(run for _, _, run in counts)
        busy, stolen = {}, {}
        for line in Path("/proc/stat").read_text().splitlines():
            name, *numbers = line.split()
            if name.startswith("cpu") and name != "cpu":
                user, nice, system, _, _, _, _, steal = map(int, numbers[:8])
                core = int(name[3:])
                busy[core] = (user + nice + system) / TICK - idled[core]
                stolen[core] = steal / TICK
        at = float(Path("/proc/uptime").read_text().split()[0])
        return cls(at, cores, used, waited, runs, busy, stolen)

    def spent(self, earlier: "Usage", pids: set[int]) -> float:
        """CPU seconds of these processes since then."""
        return sum(self.used.get(pid, 0.0) - earlier.used.get(pid, 0.0) for pid in pids)

    def shares(self, earlier: "Usage") -> dict[int, float]:
        """How much of each core our own processes used, from 0 to 1."""
        shares: dict[int, float] = defaultdict(float)
        for pid in self.used:
            shares[self.cores[pid]] += self.spent(earlier, {pid}) / (self.at - earlier.at)
        return shares

    def taken(self, earlier: "Usage") -> dict[int, Taken]:
        """What was taken of each core on which our own processes ran."""
        seconds = self.at - earlier.at
        waited: dict[int, float] = defaultdict(float)
        runs: dict[int, int] = defaultdict(int)
        for pid in self.used:
            waited[self.cores[pid]] += self.waited[pid] - earlier.waited.get(pid, 0.0)
            runs[self.cores[pid]] += self.runs[pid] - earlier.runs.get(pid, 0)
        found = {}
        for core, ours in self.shares(earlier).items():
            foreign = self.busy[core] - earlier.busy[core] - ours * seconds
            for_others = max(0.0, min(foreign, waited[core]))
            stolen = self.stolen[core] - earlier.stolen[core]
            found[core] = Taken(
                (for_others + stolen) / seconds,
                1000 * (for_others + stolen) / max(1, runs[core]),
            )
        return found


def _seconds(fields: Sequence[str]) -> float:
    """The CPU time of a process, by its /proc/PID/stat behind the name."""
    return (int(fields[11]) + int(fields[12])) / TICK


def _parents() -> dict[int, int]:
    parents = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents[int(file.parent.name)] = int(fields[1])
    return parents


def has_ended(pid: int) -> bool:
    """Whether a process runs no more, though its parent may not have asked for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def is_engine(pid: int) -> bool:
    """Whether it is Prisma's, which is WebAssembly here in place of the native one."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("node")
    except OSError:  # it has ended
        return False


def children(parent: int) -> set[int]:
    """The processes that this one has started."""
    return {pid for pid, its in _parents().items() if its == parent}


def below(ancestor: int) -> set[int]:
    """This process, those that it has started, and those that they have."""
    parents = _parents()
    found, new = {ancestor}, {ancestor}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new}
        found |= new
    return found


def pin(pid: int, core: int) -> None:
    """To one core, with every thread that it has."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


def preempt() -> None:
    """From now on, what this process starts is not kept waiting for the end of the slice of a
    program of the lowest priority: since Linux 6.12 a shorter slice goes first."""
    number = SCHED_SETATTR.get(platform.machine())
    if number:
        attributes = struct.pack("IIQiIQQQ", 48, 0, 0, os.nice(0), 0, SLICE_NANOSECONDS, 0, 0)
        ctypes.CDLL(None).syscall(number, 0, attributes, 0)  # an older kernel refuses it


def memory(pids: set[int]) -> float:
    """MiB that these processes hold, what they share counted once."""
    kilobytes = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024
