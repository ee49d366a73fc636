"""A control group of one's own with a limit of memory, as an engine makes one for a container."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
#: Version 1 of the kernel's control groups, and version 2.
VERSIONS = (
    (ROOT / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.oom_control"),
    (ROOT, "memory.max", "memory.current", "memory.events"),
)


@dataclass(frozen=True)
class Confined:
    """`program` stands before one that is to be inside."""

    folder: Path
    maximum: str
    current: str
    events: str

    @property
    def program(self) -> list[str]:
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs; exec "$@"', "confined"]

    def pids(self) -> set[int]:
        return {int(line) for line in (self.folder / "cgroup.procs").read_text().split()}

    def limit(self, more: int) -> None:
        """To so many bytes more than are in use."""
        used = int((self.folder / self.current).read_text())
        (self.folder / self.maximum).write_text(str(used + more))

    def killed(self) -> int:
        """How many processes the kernel has killed for the limit."""
        lines = (self.folder / self.events).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


@contextmanager
def confined(name: str) -> Iterator[Confined]:
    """Raises OSError where one cannot be made: not by root, or without a hierarchy for memory."""
    base, *files = next(each for each in VERSIONS if (each[0] / "cgroup.procs").exists())
    folder = base / name
    folder.mkdir()
    try:
        yield Confined(folder, *files)
    finally:
        while (folder / "cgroup.procs").read_text():
            time.sleep(0.1)
        folder.rmdir()
