"""A file of cases without what its schema refuses, so that the rest can be checked. Pure."""

import copy
from collections.abc import Mapping
from typing import Any

from nixcfg.problems.problem import Steps
from nixcfg.project import shape

_KEYED_BY_NAMES = ("vendors", "asked")
_REQUIRED: Mapping[str, Any] = {"name": "", "request": {}, "cases": []}
_ITEMS: Mapping[str, Any] = {"cases": {"name": ""}, "steps": {"request": {}}}


def trim(data: object) -> tuple[Mapping[str, Any], frozenset[Steps]]:
    """What fits the schema of cases, and the paths of the mappings that are not whole.

    A name of a vendor stays, with None for what is said of it. What has to be there is empty where
    it is missing. A list with a wrong item is left out, but for cases, steps and behaviours.
    """
    if not isinstance(data, Mapping):
        return {}, frozenset([()])
    if shape.is_valid("case", data):
        return data, frozenset()
    left: dict[str, Any] = copy.deepcopy(dict(data))
    refused = sorted(shape.refused("case", data), key=len, reverse=True)  # inner ones first
    return left, frozenset(_take_out(left, path) for path in refused)


def _take_out(left: dict[str, Any], path: Steps) -> Steps:
    """Take out the value at this path; the path of the mapping that is no longer whole."""
    if path and isinstance(path[-1], int):
        around, name = _at(left, path[:-1]), path[-2]
        if name in _ITEMS or path[-3:-2] == ("vendors",):
            around[path[-1]] = dict(_ITEMS.get(f"{name}", {}))
            return path
        return _take_out(left, path[:-1])
    around, key = _at(left, path[:-1]), path[-1]
    if path[-2:-1] and path[-2] in _KEYED_BY_NAMES:
        around[key] = None
    elif key in _REQUIRED:
        around[key] = _REQUIRED[f"{key}"]
    else:
        around.pop(key, None)
    return path[:-1]


def _at(data: Any, path: Steps) -> Any:
    for step in path:
        data = data[step]
    return data
