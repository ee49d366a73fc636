"""Print a LiteLLM configuration with the settings of Nix: `merge.py FILE.yaml SETTINGS.json`.

A mapping is merged into the one that the file has in its place; everything else replaces it.
"""

import json
import sys
from pathlib import Path

import yaml


def merged(base: object, changes: object) -> object:
    """Both as one; what `changes` says wins."""
    if not isinstance(base, dict) or not isinstance(changes, dict):
        return changes
    return {
        **base,
        **{key: merged(base.get(key), value) for key, value in changes.items()},
    }


file, settings = map(Path, sys.argv[1:])
data = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
result = merged(data, json.loads(settings.read_text(encoding="utf-8")))
yaml.safe_dump(result, sys.stdout, sort_keys=False, allow_unicode=True)
