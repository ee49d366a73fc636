import importlib.util
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

#: For one answer; the first has to wait until LiteLLM is imported.
SECONDS = 120

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
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Ask the real LiteLLM about configurations; see judge.py."""
    if not importlib.util.find_spec("litellm"):
        pytest.skip("litellm is not installed (pip install 'nixcfg[proxy]')")

    errors = tmp_path_factory.mktemp("judge") / "stderr"
    with errors.open("w") as stderr:
        judge = subprocess.Popen(
            [sys.executable, str(HERE / "judge.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={"PATH": os.defpath, "HOME": "/nonexistent"},
            text=True,
        )

    def ask(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answers = []
        for question in questions:
            print(json.dumps(question), file=judge.stdin, flush=True)
            ready, _, _ = select.select([judge.stdout], [], [], SECONDS)
            line = judge.stdout.readline() if ready else ""
            assert line, f"no answer about {question['config']}:\n{errors.read_text()[-2000:]}"
            answers.append(json.loads(line))
        return answers

    yield ask
    judge.kill()
    judge.communicate()


@pytest.fixture(scope="session")
def parser() -> None:
    """What reads Nix files."""
    for name in ("tree_sitter", "tree_sitter_nix"):
        if not importlib.util.find_spec(name):
            pytest.skip(f"{name} is not installed (pip install 'nixcfg[import]')")
