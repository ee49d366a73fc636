"""What a running gateway takes of the machine: CPU time and memory, by process."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway import Gateway

from nixcfg.gateway import machine

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """CPU seconds since their start, by what a process is part of."""

    litellm: float
    engine: float
    services: float
    ours: float
    machine: float

    @classmethod
    def now(cls, sessions: set[int]) -> "Usage":
        litellm = engine = services = ours = 0.0
        mine = os.getpid()
        parents: dict[int, int] = {}
        found: list[tuple[int, str, int, float]] = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                text = (folder / "stat").read_text()
            except OSError:  # it has ended
                continue
            name = text[text.index("(") + 1 : text.rindex(")")]
            fields = text[text.rindex(")") + 2 :].split()
            pid = int(folder.name)
            parents[pid] = int(fields[1])
            used = (int(fields[11]) + int(fields[12])) / _TICK
            found.append((pid, name, int(fields[3]), used))
        for pid, name, session, used in found:
            if session in sessions:
                if name.startswith("node"):
                    engine += used
                else:
                    litellm += used
            elif pid == mine or (parents[pid] == mine and name.startswith("python")):
                ours += used
            elif _is_below(pid, mine, parents):
                services += used
        first = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
        idle = int(first[3]) + int(first[4])
        busy = (sum(map(int, first)) - idle) / _TICK
        return cls(litellm, engine, services, ours, busy)

    def since(self, earlier: "Usage") -> "Usage":
        return Usage(
            self.litellm - earlier.litellm,
            self.engine - earlier.engine,
            self.services - earlier.services,
            self.ours - earlier.ours,
            self.machine - earlier.machine,
        )


def _is_below(pid: int, ancestor: int, parents: Mapping[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == ancestor:
            return True
    return False


def session_of(running: Gateway) -> int:
    """The session that the instance was started as, with its workers."""
    return os.getsid(next(each.pid for each in machine.listeners(running.port) if each.pid))


def memory_of(sessions: set[int], workers: int) -> float:
    """MiB a worker of what the instances' Python processes hold, what they share counted once:
    with several workers also of the one that only watches them."""
    kilobytes = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) not in sessions:
                continue
            if (folder / "comm").read_text().startswith("node"):
                continue
            lines = (folder / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024 / workers
