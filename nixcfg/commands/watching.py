"""Do something again whenever a file changes."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from nixcfg.commands.output import advise

_PAUSE = 0.3
"""Seconds between two looks: soon enough for a person, and a thousandth of a processor."""

_State = dict[Path, tuple[int, int, int] | None]


def repeat(once: Callable[[], tuple[int, list[Path]]], also: Iterable[Path]) -> int:
    """Call `once` now and after every change, until Ctrl-C; the last exit code.

    `once` gives an exit code, and the files and folders that it depended on; `also` are further
    ones. Files are looked at rather than subscribed to: that works on every file system, and an
    editor that writes a new file in the old one's place is no special case.
    """
    code = 0
    paths: list[Path] = []
    also = list(also)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            if sys.stdout.isatty():
                click.clear()
            earlier = _state([*paths, *also])  # a file may change while it is checked
            code, paths = once()
            sys.stdout.flush()
            before = {**_state([*paths, *also]), **earlier}
            advise("Waiting for a change; Ctrl-C ends.")
            while _state(before) == before:
                time.sleep(_PAUSE)
    return code


def _state(paths: Iterable[Path]) -> _State:
    return {path: _of(path) for path in paths}


def _of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 (thousands of files)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
