"""Put rendered files on disk: all of them or none, and never over a hand edit.

The output folder is replaced as a whole. A complete new folder is built beside it and changes
places with it in one system call (renameat2 with RENAME_EXCHANGE), so that no one, not even
after a power cut, sees half of it. `manifest.json` in the folder lists what nixcfg wrote there,
which tells a hand edit from an old rendering, and a stale file from one of the user's own.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nixcfg.disk import write
from nixcfg.disk.change import Change
from nixcfg.disk.lock import clear_leftovers, locked, remove
from nixcfg.problems.problem import WriteError
from nixcfg.project import wiring

MANIFEST = "manifest.json"

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What writing would do. `edited` are files in the way that nixcfg did not leave like that,
    `foreign` those that are carried over; `is_foreign` where nixcfg has never written the folder.
    """

    folder: Path
    files: Mapping[str, bytes]
    changes: tuple[Change, ...]
    edited: tuple[str, ...]
    foreign: tuple[str, ...]
    is_foreign: bool = False

    @property
    def is_module_behind(self) -> bool:
        """Whether the copy of the NixOS module that is there is that of another nixcfg."""
        ours = f"{wiring.MODULE}/"
        return any(
            change.old is not None and change.path.startswith(ours) and change.path in self.files
            for change in self.changes
        )

    @property
    def summary(self) -> str:
        """What is to be written, with the files of the module, which are all or none, as one."""
        module = [each for each in self.changes if each.path.startswith(f"{wiring.MODULE}/")]
        others = [each.path for each in self.changes if each not in module]
        named = [path for path in others if path != MANIFEST]
        files = "file" if len(module) == 1 else "files"
        counted = [f"{len(module)} {files} of {wiring.MODULE}/"] if module else []
        return ", ".join([*named, *counted])


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
    return Plan(folder, files, tuple(changes), tuple(edited), carried, bool(edited and not written))


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
            remove(stage)
    write.settle(folder.parent, folder)


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
            _restore(folder)
        except OSError as error:
            raise _failed(folder, error) from error
        yield


def _restore(folder: Path) -> None:
    previous = folder.parent / _previous_name(folder)
    if previous.is_dir() and not previous.is_symlink() and not os.path.lexists(folder):
        previous.rename(folder)  # a kill between the two renames of the fallback
    else:
        remove(previous)  # a kill after them
    clear_leftovers(folder.parent, _stage_prefix(folder))


def _fill(stage: Path, plan: Plan) -> None:
    if plan.folder.exists() and not os.access(plan.folder, os.W_OK):
        # The rename would succeed, but the owner made this folder read-only on purpose.
        raise PermissionError(errno.EACCES, "the folder is read-only")
    mode = write.mode_of(plan.folder, 0o777)
    write.tree(stage, plan.files)
    for path in plan.foreign:
        target = stage / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _carry_over(plan.folder / path, target)
    write.sync_tree(stage)
    write.give_tree(stage, write.owner_in(plan.folder.parent))
    stage.chmod(mode)


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
        remove(previous)


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
    """What a file holds; for a symlink its text, as its target is not ours to read."""
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
    """The digests of what nixcfg last wrote; empty for a manifest that is not usable."""
    try:
        files = json.loads(manifest or b"{}").get("files", {})
        return {path: digest for path, digest in files.items() if isinstance(digest, str)}
    except (ValueError, AttributeError):
        return {}


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _stage_prefix(folder: Path) -> str:
    return f".{folder.name}.nixcfg-new-"


def _previous_name(folder: Path) -> str:
    return f".{folder.name}.nixcfg-previous"


def _failed(folder: Path, error: OSError) -> WriteError:
    where = folder if folder.exists() else folder.parent
    why = write.refused(error, where)
    return WriteError(f"cannot write {folder}: {why}; nothing was changed")
