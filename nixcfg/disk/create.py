"""Put the files of a new project in place: all of them or none, and never over another's.

A complete tree is built in a hidden folder first. A
project folder that is not there yet is that tree, renamed. Into one that is there the files are
linked one by one (a link never replaces a file), nixcfg.yaml last: without it there is no project,
and after a kill the same command again adds what is missing and clears what was left.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from nixcfg.disk import write
from nixcfg.problems.problem import WriteError, reason

_PREFIX = ".nixcfg-create-"


def missing(folder: Path, texts: Mapping[str, str]) -> dict[str, str]:
    """What of `texts`, by path in the folder, is not there yet.

    Raises WriteError when a file is there that says something else.
    """
    new = {}
    taken = []
    for path, text in texts.items():
        try:
            if (folder / path).read_bytes() != text.encode():
                taken.append(path)
        except (FileNotFoundError, NotADirectoryError):
            new[path] = text
            if os.path.lexists(folder / path):
                taken.append(path)
        except OSError:
            taken.append(path)
    if taken:
        raise WriteError(f"{folder} has {', '.join(taken)} already; nothing was changed")
    return new


def create(folder: Path, texts: Mapping[str, str]) -> None:
    """Write `texts`, none of which is there, in their order. Raises WriteError."""
    if not texts:
        with write.locked(folder):
            _clear(folder)
        return
    top = folder
    while not top.parent.is_dir():
        top = top.parent
    is_new = not os.path.lexists(folder)
    base = top.parent if is_new else folder
    with write.locked(base):
        try:
            _clear(base)
            stage = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
            try:
                tree = stage / folder.relative_to(top) if is_new else stage
                _fill(tree, texts)
                if is_new:
                    stage.chmod(0o777 & ~write.umask())
                    stage.rename(top)
                    write.settle(base, folder)
                else:
                    _link(tree, folder, texts)
            finally:
                shutil.rmtree(stage, ignore_errors=True)
        except OSError as error:
            where = error.filename2 or folder
            raise WriteError(
                f"cannot write {where}: {reason(error)}; nothing was changed"
            ) from error


def _clear(base: Path) -> None:
    """What a killed run left: only one is at work here at a time, so it is nobody's."""
    for name in os.listdir(base):  # noqa: PTH208 (names only)
        if name.startswith(_PREFIX):
            shutil.rmtree(base / name, ignore_errors=True)


def _fill(tree: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
    for parent, _, _ in os.walk(tree):
        write.sync(Path(parent))


def _link(tree: Path, folder: Path, texts: Mapping[str, str]) -> None:
    with _undone_on_error() as done:
        for path in texts:
            target = folder / path
            for parent in reversed([each for each in target.parents if not each.exists()]):
                parent.mkdir()
                done.append(parent)
            try:
                os.link(tree / path, target)
            except PermissionError:  # a file system without hard links
                with target.open("xb") as file:
                    done.append(target)
                    file.write((tree / path).read_bytes())
                    os.fsync(file.fileno())
            done.append(target)
        for parent in {(folder / path).parent for path in texts}:
            write.sync(parent)


@contextlib.contextmanager
def _undone_on_error() -> Iterator[list[Path]]:
    done: list[Path] = []
    try:
        yield done
    except BaseException:
        for path in reversed(done):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise
