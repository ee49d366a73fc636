"""The real LiteLLM, in a process of its own: it changes warnings, logging and the environment."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "CRITICAL",
    "LITELLM_MASTER_KEY": "sk-nixcfg-test-0123456789abcdef0123456789",
}


@pytest.fixture(scope="session")
def litellm_python() -> str:
    """This interpreter, when LiteLLM is installed beside it in the version that is described."""
    if importlib.util.find_spec("litellm") is None:
        pytest.skip("LiteLLM is not installed here: pip install 'nixcfg[proxy]'")
    return sys.executable


@pytest.fixture(scope="session")
def ask_litellm(
    litellm_python: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Any], Any]:
    """Run a program beside LiteLLM: JSON in as ``question``, its ``answer`` comes back."""
    home = tmp_path_factory.mktemp("litellm")

    def ask(program: str, question: Any) -> Any:
        answer = home / "answer.json"
        script = (
            "import json, sys\n"
            "question = json.load(sys.stdin)\n"
            f"{program}\n"
            f"with open({str(answer)!r}, 'w') as file:\n"
            "    json.dump(answer, file)\n"
        )
        done = subprocess.run(
            [litellm_python, "-I", "-c", script],
            input=json.dumps(question),
            env={**ENVIRONMENT, "HOME": str(home), "TMPDIR": str(home)},
            cwd=home,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(answer.read_text(encoding="utf-8"))

    return ask
