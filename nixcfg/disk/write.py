"""Put rendered files on disk: all of them or none, and never over a hand edit.

The output folder is replaced as a whole. A complete new folder is built beside it and changes
places with it in one system call (renameat2 with RENAME_EXCHANGE), so that nobody, not even
after a power cut, sees half of it. `manifest.json` in the folder says what nixcfg wrote there:
that is how a hand edit is told from an old rendering, and a stale file from somebody else's.
"""

import contextlib
import errno
import fcntl
import hashlib
import io
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nixcfg.problems.problem import WriteError, reason

MANIFEST = "manifest.json"
LOCK_SECONDS = 30.0
_BATCH = 32
"""Files that are written before the first of them is waited for: the disk takes them together."""

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One file that would be created (`old` is None), updated, or removed (`new` is None)."""

    path: str
    old: bytes | None
    new: bytes | None

    @property
    def verb(self) -> str:
        if self.old is None:
            return "create"
        return "remove" if self.new is None else "update"


@dataclass(frozen=True, slots=True)
class Plan:
    """What writing would do. `edited` are files in the way that nixcfg did not leave like that."""

    folder: Path
    files: Mapping[str, bytes]
    changes: tuple[Change, ...]
    edited: tuple[str, ...]
    foreign: tuple[str, ...]


def plan(folder: Path, rendered: Mapping[str, bytes]) -> Plan:
    """Compare what is rendered (by path in the folder) with what is on disk. Raises WriteError."""
    files = {path: rendered[path] for path in sorted(rendered)}
    files[MANIFEST] = _manifest(files)
    changes = []
    edited = []
    try:
        present = _present(folder)
        written = _written(_content(folder / MANIFEST) if MANIFEST in present else None)
        ours = {*files, *written}
        for path in sorted(ours):
            old, new = _content(folder / path) if path in present else None, files.get(path)
            if old == new:
                continue
            if old is not None and path != MANIFEST and written.get(path) != _digest(old):
                edited.append(path)
            changes.append(Change(path, old, new))
    except OSError as error:
        raise _failed(folder, error) from error
    foreign = sorted(present - ours)
    # A link or a file where a folder of ours belongs cannot be kept beside what goes in there.
    in_the_way = {path for path in foreign if any(name.startswith(f"{path}/") for name in files)}
    # In a folder that is not ours nothing is carried over without a word from the user.
    edited += foreign if not written else sorted(in_the_way)
    carried = tuple(path for path in foreign if path not in in_the_way)
    return Plan(folder, files, tuple(changes), tuple(edited), carried)


def diff(plan: Plan) -> str:
    """The changes as unified diffs, as `git diff` shows them."""
    return "".join(
        unified(f"{plan.folder.name}/{change.path}", change.old, change.new)
        for change in plan.changes
    )


def unified(name: str, old: bytes | None, new: bytes | None) -> str:
    """One file's change as a unified diff; None where there is no file."""
    from difflib import unified_diff

    names = "/dev/null" if old is None else f"a/{name}", "/dev/null" if new is None else f"b/{name}"
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in unified_diff(_lines(old), _lines(new), *names)
    )


def apply(plan: Plan) -> None:
    """Make the folder what the plan says. Call it with the lock held. Raises WriteError."""
    if not plan.changes:
        return
    folder = plan.folder
    stage = None
    try:
        stage = Path(tempfile.mkdtemp(prefix=_stage_prefix(folder), dir=folder.parent))
        _fill(stage, plan)
        _put_in_place(stage, folder)
        stage = stage if stage.exists() else None
    except OSError as error:
        raise _failed(folder, error) from error
    finally:
        if stage is not None:
            _remove(stage)
    settle(folder.parent, folder)


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep other nixcfg processes from writing beside us, and clear what a killed one left.

    Waits up to LOCK_SECONDS for the other one. Raises WriteError.
    """
    if folder.is_symlink():
        raise WriteError(f"{folder} is a symlink; name the folder that it points to with --out")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _failed(folder, error) from error
    with locked(folder.parent):
        try:
            _clear_leftovers(folder)
        except OSError as error:
            raise _failed(folder, error) from error
        yield


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only nixcfg process at work in a folder that exists; waits up to LOCK_SECONDS.

    Raises WriteError.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _failed(folder, error) from error
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
            return  # NFS locks no directories; the exchange alone still keeps the result whole
        else:
            return


def _clear_leftovers(folder: Path) -> None:
    previous = folder.parent / _previous_name(folder)
    if previous.is_dir() and not previous.is_symlink() and not os.path.lexists(folder):
        previous.rename(folder)  # a kill between the two renames of the fallback
    else:
        _remove(previous)  # a kill after them
    for entry in os.listdir(folder.parent):  # noqa: PTH208 (names only)
        if entry.startswith(_stage_prefix(folder)):
            _remove(folder.parent / entry)


def _fill(stage: Path, plan: Plan) -> None:
    if plan.folder.exists() and not os.access(plan.folder, os.W_OK):
        # Replacing the folder would work all the same, but somebody has said that it stays.
        raise PermissionError(errno.EACCES, "the folder is read-only")
    mode = stat.S_IMODE(plan.folder.stat().st_mode) if plan.folder.exists() else 0o777 & ~umask()
    for folder in {os.path.dirname(path) for path in plan.files}:  # noqa: PTH120 (thousands)
        (stage / folder).mkdir(parents=True, exist_ok=True)
    paths = list(plan.files)
    for start in range(0, len(paths), _BATCH):
        with contextlib.ExitStack() as batch:
            opened = {
                batch.enter_context(open(f"{stage}/{path}", "xb")): path  # noqa: PTH123 (thousands)
                for path in paths[start : start + _BATCH]
            }
            for file, path in opened.items():
                file.write(plan.files[path])
                file.flush()
            for file in opened:
                os.fdatasync(file.fileno())
    for path in plan.foreign:
        target = stage / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _carry_over(plan.folder / path, target)
    for parent, _, _ in os.walk(stage):
        sync(Path(parent))
    stage.chmod(mode)


def _remove(folder: Path) -> None:
    """Delete what was swapped out, or never put in place; what stays goes with the next run."""
    if folder.is_symlink():  # somebody put it there; what it points to is none of ours
        folder.unlink(missing_ok=True)
        return
    with contextlib.suppress(OSError):
        folder.chmod(0o700)  # a folder that is read-only, or was made so by a umask, is not emptied
    for parent, folders, _ in os.walk(folder):
        for each in (Path(parent) / name for name in folders):
            if not each.is_symlink():
                with contextlib.suppress(OSError):
                    each.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _carry_over(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _put_in_place(stage: Path, folder: Path) -> None:
    if not folder.exists():
        stage.rename(folder)
    elif not _exchange(stage, folder):
        # Two renames, for file systems without exchange (NFS): a kill between them leaves the
        # old folder under its other name, where the next run finds it.
        previous = folder.parent / _previous_name(folder)
        folder.rename(previous)
        try:
            stage.rename(folder)
        except OSError:
            previous.rename(folder)
            raise
        _remove(previous)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where the system cannot."""
    try:
        import ctypes

        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    paths = os.fsencode(one), os.fsencode(other)
    if renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), str(other))


def _present(folder: Path) -> set[str]:
    """The path of every file below `folder`; a symlink is a file, wherever it points."""
    present: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=_raise_unless_missing):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = [name for name in folders if name not in links]
        inside = "" if parent == str(folder) else f"{os.path.relpath(parent, folder)}/"
        present.update(f"{inside}{name}" for name in (*names, *links))
    return present


def _content(path: Path) -> bytes:
    """What a file holds; for a symlink what it says, whose target is none of ours to read."""
    kind = path.lstat().st_mode
    if stat.S_ISLNK(kind):
        return b"symlink to " + os.fsencode(path.readlink())
    # Opening a named pipe would wait for ever; whatever it is, it is not what nixcfg wrote.
    return path.read_bytes() if stat.S_ISREG(kind) else b"no regular file"


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _manifest(files: Mapping[str, bytes]) -> bytes:
    digests = {path: _digest(content) for path, content in files.items()}
    return (json.dumps({"files": digests}, indent=2) + "\n").encode()


def _written(manifest: bytes | None) -> dict[str, str]:
    """The digests of what nixcfg last wrote; empty for a manifest that says nothing usable."""
    try:
        files = json.loads(manifest or b"{}").get("files", {})
        return {path: digest for path, digest in files.items() if isinstance(digest, str)}
    except (ValueError, AttributeError):
        return {}


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _lines(content: bytes | None) -> list[str]:
    # At \n only, as other tools do; str.splitlines knows more line ends.
    return list(io.StringIO((content or b"").decode("utf-8", "replace"), newline="\n"))


def _stage_prefix(folder: Path) -> str:
    return f".{folder.name}.nixcfg-new-"


def _previous_name(folder: Path) -> str:
    return f".{folder.name}.nixcfg-previous"


def sync(folder: Path) -> None:
    """Make what was created, renamed or removed in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def settle(folder: Path, written: Path) -> None:
    """Sync a folder in which something is in place already. Raises WriteError, which says so."""
    try:
        sync(folder)
    except OSError as error:
        raise WriteError(
            f"{written} is written, but may not survive a power cut: {reason(error)}"
        ) from error


def umask() -> int:
    """The permissions that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _failed(folder: Path, error: OSError) -> WriteError:
    return WriteError(f"cannot write {folder}: {reason(error)}; nothing was changed")
