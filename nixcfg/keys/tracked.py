"""Keys in files that git tracks, beside the YAML that the rules read: each one is in the history.

Only where such files usually are: a key in a source file's test is not what this is about.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nixcfg.gateway import machine
from nixcfg.keys import shapes
from nixcfg.keys.refusals import key_refusal
from nixcfg.project import wiring

_MAX_BYTES = 256 * 1024
_MAX_FILES = 2000
_PRIVATE = re.compile(
    r"(^|[._-])(credential|env|envrc|key|password|private|secret|token)s?($|[._-])"
)
"""Names of files and folders in which keys are kept."""
_CODE = frozenset((".c", ".css", ".go", ".html", ".js", ".lock", ".py", ".rs", ".svg", ".ts"))
_ASSIGNED = r"(?<![\w-])({names})[\"']?[ \t]*[:=][ \t]*[\"']?(?P<value>[^\s\"'#,;]+)"


class Tracked(NamedTuple):
    """A place where a tracked file holds a key: line and column from 1, length in characters."""

    file: str
    line: int
    column: int
    length: int


def tracked(root: Path, variables: Collection[str], own: Collection[str]) -> Iterator[Tracked]:
    """The keys in files of a project that git tracks; none where git cannot be asked.

    `variables` are those that hold a key here, `own` the files that the rules read. The files of
    another project below this one are its own.
    """
    try:
        files = machine.tracked_files(root)
    except machine.UnknownError:
        return
    key_files = {wiring.key_file(name, ".").rpartition("/")[2]: name for name in variables}
    names = "|".join(map(re.escape, sorted(variables)))
    assigned = re.compile(_ASSIGNED.format(names=names)) if names else None
    inner = {os.path.dirname(f) for f in files if os.path.basename(f) == wiring.PROJECT_FILE} - {""}  # noqa: PTH119, PTH120 (texts)
    wanted = [f for f in files if f not in own and _is_likely(f, key_files, inner)]
    for file in wanted[:_MAX_FILES]:
        text = _text(root / file)
        variable = key_files.get(file.rpartition("/")[2])
        for start, end in _keys(text, variable, assigned):
            line = text.count("\n", 0, start) + 1
            column = start - text.rfind("\n", 0, start)
            yield Tracked(file, line, column, min(end, len(text)) - start)


def _is_likely(file: str, key_files: Mapping[str, str], inner: Collection[str]) -> bool:
    *folders, name = file.split("/")
    if any("/".join(folders[:n]) in inner for n in range(1, len(folders) + 1)):
        return False
    if not _ELSEWHERE.isdisjoint(folders):
        return False
    if name in key_files:
        return True
    if os.path.splitext(name)[1] in _CODE:  # noqa: PTH122 (a text)
        return False
    # A project's own folders, and what is called like one for keys, however deep it is.
    return not folders or folders[0] in _FOLDERS or any(map(_PRIVATE.search, (*folders, name)))


_ELSEWHERE = frozenset(("fixtures", "test", "testdata", "tests", wiring.MODULE))
"""Folders of keys that are made up, and of the module, which has none."""
_FOLDERS = (wiring.EXAMPLES_DIR, wiring.RENDERED_DIR, wiring.PROVIDERS_DIR)


def _text(path: Path) -> str:
    try:
        if path.is_symlink() or path.stat().st_size > _MAX_BYTES:
            return ""
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _keys(
    text: str, variable: str | None, assigned: re.Pattern[str] | None
) -> Iterator[tuple[int, int]]:
    """Where a text has keys: alone in a key file, behind a variable's name, or of known shape."""
    bare = text.strip() if variable else ""
    if variable and bare and "\n" not in bare and key_refusal(variable, bare.encode()) is None:
        start = text.index(bare)
        yield start, start + len(bare)
        return
    seen = -1
    found = [m.span("value") for m in assigned.finditer(text)] if assigned else []
    known = [span for span in shapes.spans(text) if shapes.has_prefix(text[slice(*span)])]
    for start, end in sorted({*found, *known}):
        value = text[start:end]
        is_key = shapes.looks_like_key(value) and key_refusal("", value.encode()) is None
        if start > seen and is_key and (shapes.is_random(value) or (start, end) in found):
            yield start, end
            seen = end
