"""Read an ordinary LiteLLM configuration and what it includes, with no project around it."""

import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from nixcfg.problems.problem import START, Problem, Rule, Severity
from nixcfg.project import wiring
from nixcfg.project.model import MODELS, SETTINGS
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


def is_compose(data: object) -> bool:
    """Whether a YAML document is a compose file."""
    return isinstance(data, dict) and isinstance(data.get("services"), dict)


OTHER_KIND = Rule("NX016", Severity.ERROR)


def other_kind(document: Document) -> Problem | None:
    """That a file which is said to be a LiteLLM configuration is what `nixcfg import` reads."""
    advice = f"Run `nixcfg import {document.name}`, or name the LiteLLM file that it mounts."
    if is_compose(document.data) and "model_list" not in document.data:
        message = "this is a compose file, which `nixcfg import` reads, no LiteLLM configuration"
        return document.problem(OTHER_KIND, ("services",), message, help=advice, key=True)
    if document.name.endswith(".nix") and document.text:
        message = "this is Nix, which `nixcfg import` reads, no LiteLLM configuration"
        return Problem(OTHER_KIND, document.name, START, message, advice)
    return None


def configurations_in(folder: Path) -> list[Path]:
    """What is in a folder for a check: a project's files, its providers, or LiteLLM files.

    Those are the YAML files with a section of LiteLLM's, or that cannot be read. Empty where there
    are none, or where the folder cannot be listed.
    """
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 (names only)
    except OSError:
        return []
    if wiring.PROJECT_FILE in names:
        providers = folder / wiring.PROVIDERS_DIR
        inside = sorted(os.listdir(providers)) if providers.is_dir() else []  # noqa: PTH208
        own = [providers / name for name in inside if wiring.is_provider_file(name)]
        return [folder / wiring.PROJECT_FILE, *own]
    yamls = [name for name in names if wiring.is_provider_file(name)]
    if folder.name == wiring.PROVIDERS_DIR and (folder.parent / wiring.PROJECT_FILE).exists():
        return [folder / name for name in yamls]
    found = ((folder / name, reader.read(folder / name, name)) for name in yamls)
    return [path for path, document in found if _is_litellm(document)]


def _is_litellm(document: Document) -> bool:
    data = document.data
    return data is None or (isinstance(data, dict) and any(each in data for each in _SECTIONS))


_SECTIONS = (MODELS, *SETTINGS, "include")


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
