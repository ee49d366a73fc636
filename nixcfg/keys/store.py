"""Store a key in its file: checked, atomically, mode 0600, in a folder that no one else can read.

The key itself is in no message, no exception and no command line.
"""

import json
import os
from pathlib import Path

from nixcfg.disk import private
from nixcfg.gateway import machine
from nixcfg.keys.refusals import document_refusal, key_refusal, weakness
from nixcfg.keys.shapes import PREFIXES
from nixcfg.project import wiring
from nixcfg.project.wiring import MASTER_KEY_VARIABLE

MAX_LENGTH = 64 * 1024
"""Bytes that are read; the longest keys (JSON service accounts) have 3,000."""


class KeyRefusedError(Exception):
    """The text is no key that could work; the message says why, without the text."""


def cleaned(given: bytes, variable: str, kind: str) -> bytes:
    """The key in what was typed or piped: without the line ends behind it.

    `kind` is that of the secret: `env` for a key, `file` for a document. Raises KeyRefusedError
    for what the service would refuse.
    """
    if kind == "file":
        found = document_refusal(given)
        key = given if given.endswith(b"\n") else given + b"\n"
    else:
        key = given.rstrip(b"\n").removesuffix(b"\r")
        found = key_refusal(variable, key)
    if found:
        raise KeyRefusedError(f"it {found.says}")
    return key


def doubts(key: bytes, variable: str, kind: str) -> list[str]:
    """What is odd about a key, for a warning only: vendors change their shapes."""
    if kind == "file":
        odd = key.lstrip()[:1] == b"{" and not _is_json(key)
        return ["it begins like a JSON document and is none"] if odd else []
    text = key.decode("utf-8", "surrogateescape")
    found = []
    if len(text) < 16:
        found.append(f"it has only {len(text)} characters")
    if variable == MASTER_KEY_VARIABLE and weakness(text):
        found.append(f"it {weakness(text)}".rstrip("."))
    own = PREFIXES.get(variable, ())
    other = other_vendor(key, variable, kind)
    if other:
        found.append(f"it looks like a key for {other}")
    elif own and not text.startswith(own):
        shapes = " or ".join(f"{prefix}..." for prefix in own)
        found.append(f"a key for {variable} usually looks like {shapes}")
    return found


def other_vendor(key: bytes, variable: str, kind: str) -> str:
    """The variable of the vendor whose keys look like this one, "" for none or the right one."""
    if kind == "file" or variable == MASTER_KEY_VARIABLE:
        return ""
    text = key.decode("utf-8", "surrogateescape")
    own = PREFIXES.get(variable, ())
    starts = (
        (prefix, name)
        for name, prefixes in PREFIXES.items()
        for prefix in prefixes
        if name != variable and prefix != "sk-" and prefix not in own and text.startswith(prefix)
    )
    _, name = max(starts, key=lambda each: len(each[0]), default=("", ""))
    if not name and own and text.startswith("sk-") and not text.startswith(own):
        return "OPENAI_API_KEY"
    return name


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def place_problem(path: Path, root: Path) -> str:
    """Why a key must not be where a project keeps other things, "" if it may.

    Those folders are for everyone who has the project, and most are in git.
    """
    real, home = Path(os.path.realpath(path)), Path(os.path.realpath(root))
    for folder, what in _OTHERS.items():
        if real.is_relative_to(home / folder):
            return f"{path} is in {folder}/, {what}; a key belongs where only its owner can read"
    if real == home / wiring.PROJECT_FILE:
        return f"{path} is the project itself"
    for above in real.parents:
        if (above / "manifest.json").is_file() and (above / wiring.DOCKER_NIX).is_file():
            return f"{path} is in a folder that `nixcfg render` writes"
    return ""


_OTHERS = {
    wiring.EXAMPLES_DIR: "which holds placeholders for everyone to see",
    wiring.RENDERED_DIR: "which `nixcfg render` writes and NixOS copies to the Nix store",
    wiring.PROVIDERS_DIR: "which holds provider files",
    ".git": "which git keeps",
}
"""The folders of a project, and what they are for."""


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


def write(path: Path, key: bytes, *, is_private: bool) -> None:
    """Put the key there, whole or not at all. Raises WriteError, which does not hold the key.

    `is_private`: the folder is there for keys alone, so that no one else may read it.
    """
    private.put(path, key, closes_folder=is_private)


def _existing(folder: Path) -> Path:
    """The nearest folder that is there already."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())
