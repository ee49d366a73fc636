"""The real command line as a child process under hard limits, and folders as values."""

import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

#: Bounds for one command, hit as MemoryError or SIGXCPU: private memory in KiB (the interpreter
#: with its libraries takes about 40 MB), processor seconds. Idle waiting is bounded in `Cli`.
MEMORY_KIB = 200 * 1024
CPU_SECONDS = 10
WALL_SECONDS = 30

LIMITED = ["sh", "-c", 'ulimit -d "$1" && ulimit -t "$2" && shift 2 && exec "$@"', "sh"]


@dataclass(frozen=True)
class Done:
    """How a command ended; `code` is negative for a signal."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


class Cli:
    """`nixcfg` as it is installed ($NIXCFG, words as in a shell) or in this interpreter."""

    def __init__(self) -> None:
        self.command = shlex.split(os.environ.get("NIXCFG", "")) or [
            sys.executable,
            "-P",
            "-m",
            "nixcfg",
        ]

    def line(self, *arguments: str | Path, before: Sequence[str] = ()) -> list[str]:
        """The whole command line, limits included; `before` runs it, as `strace` does."""
        limits = [*LIMITED, str(MEMORY_KIB), str(CPU_SECONDS)]
        return [*before, *limits, *self.command, *map(str, arguments)]

    def __call__(
        self,
        *arguments: str | Path,
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        stdout: int = subprocess.PIPE,
    ) -> Done:
        """Run it to its end. Raises TimeoutExpired when it takes longer than WALL_SECONDS."""
        done = subprocess.run(
            self.line(*arguments, before=before),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=None if environment is None else {"PATH": os.defpath, **environment},
            timeout=WALL_SECONDS,
            check=False,
        )
        return Done(
            done.returncode,
            (done.stdout or b"").decode(errors="replace"),
            done.stderr.decode(errors="replace"),
        )

    def each(
        self,
        *commands: Sequence[str | Path],
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> list[Done]:
        """Several commands, two at a time: most of what these tests cost is starting programs."""
        with ThreadPoolExecutor(2) as pool:
            return list(
                pool.map(lambda line: self(*line, before=before, environment=environment), commands)
            )


#: A file's kind and permissions, and its content or the target of the link.
Entry = tuple[str, bytes]


def snapshot(folder: Path) -> dict[str, Entry]:
    """Everything under a folder by its path in it: what "byte-identical" means in these tests."""
    found: dict[str, Entry] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            content = os.fsencode(path.readlink())
        elif stat.S_ISREG(mode):
            content = path.read_bytes()
        else:
            content = b""
        found[str(path.relative_to(folder))] = (stat.filemode(mode), content)
    return found


def names(folder: Path) -> list[str]:
    """What stands directly in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def refused(done: Done, code: int = 1, most: int = 50_000):
    """What holds for every refusal, whatever was wrong; `most` characters are said about it."""
    assert done.code == code, (done.code, done.said[-2000:])
    assert "Traceback" not in done.said
    assert len(done.said) < most, "no one reads that much"
    assert done.err.strip(), "a refusal has a reason"


def change(project: Path):
    provider = project / "providers" / "claude.yaml"
    provider.write_text(provider.read_text().replace("claude-3-7-sonnet", "claude", 1))
