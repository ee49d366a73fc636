"""Store a key in its file: checked, atomically, mode 0600, in a folder that nobody else can read.

The key itself is in no message, no exception and no command line.
"""

import json
import os
import re
from pathlib import Path

from nixcfg.disk import private
from nixcfg.gateway import machine

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
    private.put(path, key.encode(), closes_folder=is_private)


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
