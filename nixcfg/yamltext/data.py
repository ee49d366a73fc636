"""The data that YAML holds, as plain values: looked up, changed in a copy, compared. Pure.

A path is the keys and indices that lead to a value. Nothing here recurses: with aliases, a short
text can hold data that is thousands of levels deep.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nixcfg.problems.problem import Steps


def at(data: Any, path: Steps) -> Any:
    """The value at `path`. Raises KeyError, IndexError or TypeError where there is none."""
    for step in path:
        data = data[step]
    return data


def children(value: Any) -> Iterable[tuple[str | int, Any]]:
    """What a collection holds, by key or index; a scalar holds nothing."""
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def walk(data: Any) -> Iterator[tuple[Steps, Any]]:
    """Every path below the root with its value, in order, collections before what they hold."""
    todo: list[tuple[Steps, Any]] = [((), data)]
    while todo:
        path, value = todo.pop()
        if path:
            yield path, value
        todo += reversed([((*path, step), inner) for step, inner in children(value)])


def with_(data: Any, path: Steps, change: Callable[[Any], Any]) -> Any:
    """A copy in which the value at `path` is `change` of it; what is off the path is shared."""
    root: Any = {"": data}
    holder: Any = root
    last: str | int = ""
    for step in path:
        holder[last] = dict(holder[last]) if isinstance(holder[last], dict) else list(holder[last])
        holder, last = holder[last], step
    holder[last] = change(holder[last])
    return root[""]


def outermost(data: Any, paths: Iterable[Steps]) -> set[Steps]:
    """What goes when `paths` go: a collection that loses everything in it goes as a whole.

    No path of the result lies inside another. The root is never among them.
    """
    gone = set(paths)
    for length in range(max(map(len, gone), default=0), 1, -1):
        for parent, count in Counter(path[:-1] for path in gone if len(path) == length).items():
            if count == len(at(data, parent)):
                gone.add(parent)
    return {path for path in gone if not any(path[:end] in gone for end in range(1, len(path)))}


def without(data: Any, paths: Iterable[Steps]) -> Any:
    """A copy without the values at `paths`, and without the collections that this empties."""
    inside: dict[Steps, set[str | int]] = {}
    for path in outermost(data, paths):
        inside.setdefault(path[:-1], set()).add(path[-1])
    for parent in sorted(inside, key=len, reverse=True):  # an index counts until its list changes
        gone = inside[parent]

        def rest(old: Any, gone: set[str | int] = gone) -> Any:
            kept = [(step, inner) for step, inner in children(old) if step not in gone]
            return dict(kept) if isinstance(old, dict) else [inner for _, inner in kept]

        data = with_(data, parent, rest)
    return data


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down: True is not 1, the order of keys no matter."""
    todo = [(one, other)]
    while todo:
        a, b = todo.pop()
        if isinstance(a, dict) and isinstance(b, dict):
            if a.keys() != b.keys():
                return False
            todo += ((value, b[key]) for key, value in a.items())
        elif isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            todo += zip(a, b, strict=True)
        elif type(a) is not type(b) or (a != b and a == a):  # noqa: PLR0124 (nan is not itself)
            return False
    return True
