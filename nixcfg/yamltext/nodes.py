"""A YAML text with its nodes: at which characters each key, value and comment is written. Pure.

Edits need both ends of every node, which the data of a document does not keep.
"""

import bisect
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml

from nixcfg.problems.problem import Steps
from nixcfg.yamltext.document import BREAK
from nixcfg.yamltext.edits import RefusedError
from nixcfg.yamltext.scalars import LOADER

_COMMENT = re.compile("(?:^|(?<=[\\s\ufeff]))#[^\n\r\x85\u2028\u2029]*")
_LAST_BREAK = re.compile(rf"(?:{BREAK.pattern})\Z")
_SPACE = re.compile("[\n\r\x85\u2028\u2029 ]+\\Z")
_KEEPS = re.compile(r"(?:[&!]\S*\s+)*[|>]\d?\+")
_COMMENT_OR_DASH = re.compile(rf"{_COMMENT.pattern}|(?<!\S)-(?!\S)")


class Replacement(NamedTuple):
    """Write `text` in place of what is between two offsets."""

    start: int
    end: int
    text: str = ""


@dataclass(slots=True)
class Node:
    """A node of the text: `start` to `end` are its characters, without the last line break.

    `style` is "" for plain scalars and block collections, else the first character of the syntax.
    The children of a mapping are its keys and values in turn; an alias has its target.
    """

    kind: str
    start: int
    end: int
    style: str = ""
    value: str = ""
    in_flow: bool = False
    children: list["Node"] = field(default_factory=list)
    target: "Node | None" = None

    @property
    def is_merge(self) -> bool:
        return self.kind == "scalar" and self.value == "<<" and not self.style

    @property
    def is_block_scalar(self) -> bool:
        return self.kind == "scalar" and self.style in ("|", ">")

    @property
    def is_flow(self) -> bool:
        """Whether it is a collection in brackets."""
        return self.kind != "scalar" and bool(self.style)

    @property
    def entries(self) -> list[tuple["Node", "Node"]]:
        """Keys and values of a mapping; of a list, each item twice."""
        if self.kind == "seq":
            return [(each, each) for each in self.children]
        return list(zip(self.children[::2], self.children[1::2], strict=True))

    def find(self, key: str) -> int | None:
        """The index of a key in a mapping. Raises RefusedError for a key that is there twice."""
        pairs = enumerate(self.entries)
        found = [n for n, (k, _) in pairs if k.kind == "scalar" and k.value == key]
        if len(found) > 1:
            raise RefusedError(f"{key} stands twice")
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: the collection that holds it, its index there, its key, its value.

    An item of a list is its own key. `shared` says that an alias or a merge leads there.
    """

    parent: Node
    index: int
    key: Node
    value: Node
    shared: bool = False


class Page:
    """A text, its lines (counted from 0) and its nodes. The text always ends with a line break."""

    def __init__(self, text: str) -> None:
        found = BREAK.search(text)
        self.newline = found[0] if found else "\n"
        self.has_last_break = bool(BREAK.fullmatch(text[-1:]))
        self.text = text if self.has_last_break else text + self.newline
        self.starts = [0, *(each.end() for each in BREAK.finditer(self.text))]
        self.has_aliases = False
        self.root = self._nodes()

    def _nodes(self) -> Node:
        anchors: dict[str | None, Node] = {}
        stack = [Node("seq", 0, 0)]
        for event in yaml.parse(self.text, Loader=LOADER):
            if isinstance(event, yaml.CollectionEndEvent):
                node = stack.pop()
                # libyaml ends a block collection at the next token, after comments and blanks.
                node.end = _offsets(event)[1] if node.style else node.children[-1].end
            elif isinstance(event, yaml.NodeEvent):
                node = self._node(event, anchors)
                node.in_flow = bool(stack[-1].style)
                stack[-1].children.append(node)
                if isinstance(event, yaml.CollectionStartEvent):
                    stack.append(node)
        return stack[0].children[0]

    def _node(self, event: yaml.NodeEvent, anchors: dict[str | None, Node]) -> Node:
        start, end = _offsets(event)
        match event:
            case yaml.AliasEvent():
                self.has_aliases = True
                return Node("alias", start, end, target=anchors[event.anchor])
            case yaml.ScalarEvent():
                node = Node("scalar", start, end, event.style or "", event.value)
                if node.is_block_scalar:
                    written = self.text[start:end]
                    # With `|+` the blank lines below it are part of it.
                    ending = _LAST_BREAK if _KEEPS.match(written) else _SPACE
                    node.end = start + len(ending.sub("", written))
            case yaml.MappingStartEvent():
                node = Node("map", start, end, "{" if event.flow_style else "")
            case yaml.SequenceStartEvent():
                node = Node("seq", start, end, "[" if event.flow_style else "")
        anchors[event.anchor] = node
        return node

    # Lines.

    def line_of(self, offset: int) -> int:
        # A value that is missing altogether can be behind the last line.
        return min(bisect.bisect_right(self.starts, offset), self.line_count) - 1

    def line(self, number: int) -> str:
        """A line without its break; "" after the last."""
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
        return BREAK.sub("", self.text[self.starts[number] : end])

    @property
    def line_count(self) -> int:
        return len(self.starts) - 1

    def column(self, offset: int) -> int:
        return offset - self.starts[self.line_of(offset)]

    def before(self, offset: int) -> str:
        """The part of its line before an offset."""
        return self.text[self.starts[self.line_of(offset)] : offset]

    def after(self, offset: int) -> str:
        """The rest of the line."""
        number = self.line_of(offset)
        return self.line(number)[offset - self.starts[number] :]

    def is_blank(self, number: int) -> bool:
        return not self.line(number).strip()

    def is_comment(self, number: int) -> bool:
        return self.line(number).lstrip(" \t").startswith("#")

    def indent(self, number: int) -> int:
        line = self.line(number)
        return len(line) - len(line.lstrip(" \t"))

    def is_end(self, number: int) -> bool:
        """Whether nothing more of the document comes from line `number` on."""
        return number >= self.line_count or self.line(number).split()[:1] in (["..."], ["---"])

    # Nodes.

    def start(self, place: Place) -> int:
        """Where an entry starts: at its key, or at the dash of an item."""
        if place.parent.kind == "map" or place.parent.style:
            return place.key.start
        previous = place.parent.children[place.index - 1].end if place.index else place.parent.start
        pieces = _COMMENT_OR_DASH.finditer(self.text, previous, place.key.start + 1)
        return next((each.start() for each in pieces if each[0] == "-"), place.key.start)

    def place(self, path: Steps) -> Place:
        """Where a path of the data leads in the text. Raises RefusedError."""
        here, shared = self.root, False
        at: Place | None = None
        for step in path:
            if here.target:
                here, shared = here.target, True
            at = _step(here, step, shared=shared)
            here, shared = at.value, at.shared
        if at is None:
            raise RefusedError("it is the whole file")
        return at

    def paths(self) -> Iterator[tuple[Steps, Node, Node]]:
        """Every path of the data, with its key (or its value, in a list) and its value."""
        todo: list[tuple[Steps, Node]] = [((), self.root)]
        while todo:
            path, node = todo.pop()
            for step, key, value in _entries(node):
                target = value.target or value
                yield (*path, step), key, target
                if target.children:
                    todo.append(((*path, step), target))

    @functools.cached_property
    def comments(self) -> list[tuple[int, str]]:
        """Every comment with its offset: what starts with # outside of scalars."""
        comments: list[tuple[int, str]] = []
        at = 0
        for node in _scalars(self.root):
            comments += found(self.text, at, node.start)
            at = node.end
            if node.is_block_scalar:  # its first line can hold a comment
                comments += found(self.text, node.start, self.starts[self.line_of(node.start) + 1])
        return [*comments, *found(self.text, at)]


def found(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, str]]:
    """The comments of a piece of text that holds no scalars, with their offsets."""
    end = len(text) if end is None else end
    return [(each.start(), each[0].rstrip()) for each in _COMMENT.finditer(text, start, end)]


def _offsets(event: yaml.Event) -> tuple[int, int]:
    start, end = event.start_mark, event.end_mark
    return (start.index, end.index) if start and end else (0, 0)  # a parser's events have both


def _step(here: Node, step: str | int, *, shared: bool) -> Place:
    if isinstance(step, int):
        if here.kind != "seq" or step >= len(here.children):
            raise RefusedError("it is not where it was")
        return Place(here, step, here.children[step], here.children[step], shared)
    if here.kind == "map":
        index = here.find(step)
        if index is not None:
            return Place(here, index, *here.entries[index], shared)
        for key, value in here.entries:
            for base in _merged(value) if key.is_merge else ():
                try:
                    return _step(base, step, shared=True)
                except RefusedError:
                    continue
    raise RefusedError("it is not where it was")


def _entries(node: Node) -> Iterator[tuple[str | int, Node, Node]]:
    """What a collection holds, merged mappings included; of a key that is there twice, the last."""
    if node.kind == "seq":
        yield from ((number, each, each) for number, each in enumerate(node.children))
        return
    entries: dict[str, tuple[Node, Node]] = {}
    for key, value in node.entries:
        if key.is_merge:
            for base in _merged(value):
                for name, inner, inner_value in _entries(base):
                    entries.setdefault(str(name), (inner, inner_value))
    own = {key.value: (key, value) for key, value in node.entries if not key.is_merge}
    yield from ((name, *pair) for name, pair in {**entries, **own}.items())


def _merged(value: Node) -> Iterator[Node]:
    node = value.target or value
    if node.kind == "map":
        yield node
    elif node.kind == "seq":
        for child in node.children:
            yield child.target or child


def _scalars(root: Node) -> Iterator[Node]:
    todo = [root]
    while todo:
        node = todo.pop()
        if node.kind in ("map", "seq"):
            todo += reversed(node.children)
        else:
            yield node
