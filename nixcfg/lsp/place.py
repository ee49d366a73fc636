"""What is written at a place of a file that is YAML: its path, and from where to where it is."""

import re
from dataclasses import dataclass

from nixcfg.problems.problem import Steps
from nixcfg.settings.places import section_at
from nixcfg.yamltext import editor
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.nodes import Node, Page

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends, as the protocol counts them."""
    return _LINES.findall(text)


@dataclass(frozen=True, slots=True)
class Range:
    """From a line and column up to another, from 0, in characters."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Place:
    """A key, or a value: `path` leads to the value either way."""

    path: Steps
    is_key: bool
    range: Range

    @property
    def section(self) -> str:
        """The section of the knowledge that holds the key."""
        return section_at(self.path[:-1])


def at(document: Document, line: int, column: int) -> Place | None:
    """The innermost key or scalar at a place; None where there is none, or no YAML."""
    if document.data is None or not document.text.strip():
        return None
    page = editor.open_page(document)
    if line >= page.line_count:
        return None
    offset = page.starts[line] + column
    path: Steps = ()
    node = page.root
    while True:
        found = _inside(node, offset)
        if found is None:
            return None
        step, key, value, is_key = found
        path = (*path, step)
        if is_key:
            return Place(path, is_key=True, range=of(page, key))
        if value.kind in ("scalar", "alias"):
            return Place(path, is_key=False, range=of(page, value))
        node = value


def of(page: Page, node: Node) -> Range:
    start, end = page.line_of(node.start), page.line_of(node.end)
    return Range(start, page.column(node.start), end, page.column(node.end))


def _inside(node: Node, offset: int) -> tuple[str | int, Node, Node, bool] | None:
    for index, (key, value) in enumerate(node.entries):
        if node.kind == "seq":
            if value.start <= offset <= value.end:
                return index, value, value, False
        elif key.start <= offset <= key.end:
            return key.value, key, value, True
        elif value.start <= offset <= value.end:
            return key.value, key, value, False
    return None
