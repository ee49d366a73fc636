"""Read an ordinary LiteLLM configuration and what it includes, with no project around it."""

import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from nixcfg.yamltext import reader
from nixcfg.yamltext.document import Document, Map

MAX_INCLUDES = 200


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a configuration. `missing`: entries of its include list that lead nowhere."""

    document: Document
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Configuration:
    """What LiteLLM merges into one: the file itself, then what it includes, in LiteLLM's order.

    `files` are the names of what lies beside the first one: Python modules are imported from there.
    """

    parts: tuple[Part, ...]
    files: frozenset[str] = frozenset()


def read_configuration(path: Path, name: str, read: reader.Read = reader.read) -> Configuration:
    """Read the LiteLLM configuration at `path`, called `name` in messages.

    Included files are found as LiteLLM 1.106.2 finds them (proxy_server.py, resolve_includes):
    beside the file that names them, else beside the first one; each is read once.
    """
    parts = []
    seen = {_place(path)}
    waiting = deque([(path, name)])
    while waiting:
        here, shown = waiting.popleft()
        document = read(here, shown)
        missing = set()
        for entry in _entries(document):
            found = next((p for p in _candidates(here, path, entry) if os.path.lexists(p)), None)
            if found is None:
                missing.add(entry)
            elif _place(found) not in seen and len(seen) < MAX_INCLUDES:
                seen.add(_place(found))
                waiting.append((found, os.path.join(os.path.dirname(shown), entry)))  # noqa: PTH118, PTH120
        parts.append(Part(document, frozenset(missing)))
    return Configuration(tuple(parts), _beside(path))


def _entries(document: Document) -> list[str]:
    entries = document.data.get("include") if isinstance(document.data, Map) else None
    return [e for e in entries if _is_path(e)] if isinstance(entries, list) else []


def _is_path(entry: object) -> bool:
    return isinstance(entry, str) and bool(entry) and "\0" not in entry


def _candidates(here: Path, root: Path, entry: str) -> tuple[Path, Path]:
    return here.parent / entry, root.parent / entry


def _place(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 (as LiteLLM does; symlinks are kept)


def _beside(path: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(path.parent))  # noqa: PTH208 (names only)
    except OSError:
        return frozenset()
