"""Bytes to the disk: the one place that writes any, and that waits until they are there."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from nixcfg.problems.problem import WriteError, reason

_BATCH = 32
"""Files that are written before the first of them is waited for: the disk takes them together."""

_NO_NAMELESS = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.EXDEV)
"""What file systems answer that cannot hold a file without a name, or without /proc give it one."""


def beside(
    target: Path, prefix: str, content: bytes, *, mode: int, owner: tuple[int, int] | None = None
) -> Path:
    """Write a content under a name of its own in the target's folder; a rename completes it.

    `owner` is a user and a group. What fails leaves nothing. Raises OSError.
    """
    handle, name = tempfile.mkstemp(prefix=prefix, dir=target.parent)
    try:
        try:
            if owner:
                _give(handle, *owner)
            _fill(handle, content, mode)
        finally:
            os.close(handle)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def nameless(target: Path, content: bytes, *, mode: int) -> bool:
    """Write a file that has no name until it is complete, and no other name than the target's.

    False where the file system cannot do that. Raises OSError, also where the target exists.
    """
    try:
        handle = os.open(target.parent, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, mode)
        try:
            _fill(handle, content, mode)
            folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                # With a folder's handle Python calls linkat, which follows the link to the file.
                source = f"/proc/self/fd/{handle}"
                os.link(source, target.name, src_dir_fd=folder, dst_dir_fd=folder)
            finally:
                os.close(folder)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in _NO_NAMELESS:
            return False
        raise
    return True


def tree(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their paths in a folder, none of which is there. Raises OSError."""
    for parent in {os.path.dirname(path) for path in files}:  # noqa: PTH120 (thousands)
        (folder / parent).mkdir(parents=True, exist_ok=True)
    paths = list(files)
    for start in range(0, len(paths), _BATCH):
        with contextlib.ExitStack() as batch:
            opened = {
                batch.enter_context(open(f"{folder}/{path}", "xb")): path  # noqa: PTH123 (thousands)
                for path in paths[start : start + _BATCH]
            }
            for file, path in opened.items():
                file.write(files[path])
                file.flush()
            for file in opened:
                os.fdatasync(file.fileno())


def _fill(handle: int, content: bytes, mode: int) -> None:
    os.fchmod(handle, mode)  # whatever the umask says
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
    os.fsync(handle)


def _give(handle: int, user: int, group: int) -> None:
    """Keep a user's file theirs under sudo; anyone who is not root can keep the group at most."""
    now = os.fstat(handle)
    with contextlib.suppress(PermissionError):
        if now.st_gid != group:
            os.fchown(handle, -1, group)
        if now.st_uid != user:
            os.fchown(handle, user, -1)


def owner_in(folder: Path) -> tuple[int, int] | None:
    """Whose a new file in a folder should be, where root works in a user's; None for our own.

    Under sudo a user would be left with files in the project that only root can change.
    """
    if os.geteuid() != 0:
        return None
    status = folder.stat()
    return (status.st_uid, status.st_gid) if status.st_uid else None


def give_tree(folder: Path, owner: tuple[int, int] | None) -> None:
    """Make a folder that no one else can enter yet, and all in it, its owner's. Raises OSError.

    The owner may exchange what lies around the folder meanwhile, so no path is followed: each
    step is from an open folder. A file with several names may be someone else's, and stays.
    """
    if owner is None:
        return
    for _, folders, names, handle in os.fwalk(folder, topdown=False):
        for name in names:
            if os.stat(name, dir_fd=handle, follow_symlinks=False).st_nlink == 1:
                os.chown(name, *owner, dir_fd=handle, follow_symlinks=False)
        for name in folders:
            os.chown(name, *owner, dir_fd=handle, follow_symlinks=False)
        os.fchown(handle, *owner)


def refused(error: OSError, path: Path) -> str:
    """Why a path cannot be written, and how it can where it is another user's."""
    try:
        there = next(each for each in (path, *path.parents) if os.path.lexists(each))
        owner = there.lstat().st_uid
    except (OSError, StopIteration):
        return reason(error)
    if not isinstance(error, PermissionError) or owner in (os.geteuid(), 65534):
        return reason(error)
    whose = "root's" if owner == 0 else f"that of user {owner}"
    return f"{reason(error)}, as {there} is {whose} (sudo chown -R $USER {there})"


def sync(folder: Path) -> None:
    """Make what was created, renamed or removed in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """The same for a folder and every folder below it."""
    for parent, _, _ in os.walk(folder):
        sync(Path(parent))


def settle(folder: Path, written: Path) -> None:
    """Sync a folder in which something is in place already. Raises WriteError, which says so."""
    try:
        sync(folder)
    except OSError as error:
        raise WriteError(
            f"{written} is written, but may not survive a power cut: {reason(error)}"
        ) from error


def mode_of(path: Path, otherwise: int) -> int:
    """The permissions of what is there; else `otherwise`, without what the umask takes away."""
    with contextlib.suppress(FileNotFoundError):
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return otherwise & ~mask
