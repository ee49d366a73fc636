"""The programs in tools/, as modules."""

import importlib.util
import sys
from types import ModuleType

from program import ROOT


def load(name: str) -> ModuleType:
    """Import tools/NAME.py, which may import what is beside it."""
    if str(ROOT / "tools") not in sys.path:
        sys.path.insert(0, str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
