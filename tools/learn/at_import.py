"""Environment variables that LiteLLM reads while it is imported, and never again.

environment_variables of a configuration file are set later, so they have no effect. What is read is
seen from an import; that it is not read again, from the source: its name stands nowhere but where
modules and classes are defined, or functions get their defaults.
"""

import ast
import os
from collections.abc import Iterator
from pathlib import Path


def at_import() -> list[str]:
    """The variables, sorted. Imports the proxy, so it belongs into a process of its own."""
    looked_up: set[str] = set()
    get, contains = os._Environ.__getitem__, os._Environ.__contains__  # noqa: SLF001 - reads

    def getitem(self: "os._Environ[str]", key: str) -> str:
        looked_up.add(key)
        return get(self, key)

    def has(self: "os._Environ[str]", key: object) -> bool:
        looked_up.add(str(key))
        return contains(self, key)

    os._Environ.__getitem__ = getitem  # type: ignore[method-assign]  # noqa: SLF001
    os._Environ.__contains__ = has  # type: ignore[method-assign]  # noqa: SLF001
    import litellm
    from litellm.proxy import proxy_server  # noqa: F401 (for what it reads)

    packages = Path(litellm.__file__).parents[1]
    early, late = set[str](), set[str]()
    for name in ("litellm", "litellm_enterprise"):
        for file in sorted((packages / name).rglob("*.py")):
            for text, is_late in texts(ast.parse(file.read_text(encoding="utf-8"))):
                (late if is_late else early).add(text)
    return sorted((looked_up & early) - late)


def texts(tree: ast.AST, *, late: bool = False) -> Iterator[tuple[str, bool]]:
    """Names in capitals that stand in a tree, each with whether it runs in a call."""
    match tree:
        case ast.Constant(value=str(text)) if text.isupper():
            yield text, late
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            for child in (*tree.args.defaults, *filter(None, tree.args.kw_defaults)):
                yield from texts(child, late=late)
            for child in tree.body if isinstance(tree.body, list) else [tree.body]:
                yield from texts(child, late=True)
        case _:
            for child in ast.iter_child_nodes(tree):
                yield from texts(child, late=late)
