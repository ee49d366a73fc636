"""Write modules/litellm-proxy/access.py of nixcfg's own rooms: it runs where there is no nixcfg.

`--check` writes nothing, and exits with 1 when the file is not what it would be.
"""

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "modules" / "litellm-proxy" / "access.py"
PARTS = (
    "access/rows.py",
    "access/changes.py",
    "access/leaving.py",
    "access/plan.py",
    "access/api.py",
    "access/run.py",
    "keys/virtual.py",
    "access/service.py",
)
HEAD = '''\
"""Teams, users and keys into LiteLLM's database: what litellm-proxy-access.service runs.

Written by tools/write_access_script.py from nixcfg/access and nixcfg/keys/virtual.py: change those,
not this file. It needs nothing but Python's own library.
"""
'''
START = """
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def script() -> str:
    """The parts in a row, with one set of imports. Raises SystemExit for a name of two parts."""
    whole: set[str] = set()
    names: dict[str, set[str]] = {}
    owners: dict[str, str] = {}
    bodies = []
    for part in PARTS:
        text = (ROOT / "nixcfg" / part).read_text(encoding="utf-8")
        lines = text.splitlines()
        tree = ast.parse(text)
        for node in tree.body:
            if isinstance(node, ast.Import):
                whole.add(ast.unparse(node))
            elif isinstance(node, ast.ImportFrom) and not str(node.module).startswith("nixcfg"):
                names.setdefault(str(node.module), set()).update(each.name for each in node.names)
            for name in _defined(node):
                if owners.setdefault(name, part) != part:
                    raise SystemExit(f"{part} and {owners[name]} both define {name}")
        # After the docstring and the imports.
        is_import = [isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body]
        last = tree.body[max(index for index, each in enumerate(is_import) if each)]
        body = "\n".join(lines[last.end_lineno :]).strip()
        bodies.append(f"# --- nixcfg/{part}\n\n\n{body}\n")
    imports = [*sorted(whole), *(_from(module, names[module]) for module in sorted(names))]
    return f"{HEAD}\n" + "\n".join(imports) + "\n\n" + "\n\n".join(bodies) + "\n" + START


def _from(module: str, names: Iterable[str]) -> str:
    return f"from {module} import {', '.join(sorted(names))}"


def _defined(node: ast.stmt) -> list[str]:
    """The names that a statement at the top gives a value to."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def main() -> int:
    if "--check" in sys.argv[1:]:
        return int(SCRIPT.read_text(encoding="utf-8") != script())
    SCRIPT.write_text(script(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
