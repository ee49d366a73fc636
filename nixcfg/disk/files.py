"""Write a project's own files: nixcfg.yaml, providers/, secrets.example/.

Unlike the output folder these cannot change places as a whole, so the order counts. `apply` writes
in the order given, and its callers order the changes so that the project is valid after each of
them: a new provider before the profile that names it, a profile without a provider before that
provider goes. Every file is old or new, whole, at every moment, and when one cannot be written
those before it are put back.

A new project is a change from nothing, nixcfg.yaml last: without it there is no project, however
far a killed run has come, and the same command again adds what is missing. A project folder that
is not there yet appears as a whole.
"""

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nixcfg.disk import write
from nixcfg.disk.change import Change
from nixcfg.disk.lock import clear_leftovers, locked
from nixcfg.problems.problem import WriteError, reason
from nixcfg.project import wiring

_PREFIX = ".nixcfg-new-"
_STAGE = ".nixcfg-create-"
_BOM = b"\xef\xbb\xbf"
_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_FOLDERS = ("", wiring.PROVIDERS_DIR, wiring.EXAMPLES_DIR)


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


def edited(root: Path, path: str, before: str, after: str) -> Change:
    """The change of one file whose text was read as `before`.

    Raises WriteError where it cannot be read again, or no longer holds that.
    """
    try:
        old = (root / path).read_bytes()
    except OSError as error:
        raise WriteError(f"{path} cannot be read again: {error.strerror}") from error
    mark = _BOM if old.startswith(_BOM) else b""
    if mark + before.encode() != old:
        raise WriteError(f"{path} has changed meanwhile; nothing was changed")
    return Change(path, old, mark + after.encode())


def plan_new(folder: Path, texts: Mapping[str, str]) -> list[Change]:
    """What of a new project, by path in its folder, is not there yet; nixcfg.yaml last.

    Raises WriteError when a file is there with another content.
    """
    new = []
    taken = []
    for path in sorted(texts, key=lambda path: path == wiring.PROJECT_FILE):
        content = texts[path].encode()
        try:
            if (folder / path).read_bytes() != content:
                taken.append(path)
        except (FileNotFoundError, NotADirectoryError):
            new.append(Change(path, None, content))
            if os.path.lexists(folder / path):
                taken.append(path)
        except OSError:
            taken.append(path)
    if taken:
        raise WriteError(f"{folder} has {', '.join(taken)} already; nothing was changed")
    return new


def create(folder: Path, texts: Mapping[str, str]) -> list[Change]:
    """Write what `plan_new` says, and nothing over what is there. Raises WriteError."""
    if os.path.lexists(folder):
        with locked(folder):
            changes = plan_new(folder, texts)
            apply(folder, changes, also={os.path.dirname(path) for path in texts})  # noqa: PTH120 (text)
        return changes
    top = next(each for each in (folder, *folder.parents) if each.parent.is_dir())
    with locked(top.parent):
        changes = plan_new(folder, texts)
        clear_leftovers(top.parent, _STAGE)
        _appear(top, folder, changes)
    return changes


def _appear(top: Path, folder: Path, changes: Iterable[Change]) -> None:
    """Make a folder, and those above it up to `top`, with all that belongs in it, in one step."""
    stage = None
    try:
        stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=top.parent))
        tree = stage / folder.relative_to(top)
        tree.mkdir(parents=True, exist_ok=True)
        write.tree(tree, {each.path: each.new for each in changes if each.new is not None})
        write.sync_tree(stage)
        write.give_tree(stage, write.owner_in(top.parent))
        stage.chmod(write.mode_of(top, 0o777))
        stage.rename(top)
    except OSError as error:
        raise _failed(error, folder) from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
    write.settle(top.parent, folder)


def apply(root: Path, changes: Iterable[Change], also: Iterable[str] = ()) -> None:
    """Make the changes in order, all of them or none.

    Call it inside `locked(root)`, with what the changes are made from read there as well. What a
    killed run left is removed from the project's folders, and from those in `also`. Raises
    WriteError when the files are no longer what the plan saw, or cannot be written.
    """
    work = _Work()
    with _uninterrupted():
        try:
            for folder in {*_FOLDERS, *also}:
                clear_leftovers(root / folder, _PREFIX)
            for change in changes:
                work.prepare(root, change)
            work.carry_out()
        except OSError as error:
            work.undo()
            raise _failed(error, root) from error
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
            clear_leftovers(target.parent, _PREFIX)  # where a link led out of the project
        mode = write.mode_of(target, 0o666)
        owner = write.owner_in(target.parent)
        if change.old is not None:
            status = target.stat()
            owner = status.st_uid, status.st_gid
        kept: list[Path | None] = []
        for content in (change.old, change.new):
            path = None
            if content is not None:
                path = write.beside(target, _PREFIX, content, mode=mode, owner=owner)
                self.temporary.append(path)
            kept.append(path)
        self.steps.append(_Step(target, old=kept[0], new=kept[1]))

    def make_folder(self, folder: Path) -> None:
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir()
            self.folders.append(each)
            if owner := write.owner_in(each.parent):
                os.chown(each, *owner, follow_symlinks=False)

    def carry_out(self) -> None:
        for step in self.steps:
            if step.new is None:
                step.target.unlink()
            elif step.old is None:
                _create(step.new, step.target)
            else:
                step.new.replace(step.target)
            self.done.append(step)
        made = {folder.parent for folder in self.folders}
        for folder in {*made, *(step.target.parent for step in self.steps)}:
            write.sync(folder)

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


def _failed(error: OSError, where: Path) -> WriteError:
    where = Path(error.filename2 or error.filename or where)
    return WriteError(f"cannot write {where}: {write.refused(error, where)}; nothing was changed")


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C and polite kills wait for the few milliseconds that the files take."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
