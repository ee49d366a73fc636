"""Facts about the machine: programs that know them, and /proc. Every question has a time limit."""

import ipaddress
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SECONDS = 10.0


class UnknownError(Exception):
    """This machine gives no answer; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a program printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens on a TCP port. `pid` and `program` are None and "" where only root sees them."""

    address: str
    pid: int | None
    program: str


_PLAIN = {
    "LC_ALL": "C.UTF-8",
    "SYSTEMD_PAGER": "",
    "SYSTEMD_COLORS": "0",
    "GIT_ALLOW_PROTOCOL": "none",  # a list of transports, and none has that name
}


def is_root() -> bool:
    """Whether nothing on this machine is hidden."""
    return os.geteuid() == 0


def is_nixos() -> bool:
    """Whether this is a machine that can run the gateway's units."""
    return Path("/etc/NIXOS").exists()


def run(program: str, *arguments: str) -> Output:
    """Ask a program. Raises UnknownError where it is absent, or gives no answer in time."""
    found = shutil.which(program)
    if not found:
        raise UnknownError(f"there is no {program} here")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 (fixed commands, no shell)
            [found, *arguments],
            env={**kept, **_PLAIN},
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
    return Output(done.returncode, out, err)


def unit(name: str) -> dict[str, str]:
    """The properties of a systemd unit. Raises UnknownError."""
    wanted = "LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,ExecStart"
    wanted += ",ActiveEnterTimestamp"
    output = run("systemctl", "show", name, f"--property={wanted}")
    if output.code != 0:
        raise UnknownError(output.err.partition("\n")[0] or "systemctl gives no reason")
    pairs = (line.partition("=") for line in output.out.splitlines())
    return {key: value for key, _, value in pairs}


def journal(name: str, lines: int, form: str = "cat") -> list[str]:
    """The last lines that a unit wrote, in a form of journalctl's -o. Raises UnknownError."""
    output = run("journalctl", "-u", name, "-n", str(lines), "--no-pager", "-q", "-o", form)
    if output.code != 0:
        raise UnknownError(output.err.partition("\n")[0] or "journalctl says nothing")
    return output.out.splitlines()


@dataclass(frozen=True, slots=True)
class WorkTree:
    """The git work tree that a file is in, and what git does with the file.

    `state` is tracked, ignored, untracked, or unknown with the reason.
    """

    root: Path
    state: Literal["tracked", "ignored", "untracked", "unknown"]
    reason: str = ""


def work_tree(path: Path) -> WorkTree | None:
    """What git does with a file, which need not exist yet; None outside of any work tree."""
    real = Path(os.path.realpath(path))
    root = next((each for each in real.parents if (each / ".git").exists()), None)
    if root is None:
        return None
    try:
        if _git(root, "ls-files", "--error-unmatch", "--", str(real)):
            return WorkTree(root, "tracked")
        is_ignored = _git(root, "check-ignore", "-q", "--", str(real))
    except UnknownError as error:
        return WorkTree(root, "unknown", f"{error}")
    return WorkTree(root, "ignored" if is_ignored else "untracked")


@dataclass(frozen=True, slots=True)
class Unknown:
    """How many files below a folder git does not know, and the command that adds them."""

    count: int
    command: str


def tracked_files(folder: Path) -> tuple[str, ...]:
    """The files below a folder that git tracks, relative to it; () outside of any work tree.

    Raises UnknownError.
    """
    real = Path(os.path.realpath(folder))
    if not any((each / ".git").exists() for each in (real, *real.parents)):
        return ()
    output = _git_output(real, "ls-files", "-z")
    return tuple(filter(None, output.out.split("\0")))


def unknown_to_git(folder: Path) -> Unknown | None:
    """What a flake does not see of a folder, as git neither tracks it nor has it in its index.

    None where that is nothing, or where there is no work tree. Raises UnknownError.
    """
    real = Path(os.path.realpath(folder))
    root = next((each for each in (real, *real.parents) if (each / ".git").exists()), None)
    if root is None:
        return None
    output = _git_output(root, "ls-files", "--others", "-z", "--", str(real))
    count = output.out.count("\0")
    force = "--force " * (count > 0 and _git(root, "check-ignore", "-q", "--", str(real)))
    return Unknown(count, f"git add {force}") if count else None


def _git(root: Path, *arguments: str) -> bool:
    """Whether git says yes. Raises UnknownError where it says neither yes nor no."""
    return _git_output(root, *arguments).code == 0


def _git_output(root: Path, *arguments: str) -> Output:
    # Root asks about the trees of users, which git refuses unless safe.directory names them: the
    # configuration of a tree names programs that git runs. None of those may run here, so the
    # monitor is off, and run() forbids every transport to what a partial clone lacks.
    ours = ("-c", "safe.directory=*", "-c", "core.fsmonitor=false")
    output = run("git", *ours, "-C", str(root), *arguments)
    if output.code > 1:
        raise UnknownError(output.err.partition("\n")[0] or "git gives no reason")
    return output


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
            continue  # gone meanwhile, or another user's
    return found
