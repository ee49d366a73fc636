"""How a set of knowledge is laid out in files: one entry a line, so that a diff can be read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Levels with a line of their own for each entry, by file and top-level key.
DEPTHS: dict[str, dict[str, int]] = {
    "litellm": {
        "sections": 3,
        "providers": 1,
        "routing": 2,
        "callbacks": 1,
        "blocked_variables": 0,
        "environments": 0,
    },
    "models": {"models": 2, "columns": 0, "regions": 1},
    "bare_models": {},
    "refused": {"refused": 2, "licence": 1},
    "vendor_params": {"vendors": 1, "without_effect": 0, "unsent": 0, "nested": 0},
    "fates": {"common": 2, "roads": 2},
    "behaviour": {},
    "entries": {
        "places": 3,
        "guardrails": 2,
        "durations": 1,
        "imports": 1,
        "files": 1,
        "caches": 1,
        "team_variables": 0,
    },
    "variables": {"at_import": 0},
    "access": {},
    "defaults": {},
}


def write(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    for name, data in files.items():
        text = spell(dict(data), DEPTHS[name]) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def spell(data: Any, depth: Mapping[str, int] | int, indent: str = "") -> str:
    """JSON with line breaks down to ``depth`` levels, compact below."""
    if not isinstance(data, (dict, list)) or depth == 0 or not data:
        return json.dumps(data, ensure_ascii=False, sort_keys=True)
    inner = indent + " "
    if isinstance(data, list):
        lines = [inner + spell(item, _lower(depth, ""), inner) for item in data]
        return "[\n" + ",\n".join(lines) + f"\n{indent}]"
    # The top level keeps its order (version first); everything below is sorted.
    items = data.items() if isinstance(depth, Mapping) else sorted(data.items())
    lines = [f"{inner}{json.dumps(k)}: {spell(v, _lower(depth, k), inner)}" for k, v in items]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _lower(depth: Mapping[str, int] | int, key: str) -> int:
    return depth.get(key, 1) if isinstance(depth, Mapping) else depth - 1
