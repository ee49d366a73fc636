"""Walks through a document of any shape: to every scalar, and to a place that knowledge names."""

from collections.abc import Iterator, Sequence
from typing import Any

from nixcfg.knowledge.entries import Step
from nixcfg.problems.problem import Steps
from nixcfg.yamltext.document import Map


def scalars(value: Any, path: Steps = ()) -> list[tuple[Steps, Any]]:
    """Every scalar in a value, also in lists, with its path."""
    found: list[tuple[Steps, Any]] = []
    _collect(value, path, found)
    return found


def reached(data: Any, steps: Sequence[Step], path: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """What is at a place in this document, a mapping if all is well, with the path of each."""
    if not steps:
        yield path, data
        return
    if not isinstance(data, Map):
        return
    step, *rest = steps
    if step.name not in data:
        return
    value = data[step.name]
    if step.key and not (isinstance(value, Map) and value.get(step.key) == step.value):
        return
    here: Steps = (*path, step.name)
    if step.each == "[]":
        found = enumerate(value) if isinstance(value, list) else ()
        for index, item in found:
            if _leads_on(item, rest):
                yield from reached(item, rest, (*here, index))
    elif step.each:
        for key, item in value.items() if isinstance(value, Map) else ():
            yield from reached(item, rest, (*here, key))
    else:
        yield from reached(value, rest, here)


def _leads_on(item: Any, steps: Sequence[Step]) -> bool:
    """Whether an entry of a list has the next two steps: most of a long list have none of them."""
    for step in steps[:2]:
        if not isinstance(item, Map) or step.name not in item:
            return False
        if step.each:
            return True
        item = item[step.name]
    return True


def _collect(value: Any, path: Steps, found: list[tuple[Steps, Any]]) -> None:
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            _collect(inner, (*path, step), found)
    else:
        found.append((path, value))
