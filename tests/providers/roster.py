"""What the tests of add-provider, remove-provider, providers, models and use share."""

from collections.abc import Callable
from pathlib import Path

import yaml
from in_process import Done

Snapshot = Callable[[Path], dict[str, bytes]]
Run = Callable[..., Done]
KEY = "gsk_Zm9vYmFyYmF6cXV4Zm9vYmFy"


def data(file: Path) -> dict[str, object]:
    loaded: dict[str, object] = yaml.safe_load(file.read_text())
    return loaded


def text(project: Path, name: str) -> str:
    return (project / "providers" / f"{name}.yaml").read_text()
