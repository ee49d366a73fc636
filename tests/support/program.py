"""Where things are, and what running a program gives, for every test."""

import subprocess
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parents[1]
ROOT = HERE.parent

Run = Callable[..., subprocess.CompletedProcess[str]]
"""`nixcfg` and `nix` of conftest.py: arguments in, the finished process out."""


def children(pid: int) -> list[int]:
    """Those that a process has started. Not by /proc/PID/task/PID/children, which a kernel may be
    built without."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(each) for each in found.stdout.split()]
