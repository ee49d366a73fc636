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
        _wait_for_lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _wait_for_lock(handle: int, folder: Path) -> None:
    give_up = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise WriteError(f"another nixcfg is at work in {folder}; try later") from None
            time.sleep(0.02)
        except OSError:
            return  # NFS locks no directories; a rename alone still keeps each result whole
        else:
            return


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
