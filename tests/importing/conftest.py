import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

Ask = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real configurations, which are not part of this repository."""
    folder = Path(os.environ.get("NIXCFG_CORPUS") or ROOT.parent / "shared" / "corpus")
    if not (folder / "wild").is_dir():
        pytest.skip(f"no configurations in {folder}; NIXCFG_CORPUS says where they are")
    return folder


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Ask the real LiteLLM about configurations; see judge.py."""
    if not importlib.util.find_spec("litellm"):
        pytest.skip("litellm is not installed (pip install 'nixcfg[proxy]')")

    def ask(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, str(HERE / "judge.py")],
            input=json.dumps(questions),
            env={"PATH": os.defpath, "HOME": "/nonexistent"},
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(questions), done.stderr[-2000:]
        return answers

    return ask


@pytest.fixture(scope="session")
def parser() -> None:
    """What reads Nix files."""
    for name in ("tree_sitter", "tree_sitter_nix"):
        if not importlib.util.find_spec(name):
            pytest.skip(f"{name} is not installed (pip install 'nixcfg[import]')")
