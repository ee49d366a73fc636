"""The parts of a file that an editor lists: deployments, sections, variables, profiles. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from nixcfg.lsp import place
from nixcfg.lsp.place import Range
from nixcfg.project.model import MODELS
from nixcfg.yamltext import editor
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.nodes import Node, Page


@dataclass(slots=True)
class Symbol:
    """`whole` is all of it, `name` the part that names it; `detail` is shown beside it."""

    text: str
    detail: str
    whole: Range
    name: Range
    kind: str
    inner: "list[Symbol]" = field(default_factory=list)


def symbols(document: Document) -> list[Symbol]:
    """The sections of a file, with what each holds."""
    if document.data is None or not document.text.strip():
        return []
    page = editor.open_page(document)
    return list(_entries(page, page.root, 0))


def _entries(page: Page, node: Node, depth: int) -> Iterator[Symbol]:
    if node.kind != "map" or depth > 1:
        return
    for key, value in node.entries:
        detail = value.value if value.kind == "scalar" and not _may_be_secret(key.value) else ""
        found = Symbol(
            key.value,
            detail[:60],
            _both(page, key, value),
            place.of(page, key),
            "section" if depth == 0 and value.kind != "scalar" else "setting",
        )
        if value.kind == "seq" and key.value == MODELS and depth == 0:
            found.inner = list(_deployments(page, value))
        else:
            found.inner = list(_entries(page, value, depth + 1))
        yield found


def _deployments(page: Page, models: Node) -> Iterator[Symbol]:
    for entry in models.children:
        name, model = _value(entry, "model_name"), None
        params = _child(entry, "litellm_params")
        model = _value(params, "model") if params else None
        at = name or entry
        yield Symbol(
            name.value if name else "?",
            model.value if model else "",
            place.of(page, entry),
            place.of(page, at),
            "model",
        )


def _child(node: Node, key: str) -> Node | None:
    if node.kind != "map":
        return None
    return next((value for each, value in node.entries if each.value == key), None)


def _value(node: Node, key: str) -> Node | None:
    found = _child(node, key)
    return found if found is not None and found.kind == "scalar" else None


def _may_be_secret(key: str) -> bool:
    from nixcfg.keys.shapes import names_secret

    return names_secret(key)


def _both(page: Page, key: Node, value: Node) -> Range:
    start, end = place.of(page, key), place.of(page, value)
    return Range(start.line, start.column, end.end_line, end.end_column)
