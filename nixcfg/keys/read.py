"""Read a key file as the service does, and refuse what it refuses.

A key goes from here to the environment of one process: it is in no message and no exception.
"""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

from nixcfg.keys.refusals import MISSING, document_refusal, key_refusal
from nixcfg.project import wiring
from nixcfg.project.model import Machine
from nixcfg.project.wiring import KeyFile


class KeyMissingError(Exception):
    """There is no key file; the message is the reason."""


class KeyUnusableError(Exception):
    """The file cannot hold a key, or cannot be read; the message says why, without its content."""


class KeyForbiddenError(KeyUnusableError):
    """The key file may be in order, but this user must not read it."""


def content(key: KeyFile) -> bytes:
    """The key, or the whole document where `kind` is "file".

    Raises KeyMissingError, KeyUnusableError, KeyForbiddenError.
    """
    text = _content(key)
    is_document = key.kind == "file"
    found = document_refusal(text) if is_document else key_refusal(key.variable, text)
    if found is MISSING:
        raise KeyMissingError(found.says)
    if found:
        raise KeyUnusableError(found.says)
    return text if is_document else text.rstrip(b"\n")


def from_environment(key: KeyFile) -> bytes | None:
    """The key in the variable of its name, checked like a file; None where the variable is not set.

    For a document the variable holds a path, as the programs that read it expect; that file's
    content is given. Raises KeyMissingError, KeyUnusableError, KeyForbiddenError.
    """
    text = os.environb.get(os.fsencode(key.variable))
    if not text:
        return None
    if key.kind == "file":
        return content(replace(key, file=os.fsdecode(text), encrypted=False))
    found = key_refusal(key.variable, text)
    if found:
        raise KeyUnusableError(found.says)
    return text.rstrip(b"\n")


def _content(key: KeyFile) -> bytes:
    path = Path(wiring.place(key.file))
    try:
        if path.is_dir():
            raise KeyUnusableError("is a folder.")
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise KeyMissingError("is missing.") from None
    except PermissionError:
        raise KeyForbiddenError("cannot be read by you.") from None
    except OSError as error:
        raise KeyUnusableError(f"cannot be read: {error.strerror or 'it failed'}.") from None
    return _decrypted(key, path) if key.encrypted else content


def _decrypted(key: KeyFile, path: Path) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 (a fixed command, no shell)
            ["systemd-creds", "decrypt", f"--name={key.variable}", str(path), "-"],  # noqa: S607
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
        )
    except FileNotFoundError:
        raise KeyUnusableError("is encrypted, and there is no systemd-creds here.") from None
    except (OSError, subprocess.TimeoutExpired):
        raise KeyUnusableError("is encrypted, and systemd-creds gave no answer.") from None
    if done.returncode != 0:
        raise KeyForbiddenError("is encrypted, and systemd-creds cannot decrypt it for you.")
    return done.stdout


def master_key(machine: Machine | None, file: Path | None = None) -> tuple[str, str]:
    """The gateway's own key, and where it was found: `file`, the environment, or the file that the
    service uses. Both are "" for a gateway that is open.

    Raises KeyMissingError, KeyUnusableError, KeyForbiddenError; the messages name the file.
    """
    variable = wiring.MASTER_KEY_VARIABLE
    if file is None and os.environ.get(variable):
        return os.environ[variable].strip(), f"${variable}"
    if file is None and machine is not None and machine.auth == "open":
        return "", ""
    usual = machine.master_key_file if machine else None
    path = wiring.place(str(file or usual or wiring.GENERATED_MASTER_KEY))
    try:
        return os.fsdecode(content(KeyFile(variable, path))), path
    except (KeyMissingError, KeyUnusableError) as error:
        raise type(error)(f"the master key file {path} {error}") from None
