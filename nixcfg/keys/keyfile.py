"""Store a key in its file: checked, atomically, mode 0600, in a folder that nobody else can read.

The key itself is in no message, no exception and no command line, and on disk under no other name
than the file's own: it is written to a nameless file (O_TMPFILE) that then gets its name.
"""

import contextlib
import errno
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from nixcfg.disk.write import locked, settle, sync
from nixcfg.gateway import machine
from nixcfg.problems.problem import WriteError

MAX_LENGTH = 64 * 1024
"""Characters; the longest keys (JSON service accounts) have 3,000."""

_PLACEHOLDER = (
    r"(?i)^(.*(replace|change)[-_]?(me|this).*|<.*>|\[.*\]|\{.*\}|.*x{6,}.*|.*\.\.\.|"
    r"your[-_].*|.*placeholder.*|nixcfg-missing-key|none|null|true|false|test|todo|secret|"
    r"password|(sk|key|token|api[-_]?key)[-_]?(1234\w*|x*))$"
)
_NO_KEY = (
    (r"^\s*$", "it is empty"),
    (r"[\r\n]", "it has more than one line; a key has one"),
    (r"\s", "it has a blank in it; copy the key alone"),
    (r"[^!-~]", "it has characters that no HTTP header can carry"),
    (_PLACEHOLDER, "it is a placeholder, not a key"),
    (r"^(os\.environ/|\$|config\.|[A-Z][A-Z0-9_]*_KEY$)", "it names a key instead of being one"),
    (r"^(['\"]).*\1$", "it is in quotes, which would be sent with it"),
    (r"^[A-Z][A-Z0-9_]+=", "it starts with NAME=; the file holds the key alone"),
)
"""What cannot be a key whoever the vendor is, the first that fits is told."""
_LEFT = ".nixcfg-key-"

_PREFIXES = {
    "ANTHROPIC_API_KEY": ("sk-ant-",),
    "AWS_ACCESS_KEY_ID": ("AKIA", "ASIA"),
    "CEREBRAS_API_KEY": ("csk-",),
    "DEEPSEEK_API_KEY": ("sk-",),
    "GEMINI_API_KEY": ("AIza", "AQ."),
    "GROQ_API_KEY": ("gsk_",),
    "HUGGINGFACE_API_KEY": ("hf_",),
    "NVIDIA_NIM_API_KEY": ("nvapi-",),
    "OPENAI_API_KEY": ("sk-",),
    "OPENROUTER_API_KEY": ("sk-or-",),
    "PERPLEXITYAI_API_KEY": ("pplx-",),
    "REPLICATE_API_KEY": ("r8_",),
    "XAI_API_KEY": ("xai-",),
}
"""How the keys of some vendors start, as those vendors show them. Good for a doubt, no more."""


class KeyRefusedError(Exception):
    """The text is no key that could work; the message says why, without the text."""


def cleaned(text: str, kind: str) -> str:
    """The key in what was typed or piped: without the newline at its end.

    `kind` is that of the secret: `env` for one line, `file` for a JSON document. Raises
    KeyRefusedError for what cannot be a key, whoever the vendor is.
    """
    if len(text) > MAX_LENGTH:
        raise KeyRefusedError(f"it has more than {MAX_LENGTH} characters")
    if "\0" in text:
        raise KeyRefusedError("it has a zero byte in it; this is no text")
    if kind == "file":
        return _json(text)
    key = text.removesuffix("\n").removesuffix("\r")
    reason = next((reason for shape, reason in _NO_KEY if re.search(shape, key)), "")
    if reason or len(set(key)) <= 2:
        raise KeyRefusedError(reason or "it is a placeholder, not a key")
    return key


def doubts(key: str, variable: str) -> list[str]:
    """What is odd about a key, for a warning only: vendors change their shapes."""
    found = []
    if len(key) < 16:
        found.append(f"it has only {len(key)} characters")
    own = _PREFIXES.get(variable, ())
    others = {
        name: prefix
        for name, prefixes in _PREFIXES.items()
        for prefix in prefixes
        if name != variable and prefix != "sk-" and prefix not in own and key.startswith(prefix)
    }
    if others:
        found.append(f"it looks like a key for {next(iter(others))}")
    elif own and not key.startswith(own):
        shapes = " or ".join(f"{prefix}..." for prefix in own)
        found.append(f"a key for {variable} usually looks like {shapes}")
    return found


def target_problem(path: Path, *, is_ours: bool) -> str:
    """Why a key must not be written to `path`, "" if it may.

    `is_ours`: its folder is the project's secrets_dir, which `write` closes to others.
    """
    real = Path(os.path.realpath(path))
    if real.is_relative_to("/nix/store"):
        return f"{path} is in the Nix store, which everybody can read"
    if real.is_dir():
        return f"{path} is a folder"
    folder = _existing(real.parent)
    tree = machine.work_tree(real)
    if tree is not None and tree.state != "ignored":
        return (
            f"{path} is in the git work tree {tree.root}, which does not ignore it: the next "
            "commit (or flake) would hold the key. Add it to .gitignore, or keep it elsewhere"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"writing to {folder} needs root"
    if folder == real.parent and not is_ours and folder.stat().st_mode & 0o022:
        return f"others can write to {folder}; chmod 0700 it first"
    return ""


def write(path: Path, key: str, *, is_private: bool) -> None:
    """Put the key there, whole or not at all. Raises WriteError, which does not hold the key.

    `is_private`: the folder is there for keys alone, so that nobody else gets to read it.
    """
    path = Path(os.path.realpath(path))
    made: list[Path] = []
    try:
        with _removed_on_error(made):
            _make_private(path.parent, made)
            with locked(path.parent):
                if is_private and path.parent.stat().st_mode & 0o077:
                    path.parent.chmod(0o700)
                _clear_leftovers(path.parent)
                _put(path, key.encode())
        settle(path.parent, path)
    except OSError as error:
        reason = (error.strerror or "it failed").lower()
        raise WriteError(f"cannot write {path}: {reason}; nothing was changed") from None


def _json(text: str) -> str:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict) or not data:
        raise KeyRefusedError("it is no JSON document, which this file has to be")
    return text if text.endswith("\n") else text + "\n"


def _existing(folder: Path) -> Path:
    """The nearest folder that is there already."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def _make_private(folder: Path, made: list[Path]) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700 if each == folder else 0o755)
        made.append(each)
        sync(each.parent)


@contextlib.contextmanager
def _removed_on_error(folders: Sequence[Path]) -> Iterator[None]:
    """Leave no empty folders where no key was written."""
    try:
        yield
    except BaseException:
        for each in reversed(folders):
            with contextlib.suppress(OSError):
                each.rmdir()
        raise


def _put(path: Path, content: bytes) -> None:
    named = path.with_name(_LEFT + secrets.token_hex(8))
    try:
        is_new = _without_name(path if not os.path.lexists(path) else named, content) == path
    except OSError as error:
        if error.errno not in _NO_NAMELESS:
            raise
        _with_name(named, content)
        is_new = False
    if is_new:
        return
    # An existing file can only be replaced by one with a name. What a kill between the two steps
    # leaves goes when the next key is written here.
    try:
        named.replace(path)
    except OSError:
        named.unlink(missing_ok=True)
        raise


_NO_NAMELESS = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.EXDEV)
"""What file systems answer that cannot hold a file without a name, or without /proc give it one."""


def _without_name(path: Path, content: bytes) -> Path:
    """Write a nameless file, and give it its name when it is complete."""
    handle = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        _fill(handle, content)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # With a folder's handle Python calls linkat, which follows the link to the file.
            os.link(f"/proc/self/fd/{handle}", path.name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            os.close(folder)
    finally:
        os.close(handle)
    return path


def _with_name(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        _fill(handle, content)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


def _fill(handle: int, content: bytes) -> None:
    os.fchmod(handle, 0o600)  # whatever the umask says
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
    os.fsync(handle)


def _clear_leftovers(folder: Path) -> None:
    for name in os.listdir(folder):  # noqa: PTH208 (names only)
        if name.startswith(_LEFT):
            (folder / name).unlink(missing_ok=True)
