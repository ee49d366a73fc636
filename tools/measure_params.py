"""Write nixcfg/rules/vendor_params.json: parameters that LiteLLM's code for one vendor knows.

litellm_params may hold any parameter of the vendor's; LiteLLM lists those that it handles itself in
the configuration classes of its vendor folders (litellm/llms/*), as class attributes and as names
that it takes out of optional_params. `python tools/measure_params.py` takes a few seconds.
"""

import ast
import importlib.util
import json
from pathlib import Path

from nixcfg import knowledge

DATA = Path(__file__).parents[1] / "nixcfg" / "rules" / "vendor_params.json"
TAKERS = {"pop", "get"}
CARRIERS = {"optional_params", "non_default_params", "passed_params"}


def vendors() -> dict[str, list[str]]:
    """The parameters by folder of litellm/llms; `""` for those that the common code handles."""
    found = importlib.util.find_spec("litellm")
    if found is None or found.origin is None:
        raise SystemExit("litellm is not installed")
    package = Path(found.origin).parent
    known = set(knowledge.keys("litellm_params"))
    by_vendor: dict[str, set[str]] = {}
    for path in sorted((package / "llms").rglob("*.py")):
        names = parameters(path, CARRIERS)
        by_vendor.setdefault(path.relative_to(package / "llms").parts[0], set()).update(names)
    by_vendor[""] = parameters(package / "utils.py", CARRIERS)
    by_vendor[""] |= parameters(package / "main.py", CARRIERS)
    by_vendor[""] |= parameters(package / "realtime_api" / "main.py", {"litellm_params"})
    return {vendor: sorted(names - known) for vendor, names in by_vendor.items() if names - known}


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


def text() -> str:
    data = {"litellm_version": knowledge.LITELLM_VERSION, "vendors": vendors()}
    return json.dumps(data, indent=1) + "\n"


if __name__ == "__main__":
    DATA.write_text(text(), encoding="utf-8")
