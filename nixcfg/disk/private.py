"""Write one file that only its owner may read: a key.

On disk the content is under no other name than the file's own: it is written to a nameless file
that then gets its name. No message and no exception holds it.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from nixcfg.disk import write
from nixcfg.disk.lock import clear_leftovers, locked
from nixcfg.problems.problem import WriteError

_PREFIX = ".nixcfg-key-"
_MODE = 0o600


def put(path: Path, content: bytes, *, closes_folder: bool) -> None:
    """Put the content there with mode 0600, whole or not at all; a link is followed.

    `closes_folder`: the folder is there for such files alone, so no one else gets to read it; one
    that is made here is closed in any case. Raises WriteError.
    """
    path = Path(os.path.realpath(path))
    try:
        with _made(path.parent), locked(path.parent):
            if closes_folder and path.parent.stat().st_mode & 0o077:
                path.parent.chmod(0o700)
            clear_leftovers(path.parent, _PREFIX)
            _put(path, content)
        write.settle(path.parent, path)
    except OSError as error:
        reason = (error.strerror or "it failed").lower()
        raise WriteError(f"cannot write {path}: {reason}; nothing was changed") from None


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder that only its owner enters; no empty ones stay where nothing was written."""
    made = []
    try:
        for each in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
            each.mkdir(mode=0o700 if each == folder else 0o755)
            made.append(each)
            write.sync(each.parent)
        yield
    except BaseException:
        for each in reversed(made):
            with contextlib.suppress(OSError):
                each.rmdir()
        raise


def _put(path: Path, content: bytes) -> None:
    is_new = not os.path.lexists(path)
    named = path if is_new else path.with_name(_PREFIX + secrets.token_hex(8))
    if not write.nameless(named, content, mode=_MODE):
        named = write.beside(path, _PREFIX, content, mode=_MODE)
    if named == path:
        return
    # An existing file can only be replaced by one with a name. What a kill between the two steps
    # leaves goes when the next key is written here.
    try:
        named.replace(path)
    except OSError:
        named.unlink(missing_ok=True)
        raise
