"""The files of the sets of knowledge: one set in full, the others as what differs from it.

``litellm.json`` and its companions beside this file are those of the default release. A folder in
``releases/`` holds, for one more release, what differs in each of them, as a JSON merge patch
(RFC 7386: a mapping is merged, null removes a key, everything else replaces). Each file is read
when something in it is looked up, and none of another release.
"""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent
PATCHES = FOLDER / "releases"


def patched_releases() -> tuple[str, ...]:
    """The releases that are stored as patches, in no order."""
    return tuple(folder.name for folder in PATCHES.glob("*") if folder.is_dir())


def read(release: str | None, name: str) -> Any:
    """The content of ``name.json`` in the set of a release, None for the default one."""
    if release is None:
        return _base(name)
    patch = json.loads((PATCHES / release / f"{name}.json").read_bytes())
    return patched(_base(name), patch)


@cache
def _base(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_bytes())


def patched(value: Any, patch: Any) -> Any:
    """What a merge patch makes of a value. Parts that stay are shared, so neither is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if change is None:
            merged.pop(key, None)
        else:
            merged[key] = patched(merged.get(key), change)
    return merged


def difference(before: Any, after: Any) -> Any:
    """The merge patch that makes ``after`` of ``before``; ValueError for a null in a mapping."""
    if not isinstance(after, dict):
        return after
    old: Mapping[str, Any] = before if isinstance(before, dict) else {}
    patch: dict[str, Any] = {key: None for key in old if key not in after}
    for key, value in after.items():
        if value is None:
            raise ValueError(f"{key}: a merge patch cannot set null")
        if key not in old or old[key] != value:
            patch[key] = difference(old.get(key), value)
    return patch
