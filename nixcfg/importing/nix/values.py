"""What a Nix expression can be worth, and how values are joined."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nixcfg.problems.problem import START, Span

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(frozen=True, slots=True)
class Path:
    """A path literal: relative to the file, which Nix would copy into the store."""

    text: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that only the real evaluation knows, by how it is reached: config.sops.secrets.x.

    `arguments` are thunks of what a function that is not known here was given.
    """

    steps: tuple[str, ...]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds; `optional` where the expression does without it."""

    file: Any
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Generated:
    """A file that Nix would write: its text, or the data that it is made from."""

    value: Any


@dataclass(frozen=True, slots=True)
class Mixed:
    """A text with parts that are no text: paths, contents, opaque values."""

    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A lambda with the scope that it was made in."""

    node: "Node"
    scope: "Scope"


@dataclass(slots=True)
class Thunk:
    """A value to be worked out when it is needed, once; `span` is where it is written."""

    compute: Callable[[], Any]
    span: Span = START
    key_span: Span = START
    value: Any = None
    state: str = "new"

    def force(self) -> Any:
        if self.state == "new":
            self.state = "running"
            self.value = self.compute()
            self.state = "done"
        return self.value if self.state == "done" else Opaque(("recursion",))


Attributes = dict[str, Thunk]


@dataclass(frozen=True, slots=True)
class Scope:
    """Names in reach, from the inside out; `withs` are asked when no name is found."""

    names: Mapping[str, Thunk]
    parent: "Scope | None" = None
    withs: tuple[Thunk, ...] = ()

    def find(self, name: str) -> Thunk | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        scope = self
        while scope is not None:
            for each in scope.withs:
                attributes = each.force()
                if isinstance(attributes, dict) and name in attributes:
                    found: Thunk = attributes[name]
                    return found
            scope = scope.parent
        return None


def known(value: Any) -> Thunk:
    """A thunk of what is there already."""
    return Thunk(lambda: value, state="done", value=value)


def both(old: Thunk, new: Thunk) -> Thunk:
    """Two definitions of one attribute, as `a.b = 1; a.c = 2;` makes them."""

    def merge() -> Any:
        return merged([old.force(), new.force()])

    return Thunk(merge, old.span, old.key_span)


def merged(values: list[Any]) -> Any:
    """Definitions of one option put together, as the module system does."""
    result: Any = None
    for value in values:
        if isinstance(result, dict) and isinstance(value, dict):
            result = {
                key: both(result[key], value[key])
                if key in result and key in value
                else result.get(key, value.get(key))
                for key in {**result, **value}
            }
        elif isinstance(result, list) and isinstance(value, list):
            result = result + value
        elif result is None or isinstance(result, Opaque):
            result = value
    return result


def joined(parts: list[Any]) -> Any:
    """A text put together, or a path where the first part is one."""
    flat: list[Any] = []
    for part in parts:
        flat += part.parts if isinstance(part, Mixed) else [part]
    texts = [str(part) if isinstance(part, int) else part for part in flat]
    if texts and isinstance(texts[0], Path) and len(texts) > 1 and texts[0].text == "":
        rest = [part.text if isinstance(part, Path) else part for part in texts[1:]]
        if all(isinstance(part, str) for part in rest):
            return Path("".join(rest))
    joined: list[Any] = []
    for part in texts:
        if part == "":
            continue
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    if not joined:
        return ""
    return joined[0] if len(joined) == 1 else Mixed(tuple(joined))


def unindented(parts: list[Any]) -> list[Any]:
    """The parts of a '' string without the indentation that all lines share."""
    marker = "\0"
    text = "".join(part if isinstance(part, str) else marker for part in parts)
    others = iter([part for part in parts if not isinstance(part, str)])
    lines = text.split("\n")
    if not lines[0].strip(" "):
        lines = lines[1:]
    indents = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip(" ")]
    cut = min(indents, default=0)
    lines = [line[cut:] for line in lines]
    if lines and not lines[-1].strip(" "):
        lines[-1] = ""
    result: list[Any] = []
    for number, piece in enumerate("\n".join(lines).split(marker)):
        result += [next(others)] if number else []
        result.append(piece)
    return result
