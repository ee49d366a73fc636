"""Find a project and read its files."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nixcfg.problems.problem import START, Problem, Rule, Severity, reason
from nixcfg.project import wiring
from nixcfg.yamltext import reader
from nixcfg.yamltext.document import Document

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Sources:
    """The documents of a project: nixcfg.yaml, and the provider files by provider name."""

    root: Path
    project: Document
    providers: dict[str, Document]
    problems: tuple[Problem, ...]


def project_root(start: Path) -> Path | None:
    """The nearest folder at or above `start` that holds a nixcfg.yaml."""
    start = Path(os.path.abspath(start))  # noqa: PTH100 (keeps symlinks as the user sees them)
    for folder in (start, *start.parents):
        if os.path.lexists(folder / wiring.PROJECT_FILE):
            return folder
    return None


def by_project(base: Path, files: Iterable[Path]) -> dict[Path | None, list[str]]:
    """Files that a user names, by the project whose own they are, as that project calls them.

    Under None are those of no project, as the user calls them, relative to `base`.
    """
    found: dict[Path | None, list[str]] = {}
    for file in dict.fromkeys(files):
        root = project_root((base / file).parent)
        own = _own_name(root, base / file) if root else None
        found.setdefault(root if own else None, []).append(own or str(file))
    return found


def _own_name(root: Path, file: Path) -> str | None:
    name = os.path.relpath(file, root)
    folder, last = os.path.split(name)
    is_provider = folder == wiring.PROVIDERS_DIR and wiring.is_provider_file(last)
    return name if is_provider or name == wiring.PROJECT_FILE else None


def is_name(text: str) -> bool:
    """Whether a text can name a provider: its file, its configuration, its Nix attribute."""
    return bool(_NAME.fullmatch(text))


NO_PROVIDERS = Rule("NX011", Severity.ERROR)
BAD_NAME = Rule("NX012", Severity.ERROR)


def read_project(root: Path, read: reader.Read = reader.read) -> Sources:
    """Read every file of the project in `root`."""
    problems: list[Problem] = []
    providers: dict[str, Document] = {}
    files: dict[str, str] = {}
    folder = root / wiring.PROVIDERS_DIR
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 (names only)
    except OSError as error:
        names = []
        problems.append(
            _problem(
                wiring.PROVIDERS_DIR, reader.UNREADABLE, f"cannot be listed: {reason(error)}", _ADD
            )
        )
    else:
        if not any(map(wiring.is_provider_file, names)):
            problems.append(
                _problem(wiring.PROVIDERS_DIR, NO_PROVIDERS, "no provider file here", _ADD)
            )
    for file in filter(wiring.is_provider_file, names):
        name = file.rpartition(".")[0]
        shown = f"{wiring.PROVIDERS_DIR}/{os.fsencode(file).decode('utf-8', 'replace')}"
        if not is_name(name) or name.lower() == wiring.ALL:
            why = (
                "all is built in" if name.lower() == wiring.ALL else "use letters, digits, - and _"
            )
            problems.append(
                _problem(shown, BAD_NAME, f"cannot be a provider's name: {why}", "Rename the file.")
            )
        elif name.lower() in files:
            same = files[name.lower()]
            wrong = (
                f"{same} is the same provider"
                if same.rpartition(".")[0] == shown.rpartition(".")[0]
                else f"on a file system that ignores case it is {same}"
            )
            problems.append(_problem(shown, BAD_NAME, wrong, "Rename or remove one of the two."))
        else:
            files[name.lower()] = shown
            providers[name] = read(folder / file, shown)
    project = read(root / wiring.PROJECT_FILE, wiring.PROJECT_FILE)
    return Sources(root, project, providers, tuple(problems))


_ADD = "Add one: `nixcfg init` shows what it looks like."


def _problem(name: str, rule: Rule, message: str, help: str) -> Problem:
    return Problem(rule, name, START, message, help)
