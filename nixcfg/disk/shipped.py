"""Where the files that ship with nixcfg are: schemas, templates, rule pages, the NixOS module.

`templates/`, `docs/rules/` and `modules/` are at the top of the checkout, and inside the
package in the wheel.
"""

import functools
import json
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1]


def folder(name: str) -> Path:
    """The folder `templates`, `modules` or `docs/rules`."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def module_texts() -> dict[str, str]:
    """The files of the NixOS module, by name; they are rendered into a folder beside docker.nix."""
    module = folder("modules") / "litellm-proxy"
    # pip compiles start.py beside itself, into a folder.
    files = (file for file in sorted(module.iterdir()) if file.is_file())
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def schema_text(kind: str) -> str:
    """The JSON Schema of a file kind, `project` or `provider`."""
    return (_PACKAGE / "schema" / f"{kind}.schema.json").read_text(encoding="utf-8")


@functools.cache
def schema(kind: str) -> dict[str, Any]:
    """The same, parsed."""
    parsed: dict[str, Any] = json.loads(schema_text(kind))
    return parsed
