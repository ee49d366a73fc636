"""Keeps a core awake, and notes how fast it is, by a piece of work that is always the same.

A core that has nothing to do is halted, and a virtual one may then be half as fast for a while
after it is woken; and it may share its processor with another machine. No counter of the kernel
shows either. So a process of the lowest priority works all the time that no other wants, and notes
how much CPU time a piece of its work takes. What LiteLLM takes grows by the same factor (measured:
divided by it, its CPU time a request spreads by 6 % of its mean instead of 11 %).
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import processes

#: Between two notes.
EVERY_SECONDS = 0.02


@dataclass(frozen=True)
class Pace:
    """What has been noted: a file of the time since the machine started, and the CPU time of one
    piece of work, in a line each."""

    notes: Path

    def factor(self, begin: float, end: float) -> float:
        """How many times as long as the fastest a piece of work took on average, between two times
        since the machine started."""
        whole = self.notes.read_text().rpartition("\n")[0]
        rows = [tuple(map(float, row.split())) for row in whole.splitlines()]
        within = [took for at, took in rows if begin <= at < end]
        return statistics.fmean(within) / min(took for _, took in rows) if within else 1.0


@contextmanager
def pace(core: int) -> Iterator[Pace]:
    with TemporaryDirectory(prefix="nixcfg-pace-") as folder:
        notes = Path(folder, "notes")
        command = ["setpriv", "--pdeathsig", "KILL", "taskset", "--cpu-list", str(core)]
        process = subprocess.Popen([*command, sys.executable, __file__, notes])  # noqa: S603
        processes.IDLING.add(process.pid)
        try:
            while not notes.exists() or not notes.stat().st_size:
                time.sleep(0.05)
            yield Pace(notes)
        finally:
            process.kill()
            process.wait()
            processes.IDLING.discard(process.pid)


def _work() -> float:
    """CPU seconds."""
    began = time.thread_time()
    table = {}
    for number in range(6000):
        table[number % 977] = str(number)
    return time.thread_time() - began


def _note(notes: Path) -> None:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    # The fastest of many first, so that there is something to compare with.
    took, noted = min(_work() for _ in range(300)), 0.0
    with notes.open("w", buffering=1) as file:
        while True:
            now = time.clock_gettime(time.CLOCK_BOOTTIME)
            if now - noted >= EVERY_SECONDS:
                file.write(f"{now} {took}\n")
                noted = now
            took = _work()


if __name__ == "__main__":
    _note(Path(sys.argv[1]))
