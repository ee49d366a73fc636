"""Read a key file as the service does, and refuse what it refuses.

The rules and the words are those of the wiring script in modules/litellm-proxy; tests/gateway
holds the two against each other. A key goes from here to the environment of one process: it is
in no message and no exception.
"""

import os
import re
import subprocess
from pathlib import Path

from nixcfg.project import wiring
from nixcfg.project.model import Machine
from nixcfg.project.wiring import KeyFile

MAX_LENGTH = 64 * 1024
"""Bytes of a key that has to fit into a variable."""

_ONLY = "Its content must be the key, nothing else."
_REFUSED = (
    (
        rb"(?s).*[^\n\x20-\x7e\x80-\xff].*",
        "holds a control character (tab, carriage return, binary data). "  # noqa: ISC004
        "Save it as plain text with Unix line ends.",
    ),
    (
        rb"(?s).*\n.*",
        f"holds more than one line. {_ONLY[:-1]}; a document of several lines needs kind: file.",
    ),
    (rb" *", f"is empty but for white space. {_ONLY}"),
    (rb" .*|.* ", "begins or ends with a space."),
    (
        rb"['\"].*",
        "begins with a quote, which would become a part of the key. Write the bare key.",
    ),
    (rb"(?i)true|false", "holds the word true or false, which LiteLLM does not take for a key."),
)
"""What no key looks like, without the newlines at its end; the first that fits is told."""

_PLACEHOLDER = re.compile(
    r"""(?xs) (?:sk-)? (?:
      (?: replace-?me | change-?me | \.\.\. ) .* | placeholder | fill-me-in | todo
    | (?: insert | paste | put | your ) -.*-here
    | your- (?:.*-)? (?: key | token | secret | password )
    | <.*> | \{\{.*\}\} | \$\(.*\) | \$[a-z0-9{}$-]* | xxx[x-]* )"""
)


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
    if key.kind == "file":
        if not text:
            raise KeyUnusableError("is empty.")
        if _is_placeholder(text[:256].decode("utf-8", "replace").rstrip("\n")):
            raise KeyUnusableError("still holds a placeholder. Replace it by the real document.")
        return text
    reason = refusal(key.variable, text)
    if reason:
        raise KeyUnusableError(reason)
    return text.rstrip(b"\n")


def refusal(variable: str, content: bytes) -> str:
    """Why the content of a key file cannot be a key, "" if it can."""
    value = content.rstrip(b"\n")
    if not content:
        return f"is empty. {_ONLY}"
    for pattern, reason in _REFUSED:
        if re.fullmatch(pattern, value):
            return reason
    if value.startswith((f"{variable}=".encode(), b"export ")):
        return f"holds an assignment. Its content must be the key alone, without {variable}=."
    if _is_placeholder(value.decode("utf-8", "replace")):
        return "still holds a placeholder. Replace it by the key."
    if len(value) > MAX_LENGTH:
        return "is longer than 64 KiB, too long for a variable. A document needs kind: file."
    return ""


def weakness(master_key: str) -> str:
    """What is wrong with a master key, "" for a good one."""
    if master_key.replace(" ", "") == "sk-1234":
        return "holds sk-1234, which everybody knows and LiteLLM refuses."
    if not master_key.startswith("sk-") or len(master_key) < 20:
        return "holds a weak key."
    return ""


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


def _is_placeholder(text: str) -> bool:
    return bool(_PLACEHOLDER.fullmatch(re.sub("[_ ]", "-", text.lower())))


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
