"""What fixes have to give, worked out from the data and the lines, without nixcfg.yamltext."""

from collections.abc import Iterable
from typing import Any

import yaml

from nixcfg.problems.problem import (
    MoveKey,
    RenameKey,
    SetValue,
    Steps,
)
from nixcfg.yamltext.edits import Edit

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, as in nixcfg


def wanted(data: Any, edits: Iterable[Edit]) -> Any:
    """The data after the edits. (`copy.deepcopy` would keep what aliases share shared.)"""
    data = json_copy(data)
    for edit in edits:
        *way, last = edit.path
        parent = data
        for step in way:
            parent = parent[step]
        match edit:
            case SetValue():
                parent[last] = edit.value
            case RenameKey():
                items = [(edit.name if k == last else k, v) for k, v in parent.items()]
                parent.clear()
                parent.update(items)
            case MoveKey():
                value = parent.pop(last)
                if len(way) == 1 and not parent:
                    del data[way[0]]
                data[edit.section] = {**(data.get(edit.section) or {}), last: value}
    return data


def json_copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: json_copy(inner) for key, inner in value.items()}
    return [json_copy(inner) for inner in value] if isinstance(value, list) else value


def exact(value: Any) -> str:
    """Tells 1 from True from "1", and does not mind the order of keys."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{k!r}:{exact(value[k])}" for k in sorted(value)) + "}"
    return "[" + ",".join(map(exact, value)) + "]" if isinstance(value, list) else repr(value)


# --- Random edits to texts that are full of traps.


def alike(text: str, edit: Edit) -> list[Steps]:
    """The path of an edit, and those at which anchors repeat the same text under its name."""
    same = {edit.path: None}
    if isinstance(edit, MoveKey) or "*" not in text or not loads(text):
        return list(same)
    nodes = {}
    todo = [((), yaml.compose(text, LOADER))]
    flatten = yaml.constructor.SafeConstructor().flatten_mapping
    while todo:
        path, node = todo.pop()
        if isinstance(node, yaml.MappingNode):
            flatten(node)
            inner = {key.value: (key, value) for key, value in node.value}
        elif isinstance(node, yaml.SequenceNode):
            inner = {number: (value, value) for number, value in enumerate(node.value)}
        else:
            continue
        for step, pair in inner.items():
            nodes[(*path, step)] = pair[0 if isinstance(edit, RenameKey) else 1]
            todo.append(((*path, step), pair[1]))
    same |= {p: None for p in nodes if p[-1] == edit.path[-1] and nodes[p] is nodes[edit.path]}
    return sorted(same, key=len, reverse=True)  # inner names before outer ones


def loads(text: str) -> bool:
    """Whether PyYAML takes a text; it refuses an anchor that stands twice."""
    try:
        yaml.load(text, LOADER)
    except yaml.YAMLError:
        return False
    return True
