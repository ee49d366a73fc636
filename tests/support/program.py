"""Where things are, and what running a program gives, for every test."""

import subprocess
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parents[1]
ROOT = HERE.parent

Run = Callable[..., subprocess.CompletedProcess[str]]
"""`nixcfg` and `nix` of conftest.py: arguments in, the finished process out."""
