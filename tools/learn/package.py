"""LiteLLM as text: the installed package, parsed where needed."""

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef
# Nodes that can read a key, or give something a name.
NAMING = (
    ast.Call,
    ast.Subscript,
    ast.Compare,
    ast.Attribute,
    ast.Assign,
    ast.AnnAssign,
    ast.NamedExpr,
    ast.For,
    ast.comprehension,
    ast.ImportFrom,
)


class Module:
    """One file: its functions, its constants, and what it imports, each by name."""

    def __init__(self, file: Path, text: bytes) -> None:
        self.file = file
        self.tree = ast.parse(text)

    @functools.cached_property
    def functions(self) -> dict[str, Function]:
        """All functions and methods, whatever they are in; of two with one name the last."""
        return {function.name: function for function, _ in self.scopes if function}

    @functools.cached_property
    def scopes(self) -> list[tuple[Function | None, list[ast.AST]]]:
        """Each function, and the file itself, with the nodes that name or read something.

        What is in a function within a function belongs to both.
        """
        found: list[tuple[Function | None, list[ast.AST]]] = []

        def gather(node: ast.AST, into: tuple[list[ast.AST], ...]) -> None:
            if isinstance(node, FUNCTIONS):
                found.append((node, []))
                into = (*into, found[-1][1]) if into[0] is not top else (found[-1][1],)
            for child in ast.iter_child_nodes(node):
                if isinstance(child, NAMING):
                    for nodes in into:
                        nodes.append(child)
                gather(child, into)

        top: list[ast.AST] = []
        found.append((None, top))
        gather(self.tree, (top,))
        return found

    @functools.cached_property
    def constants(self) -> dict[str, frozenset[str]]:
        """Names set to a string, or to a tuple, list or set of strings, at the top of the file."""
        found = {}
        for node in self.tree.body:
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                strings = strings_in(node.value)
                for target in targets:
                    if strings and isinstance(target, ast.Name):
                        found[target.id] = strings
        return found

    @functools.cached_property
    def imports(self) -> dict[str, tuple[str, str]]:
        """(module, name) of everything that is imported by name, inside functions too."""
        return {
            alias.asname or alias.name: (self._absolute(node), alias.name)
            for _, nodes in self.scopes
            for node in nodes
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.file.parts
        start = max(i for i, part in enumerate(parts) if part.startswith("litellm"))
        first = parts.index("site-packages") + 1 if "site-packages" in parts else start
        package = parts[first : len(parts) - node.level]
        return ".".join([*package, *([node.module] if node.module else [])])


class Package:
    """The installed LiteLLM, and its enterprise part.

    There are 37 MB of it, of which a good half has nothing to do with settings.
    """

    READERS = (ast.Call, ast.Subscript, ast.Compare, ast.Attribute)

    def __init__(self, root: Path) -> None:
        self.root = root
        folders = (root, root.parent / "litellm_enterprise")
        files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
        self.texts = {file: file.read_bytes() for file in files}
        self._modules: dict[Path, Module] = {}

    def module(self, file: Path) -> Module:
        if file not in self._modules:
            self._modules[file] = Module(file, self.texts[file])
        return self._modules[file]

    def tree(self, name: str) -> ast.Module:
        return self.module(self.root / name).tree

    def imported(self, dotted: str) -> Module | None:
        """The module with this dotted name, None where it is not LiteLLM's."""
        base = self.root.parent / dotted.replace(".", "/")
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file in self.texts:
                return self.module(file)
        return None

    def mentioning(self, words: Iterable[str], *starts: str) -> list[Module]:
        """Modules whose text has one of the words, and whose path begins in one of these ways."""
        mention = re.compile("|".join(map(re.escape, words)).encode())
        paths = tuple(str(self.root / start) for start in starts)
        return [
            self.module(file)
            for file, text in self.texts.items()
            if (not paths or str(file).startswith(paths)) and mention.search(text)
        ]

    def readers(self, file: Path) -> Iterator[ast.AST]:
        """The nodes of a file that can read a setting."""
        return (
            node
            for _, nodes in self.module(file).scopes
            for node in nodes
            if isinstance(node, self.READERS)
        )

    def read_attributes(self, wanted: Iterable[str]) -> set[str]:
        """Those of the names that some code reads as ``litellm.name``, comments left aside."""
        mention = re.compile(rb"litellm\.(\w+)|\(\s*litellm,\s*\"(\w+)")
        missing, found = set(wanted), set[str]()
        candidates = {
            file: {(a or b).decode() for a, b in mention.findall(text)} & missing
            for file, text in self.texts.items()
        }
        # Small files first: one proof a name is enough.
        for file in sorted(self.texts, key=lambda file: (len(self.texts[file]), file)):
            if candidates[file] & missing:
                found |= {name for node in self.readers(file) if (name := attribute_read(node))}
                missing -= found
        return found & set(wanted)

    def attributes_with_default(self) -> set[str]:
        """Names that some code reads as ``getattr(litellm, "name", default)``, or by a helper."""
        mention = re.compile(rb"\(\s*litellm,\s*\"")
        files = [file for file, text in self.texts.items() if mention.search(text)]
        return {
            name
            for file in files
            for node in self.readers(file)
            if isinstance(node, ast.Call) and _has_default(node)
            if (name := attribute_read(node)) and not name.startswith("_")
        }

    def mentions(self, name: str) -> bool:
        """Whether a name is a string or an attribute outside the models, which name everything."""
        word = re.compile(rb"[\"'.]" + name.encode() + rb"\b")
        models = self.root / "proxy/_types.py"
        return any(word.search(text) for file, text in self.texts.items() if file != models)


def attribute_read(node: ast.AST) -> str | None:
    """``x`` of ``litellm.x``, of ``getattr(litellm, "x")`` and of a helper that is called so."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.value.id == "litellm" and isinstance(node.ctx, ast.Load):
            return node.attr
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id not in ("setattr", "delattr")
        and len(node.args) >= 2
        and ast.unparse(node.args[0]) == "litellm"
    ):
        return constant(node.args[1])
    return None


def _has_default(node: ast.Call) -> bool:
    """Whether an attribute that is not there does no harm."""
    return len(node.args) == 3 or (isinstance(node.func, ast.Name) and node.func.id != "getattr")


def constant(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def strings_in(node: ast.AST) -> frozenset[str]:
    """The string, or the strings of a literal collection, that an expression is."""
    if (text := constant(node)) is not None:
        return frozenset({text})
    if isinstance(node, ast.Call) and len(node.args) == 1:  # frozenset({...})
        node = node.args[0]
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return frozenset(text for item in node.elts if (text := constant(item)) is not None)
    return frozenset()
