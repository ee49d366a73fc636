"""Facts about the machine: programs that know them, and /proc. Every question has a time limit."""

import ipaddress
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SECONDS = 10.0


class UnknownError(Exception):
    """Nobody here can tell; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a program answered."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens on a TCP port. `pid` and `program` are None and "" where only root can tell."""

    address: str
    pid: int | None
    program: str


def is_root() -> bool:
    """Whether nothing on this machine is hidden."""
    return os.geteuid() == 0


def run(program: str, *arguments: str) -> Said:
    """Ask a program. Raises UnknownError where it is absent, or gives no answer in time."""
    found = shutil.which(program)
    if not found:
        raise UnknownError(f"there is no {program} here")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 (fixed commands, no shell)
            [found, *arguments],
            env={**kept, "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise UnknownError(f"{program} gave no answer within {SECONDS:g} s") from None
    except OSError as error:
        raise UnknownError(f"{program} cannot be run: {error.strerror}") from None
    out, err = (each.decode("utf-8", "replace").strip() for each in (done.stdout, done.stderr))
    return Said(done.returncode, out, err)


def unit(name: str) -> dict[str, str]:
    """The properties of a systemd unit. Raises UnknownError."""
    wanted = "LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,ExecStart"
    said = run("systemctl", "show", name, f"--property={wanted}")
    if said.code != 0:
        raise UnknownError(said.err.partition("\n")[0] or "systemctl knows nothing")
    pairs = (line.partition("=") for line in said.out.splitlines())
    return {key: value for key, _, value in pairs}


def journal(name: str, lines: int) -> list[str]:
    """The last lines that a unit wrote. Raises UnknownError."""
    said = run("journalctl", "-u", name, "-n", str(lines), "--no-pager", "-q", "-o", "cat")
    if said.code != 0:
        raise UnknownError(said.err.partition("\n")[0] or "journalctl says nothing")
    return said.out.splitlines()


def work_tree(path: Path) -> Path | None:
    """The git work tree that a path is in."""
    return next((each for each in path.parents if (each / ".git").exists()), None)


def is_tracked(tree: Path, path: Path) -> bool:
    """Whether git has the file in its index. Raises UnknownError."""
    return _git(tree, "ls-files", "--error-unmatch", "--", str(path)).code == 0


def is_ignored(tree: Path, path: Path) -> bool:
    """Whether git would leave the file alone. Raises UnknownError."""
    return _git(tree, "check-ignore", "-q", "--", str(path)).code == 0


def _git(tree: Path, *arguments: str) -> Said:
    # Root asks about the trees of others, which git refuses unless told that it is meant.
    said = run("git", "-c", "safe.directory=*", "-C", str(tree), *arguments)
    if said.code > 1:
        raise UnknownError(said.err.partition("\n")[0] or "git knows nothing")
    return said


def listeners(port: int) -> list[Listener]:
    """Who listens on a TCP port of this machine. Raises UnknownError."""
    sockets = [*_sockets("tcp", port), *_sockets("tcp6", port)]
    owners = _owners({inode for _, inode in sockets}) if sockets else {}
    return [Listener(address, *owners.get(inode, (None, ""))) for address, inode in sockets]


def _sockets(table: str, port: int) -> Iterator[tuple[str, str]]:
    """Address and inode of each listening socket; the layout is that of proc(5), /proc/net/tcp."""
    try:
        lines = Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]
    except FileNotFoundError:
        return
    except OSError as error:
        raise UnknownError(f"/proc/net/{table} cannot be read: {error.strerror}") from None
    for line in lines:
        fields = line.split()
        address, _, number = fields[1].rpartition(":")
        if fields[3] == "0A" and int(number, 16) == port:
            words = (int(address[at : at + 8], 16) for at in range(0, len(address), 8))
            packed = b"".join(struct.pack("=I", word) for word in words)
            yield str(ipaddress.ip_address(packed)), fields[9]


def _owners(inodes: set[str]) -> dict[str, tuple[int, str]]:
    found = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            for handle in (process / "fd").iterdir():
                link = str(handle.readlink())
                inode = link.removeprefix("socket:[").removesuffix("]")
                if inode in inodes:
                    name = (process / "comm").read_text(encoding="utf-8").strip()
                    found[inode] = (int(process.name), name)
        except OSError:
            continue  # gone meanwhile, or somebody else's
    return found
