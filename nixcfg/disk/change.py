"""Write a project's own files: nixcfg.yaml, providers/, secrets.example/.

Unlike the output folder these cannot change places as a whole, so the order counts. `apply` writes
in the order given, and its callers order the changes so that the project is valid after each of
them: a new provider before the profile that names it, a profile without a provider before that
provider goes. Every file is old or new, whole, at every moment, and when one cannot be written
those before it are put back.
"""

import contextlib
import os
import signal
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nixcfg.disk.write import Change, sync, umask
from nixcfg.problems.problem import WriteError, reason
from nixcfg.project import wiring

_PREFIX = ".nixcfg-new-"
_BOM = b"\xef\xbb\xbf"
_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def plan(root: Path, texts: Mapping[str, str | None]) -> list[Change]:
    """What writing `texts` (by path in the project, None removes) would change, in their order.

    Raises WriteError for a file that cannot be read.
    """
    changes = []
    for path, text in texts.items():
        old = _content(root / path)
        new = None if text is None else text.encode()
        if new is not None and old is not None and old.startswith(_BOM):
            new = _BOM + new
        if new != old:
            changes.append(Change(path, old, new))
    return changes


def apply(root: Path, changes: Iterable[Change]) -> None:
    """Make the changes in order, all of them or none.

    Call it inside `write.locked(root)`, with what the changes are made from read there as well.
    Raises WriteError when the files are no longer what the plan saw, or cannot be written.
    """
    work = _Work()
    with _uninterrupted():
        try:
            for folder in (root, root / wiring.PROVIDERS_DIR, root / wiring.EXAMPLES_DIR):
                _clear_leftovers(folder)
            for change in changes:
                work.prepare(root, change)
            work.carry_out()
        except OSError as error:
            work.undo()
            where = error.filename or root
            message = f"cannot write {where}: {reason(error)}; nothing was changed"
            raise WriteError(message) from error
        except BaseException:
            work.undo()
            raise
        finally:
            work.clean()


@dataclass(frozen=True, slots=True)
class _Step:
    """One file: `new` holds its next content, `old` its last one, both beside the target."""

    target: Path
    new: Path | None
    old: Path | None


@dataclass(slots=True)
class _Work:
    steps: list[_Step] = field(default_factory=list)
    done: list[_Step] = field(default_factory=list)
    temporary: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)

    def prepare(self, root: Path, change: Change) -> None:
        """Everything that takes space or permissions, so that only renames are left to do."""
        target = root / change.path
        if target.is_symlink() and change.old is not None:
            target = target.resolve()  # the link stays; what it points to is edited
        if _content(target) != change.old:
            raise WriteError(f"{change.path} has changed meanwhile; nothing was changed")
        self.make_folder(target.parent)
        if target.parent not in {step.target.parent for step in self.steps}:
            _clear_leftovers(target.parent)  # where a link led out of the project
        status = target.stat() if change.old is not None else None
        old = new = None
        if change.old is not None:
            old = self.beside(target, change.old, status)
        if change.new is not None:
            new = self.beside(target, change.new, status)
        self.steps.append(_Step(target, new, old))

    def make_folder(self, folder: Path) -> None:
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir()
            self.folders.append(each)

    def beside(self, target: Path, content: bytes, like: os.stat_result | None) -> Path:
        """A content on the disk beside its target, with the owner and permissions of `like`."""
        handle, name = tempfile.mkstemp(prefix=_PREFIX, dir=target.parent)
        self.temporary.append(Path(name))
        with os.fdopen(handle, "wb") as file:
            if like:
                _give(handle, like)
            os.fchmod(handle, stat.S_IMODE(like.st_mode) if like else 0o666 & ~umask())
            file.write(content)
            file.flush()
            os.fsync(handle)
        return Path(name)

    def carry_out(self) -> None:
        for step in self.steps:
            if step.new is None:
                step.target.unlink()
            elif step.old is None:
                _create(step.new, step.target)
            else:
                step.new.replace(step.target)
            self.done.append(step)
        for folder in {step.target.parent for step in self.steps}:
            sync(folder)

    def undo(self) -> None:
        for step in reversed(self.done):
            with contextlib.suppress(OSError):
                if step.old is None:
                    step.target.unlink()
                else:
                    step.old.replace(step.target)
        self.clean()
        for folder in reversed(self.folders):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def clean(self) -> None:
        for path in self.temporary:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _give(handle: int, like: os.stat_result) -> None:
    """Keep a user's file theirs under sudo; who is not root can keep the group at most."""
    now = os.fstat(handle)
    with contextlib.suppress(PermissionError):
        if now.st_gid != like.st_gid:
            os.fchown(handle, -1, like.st_gid)
        if now.st_uid != like.st_uid:
            os.fchown(handle, like.st_uid, -1)


def _create(new: Path, target: Path) -> None:
    """Give a new file its name, unless something has that name already."""
    try:
        os.link(new, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(17, "it exists already", str(target)) from None
        new.rename(target)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():
            raise WriteError(f"{path} points to nothing; nothing was changed") from None
        return None
    except OSError as error:
        raise WriteError(f"{path} cannot be read: {reason(error)}; nothing was changed") from error


def _clear_leftovers(folder: Path) -> None:
    """What a killed nixcfg left. Only one works here at a time, so it is nobody's."""
    names = os.listdir(folder) if folder.is_dir() else ()  # noqa: PTH208 (names only)
    for name in names:
        if name.startswith(_PREFIX):
            (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C and polite kills wait for the few milliseconds that the files take."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
