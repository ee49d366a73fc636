"""The syntax tree of a Nix text, by tree-sitter."""

from typing import TYPE_CHECKING

from nixcfg.importing import NotImportableError

if TYPE_CHECKING:
    from tree_sitter import Node


def parse(raw: bytes) -> "Node":
    try:
        import tree_sitter
        import tree_sitter_nix
    except ImportError:
        raise NotImportableError(
            "reading Nix files needs the packages tree-sitter and tree-sitter-nix: "
            "pip install 'nixcfg[import]'"
        ) from None
    language = tree_sitter.Language(tree_sitter_nix.language())
    return tree_sitter.Parser(language).parse(raw).root_node


def first_error(root: "Node") -> "Node | None":
    node = root
    if not node.has_error:
        return None
    while not (node.is_error or node.is_missing):
        node = next((child for child in node.children if child.has_error or child.is_missing), root)
        if node is root:
            break
    return node


def text_of(node: "Node") -> str:
    return (node.text or b"").decode("utf-8", "replace")
