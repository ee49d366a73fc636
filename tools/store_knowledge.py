"""Store sets of knowledge in nixcfg/knowledge: the default one in full, the others as patches.

    python tools/store_knowledge.py [--default X.Y.Z] [--drop X.Y.Z] [FOLDER ...]

A FOLDER holds a set as generate_knowledge.py and the two measuring programs write it; it replaces
the stored set of the same release. Without --default the default release stays what it is.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from learn import layout

from nixcfg import knowledge
from nixcfg.knowledge import store

FILES = (
    "litellm",
    "models",
    "bare_models",
    "refused",
    "vendor_params",
    "fates",
    "behaviour",
    "access",
    "entries",
    "variables",
    "defaults",
)
Set = dict[str, Any]


def stored() -> dict[str, Set]:
    """Every stored set by release, in full."""
    found = {}
    for release in knowledge.known():
        given = None if release == knowledge.default().version else release
        found[release] = {name: store.read(given, name) for name in FILES}
    return found


def given(folder: Path) -> Set:
    return {name: json.loads((folder / f"{name}.json").read_bytes()) for name in FILES}


def save(sets: dict[str, Set], default: str) -> None:
    """Write all sets again, and nothing else."""
    base = sets[default]
    layout.write(store.FOLDER, base)
    shutil.rmtree(store.PATCHES, ignore_errors=True)
    for release in sorted(sets.keys() - {default}):
        folder = store.PATCHES / release
        folder.mkdir(parents=True)
        patches = {name: store.difference(base[name], sets[release][name]) for name in FILES}
        layout.write(folder, patches)
        for name in FILES:
            read = json.loads((folder / f"{name}.json").read_bytes())
            if store.patched(base[name], read) != sets[release][name]:
                raise SystemExit(f"{release}/{name}.json does not give the set back")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--default", default=knowledge.default().version)
    parser.add_argument("--drop", action="append", default=[])
    parser.add_argument("folders", type=Path, nargs="*")
    options = parser.parse_args()
    sets = stored()
    for folder in options.folders:
        new = given(folder)
        sets[new["litellm"]["litellm_version"]] = new
    for release in options.drop:
        del sets[release]
    save(sets, options.default)
    return 0


if __name__ == "__main__":
    sys.exit(main())
