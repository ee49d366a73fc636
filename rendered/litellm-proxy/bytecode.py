"""Compiles what LiteLLM imports, for an image that has no bytecode of its own.

    python3 -I bytecode.py FOLDER

Below FOLDER, as PYTHONPYCACHEPREFIX has it, and by the hash of each source file: what another
image left is never run, whatever its files' dates. Where the image has bytecode, FOLDER is left
empty.
"""

import importlib
import py_compile
import shutil
import sys
from importlib.util import cache_from_source
from pathlib import Path

#: All but some dozen of the modules that LiteLLM has loaded when it has answered a request.
MODULES = ("litellm.proxy.proxy_cli", "litellm.proxy.proxy_server")
BY_HASH = py_compile.PycInvalidationMode.CHECKED_HASH


def sources() -> list[str]:
    """The files of all that is imported."""
    files = [getattr(module, "__file__", None) for module in [*sys.modules.values()]]
    return [file for file in files if file and file.endswith(".py")]


def main() -> None:
    """Empties the folder, and fills it."""
    folder = Path(sys.argv[1])
    for left in folder.iterdir():
        shutil.rmtree(left)
    sys.dont_write_bytecode = True
    modules = [importlib.import_module(name) for name in MODULES]
    if all(Path(cache_from_source(str(module.__file__))).exists() for module in modules):
        sys.stdout.write("The image has bytecode of its own.\n")
        return
    files = sources()
    sys.pycache_prefix = str(folder)
    for file in files:
        py_compile.compile(file, doraise=True, invalidation_mode=BY_HASH)
    sys.stdout.write(f"{len(files)} files are compiled.\n")


main()
