"""The values of virtual keys: read from their files, and made where a file is missing.

A value goes from here to LiteLLM's admin API: it is in no message and no exception.
"""

import contextlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a value is kept, and whose the file is if it has to be made; `mode` is octal digits."""

    file: Path
    owner: str = "root"
    group: str = "root"
    mode: str = "0600"


class ValueMissingError(Exception):
    """The file is not there; the message says so."""


class ValueUnusableError(Exception):
    """The file holds no key for a client, or cannot be used; the message says why."""


def read(source: Path, missing: str = "") -> str:
    """The value in a file. `missing`: what the file of systemd holds where there is no other.

    Raises ValueMissingError and ValueUnusableError.
    """
    text = content(source, missing)
    why = refusal(text)
    if why:
        raise ValueUnusableError(why)
    return text


def content(source: Path, missing: str = "") -> str:
    """What a file holds, without the newline at its end. Raises as `read` does."""
    try:
        text = source.read_bytes().decode("ascii", "replace").rstrip("\n")
    except (FileNotFoundError, NotADirectoryError):
        raise ValueMissingError("is missing") from None
    except OSError as error:
        raise ValueUnusableError(f"cannot be read: {error.strerror}") from None
    if missing and text.rstrip("\0") == missing:
        raise ValueMissingError("is missing")
    return text


def has_changed(place: Place, value: str) -> bool:
    """Whether a file holds another value by now, as far as it can be read."""
    try:
        return content(place.file) != value
    except (ValueMissingError, ValueUnusableError):
        return False


def refusal(text: str) -> str:
    """Why a text cannot be the value of a virtual key, "" if it can."""
    if not text:
        return "is empty. Remove the file to have a value made"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "holds more than one word of printable ASCII"
    if not text.startswith("sk-"):
        return "holds no value that LiteLLM takes for a key: it must begin with sk-"
    if len(text) < 20:
        return "holds a value that can be guessed: it must have 20 characters or more"
    return ""


def make(place: Place) -> str:
    """A new value of 256 random bits in its file, which no one can read before it is whole.

    Raises ValueUnusableError; a file that is there by now is left as it is.
    """
    value = f"sk-{secrets.token_hex(32)}"
    new = place.file.with_name(f".{place.file.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(f"{value}\n".encode())
                file.flush()
                os.fchmod(file.fileno(), int(place.mode, 8))
                _give(file.fileno(), place)
                os.fsync(file.fileno())
            os.link(new, place.file)
        finally:
            with contextlib.suppress(FileNotFoundError):
                new.unlink()
    except KeyError as error:
        raise ValueUnusableError(f"cannot be made: there is no {error.args[0]}") from None
    except FileExistsError:
        raise ValueUnusableError("has come meanwhile; the next run takes it") from None
    except OSError as error:
        where = f" {place.file.parent}" if isinstance(error, FileNotFoundError) else ""
        raise ValueUnusableError(f"cannot be made: {error.strerror}{where}") from None
    return value


def _give(descriptor: int, place: Place) -> None:
    """Make the owner the one that is asked for, where that is someone else."""
    import grp
    import pwd

    try:
        owner = pwd.getpwnam(place.owner).pw_uid
    except KeyError:
        raise KeyError(f"user {place.owner}") from None
    try:
        group = grp.getgrnam(place.group).gr_gid
    except KeyError:
        raise KeyError(f"group {place.group}") from None
    now = os.fstat(descriptor)
    if (owner, group) != (now.st_uid, now.st_gid):
        os.fchown(descriptor, owner, group)


def values(
    places: Mapping[str, Place],
    say: Callable[[int, str], None],
    *,
    credentials: Path | None = None,
    missing: str = "",
    makes: bool = True,
    master: str = "",
) -> tuple[dict[str, str], int]:
    """The value of each key by name, and how many cannot be had; `say` is told why.

    `credentials`: the folder in which systemd has put them, as `value-NAME`; otherwise they are
    read from their places. Without `makes` a value that is missing stays so, and is no failure.
    """
    found, failed = {}, 0
    for name, place in places.items():
        source = credentials / f"value-{name}" if credentials else place.file
        try:
            found[name] = read(source, missing)
        except ValueMissingError:
            if not makes:
                continue
            try:
                found[name] = make(place)
                say(5, f"key {name}: made a value in {place.file}")
            except ValueUnusableError as error:
                say(3, f"key {name}: {place.file} {error}")
                failed += 1
        except ValueUnusableError as error:
            say(3, f"key {name}: {place.file} {error}")
            failed += 1
        if found.get(name) == master != "":
            del found[name]
            say(3, f"key {name}: {place.file} holds the master key, which is for no client")
            failed += 1
    return found, failed
