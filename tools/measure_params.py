"""Write vendor_params.json: parameters that one vendor's code knows, and those of a cloud.

    python tools/measure_params.py FOLDER

litellm_params may hold any parameter of the vendor's; LiteLLM lists those that it handles itself in
the configuration classes of its vendor folders (litellm/llms/*), as class attributes and as names
that it takes out of optional_params. FOLDER holds the set of knowledge of the LiteLLM that is
installed beside this Python. Which providers read a cloud's parameters is seen from calls to every
one (learn/carried.py), in a process with an environment of its own and no network. It takes a
minute or two.
"""

import argparse
import ast
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Container
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generate_knowledge import environment  # noqa: E402
from learn import layout  # noqa: E402
from learn.carried import CLOUDS, carried, prepare  # noqa: E402
from learn.reviewed import PARAMS_WITHOUT_EFFECT  # noqa: E402

CARRIERS = {"optional_params", "non_default_params", "passed_params"}
REQUESTS = frozenset(
    {"completion", "embedding", "image_edit", "image_generation", "moderation", "ocr", "rerank"}
    | {"responses", "speech", "text_completion", "transcription", "video_generation"}
)
"""The functions by which LiteLLM's users make requests; a deployment gives their arguments."""
CLOUD_CARRIERS = {*CARRIERS, "kwargs", "litellm_params", "params"}
"""The same for what begins with the name of a cloud, which says what it is."""


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
    for path in sorted((package / "vector_stores").glob("*.py")):
        by_vendor[""] |= parameters(path, CARRIERS)
    for path in (package / "main.py", *sorted(package.glob("*/main.py"))):
        by_vendor[""] |= arguments(path)
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
        carrier, name = _taken(node)
        if carrier in carriers or (carrier in CLOUD_CARRIERS and name.startswith(CLOUDS)):
            found.add(name)
    return {name for name in found if name.isidentifier() and not name.startswith("_")}


def arguments(path: Path) -> set[str]:
    """What a request of some kind may say, as speech(voice=...)."""
    return {
        argument.arg
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name in REQUESTS
        for argument in (*node.args.args, *node.args.kwonlyargs)
    }


def _taken(node: ast.AST) -> tuple[str, str]:
    """The mapping and the key of `mapping.get("key")`, `.pop("key")` and `mapping["key"]`."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="pop" | "get", value=ast.Name(id=carrier)),
            args=[ast.Constant(value=str(name)), *_],
        ):
            return carrier, name
        case ast.Subscript(value=ast.Name(id=carrier), slice=ast.Constant(value=str(name))):
            return carrier, name
    return "", ""


def measured(folder: Path) -> dict[str, object]:
    """The content of vendor_params.json."""
    facts = json.loads((folder / "litellm.json").read_bytes())
    found = vendors(facts["sections"]["litellm_params"]["keys"].keys())
    command = [sys.executable, "-I", __file__, "--inside", str(folder.resolve())]
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(  # noqa: S603 - this very program
            command,
            env=environment(empty),
            cwd=empty,
            check=True,
            input=json.dumps(sorted({name for names in found.values() for name in names})),
            stdout=subprocess.PIPE,
            text=True,
        )
    answer: dict[str, object] = json.loads(done.stdout)
    return {"vendors": found, "without_effect": sorted(PARAMS_WITHOUT_EFFECT), **answer}


def ask(folder: Path) -> dict[str, Any]:
    """What becomes of parameters; the names that vendors know are on standard input."""
    prepare()
    facts = json.loads((folder / "litellm.json").read_bytes())
    return carried(facts, json.load(sys.stdin))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        json.dump(ask(options.folder), sys.stdout)
    else:
        layout.write(options.folder, {"vendor_params": measured(options.folder)})


if __name__ == "__main__":
    main()
