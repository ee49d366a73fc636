"""One nixcfg process at a time in a folder, and what a killed one left there."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from nixcfg.problems.problem import WriteError, reason

LOCK_SECONDS = 30.0


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only nixcfg process at work in a folder that exists; waits up to LOCK_SECONDS.

    Raises WriteError.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise WriteError(f"cannot write {folder}: {reason(error)}; nothing was changed") from error
    try:
        if not _took(handle, fcntl.LOCK_EX):
            raise WriteError(f"another nixcfg is at work in {folder}; try later")
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def quiet(folder: Path) -> Iterator[None]:
    """Read a folder while no nixcfg process writes there, so that its files fit each other.

    Readers wait for a writer, and not for each other. A folder that cannot be opened is left to
    the read itself, which says why.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        _took(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def _took(handle: int, kind: int) -> bool:
    """Wait for a lock; whether it came within LOCK_SECONDS."""
    give_up = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                return False
            time.sleep(0.02)
        except OSError:
            return True  # NFS locks no directories; a rename alone still keeps each result whole
        else:
            return True


def clear_leftovers(folder: Path, prefix: str) -> None:
    """Remove what a killed nixcfg left: we hold the lock, so no live process owns these."""
    names = os.listdir(folder) if folder.is_dir() else ()  # noqa: PTH208 (names only)
    for name in names:
        if name.startswith(prefix):
            remove(folder / name)


def remove(path: Path) -> None:
    """Delete a file, or a folder with all in it. What stays of a folder goes with the next run.

    Raises OSError for a file that stays.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)  # of a link, what it points to is none of ours
        return
    with contextlib.suppress(OSError):
        path.chmod(0o700)  # a folder that is read-only, or was made so by a umask, is not emptied
    for parent, folders, _ in os.walk(path):
        for each in (Path(parent) / name for name in folders):
            if not each.is_symlink():
                with contextlib.suppress(OSError):
                    each.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)
