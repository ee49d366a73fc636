"""What the tests of set-key share: a key, and what a folder of keys holds."""

import stat
from pathlib import Path

KEY = "gsk_" + "Zm9vYmFyYmF6cXV4" * 2


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
