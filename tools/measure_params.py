"""Write vendor_params.json: parameters that LiteLLM's code for one vendor knows.

    python tools/measure_params.py FOLDER

litellm_params may hold any parameter of the vendor's; LiteLLM lists those that it handles itself in
the configuration classes of its vendor folders (litellm/llms/*), as class attributes and as names
that it takes out of optional_params. FOLDER holds the set of knowledge of the LiteLLM that is
installed beside this Python. It takes a few seconds.
"""

import argparse
import ast
import importlib.util
import json
from collections.abc import Container
from pathlib import Path

from learn import layout

TAKERS = {"pop", "get"}
CARRIERS = {"optional_params", "non_default_params", "passed_params"}


def vendors(known: Container[str]) -> dict[str, list[str]]:
    """Parameters that are not `known`, by folder of litellm/llms; `""`: the common code's."""
    found = importlib.util.find_spec("litellm")
    if found is None or found.origin is None:
        raise SystemExit("litellm is not installed")
    package = Path(found.origin).parent
    by_vendor: dict[str, set[str]] = {}
    for path in sorted((package / "llms").rglob("*.py")):
        names = parameters(path, CARRIERS)
        by_vendor.setdefault(path.relative_to(package / "llms").parts[0], set()).update(names)
    by_vendor[""] = parameters(package / "utils.py", CARRIERS)
    by_vendor[""] |= parameters(package / "main.py", CARRIERS)
    by_vendor[""] |= parameters(package / "realtime_api" / "main.py", {"litellm_params"})
    unknown = {v: sorted(n for n in names if n not in known) for v, names in by_vendor.items()}
    return {vendor: names for vendor, names in unknown.items() if names}


def parameters(path: Path, carriers: set[str]) -> set[str]:
    """The names in one module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name.endswith("Config"):
            found |= {
                each.target.id
                for each in node.body
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            }
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in TAKERS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in carriers
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ):
            found.add(node.args[0].value)
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id in carriers
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, str)
        ):
            found.add(node.slice.value)
    return {name for name in found if name.isidentifier() and not name.startswith("_")}


def measured(folder: Path) -> dict[str, object]:
    """The content of vendor_params.json."""
    facts = json.loads((folder / "litellm.json").read_bytes())
    return {"vendors": vendors(facts["sections"]["litellm_params"]["keys"].keys())}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args().folder
    layout.write(given, {"vendor_params": measured(given)})
