"""A second LiteLLM, beside the one that is installed here: does its set say what it does?

NIXCFG_LITELLM_VENV names an environment that has it (`python tools/follow.py X.Y.Z` makes one).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nixcfg import check, knowledge
from nixcfg.project.standalone import read_configuration
from program import ROOT

pytestmark = pytest.mark.oracle

MODELS = """\
model_list:
  - model_name: first
    litellm_params: {model: openai/m, api_key: os.environ/KEY}
  - model_name: second
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_key: os.environ/KEY}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"""


@pytest.fixture(scope="module")
def python() -> Path:
    folder = os.environ.get("NIXCFG_LITELLM_VENV")
    if not folder:
        pytest.skip("NIXCFG_LITELLM_VENV names no environment with another LiteLLM")
    return Path(folder) / "bin" / "python"


@pytest.fixture(scope="module")
def release(python: Path) -> str:
    program = "from importlib.metadata import version; print(version('litellm'))"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    found = done.stdout.strip()
    if found not in knowledge.known():
        pytest.skip(f"nixcfg has no set of LiteLLM {found}")
    return found


def test_behaviour_is_what_was_measured(python: Path, release: str, tmp_path: Path):
    subprocess.run([python, ROOT / "tools" / "measure_behaviour.py", tmp_path], check=True)
    seen = json.loads((tmp_path / "behaviour.json").read_text(encoding="utf-8"))
    assert seen == knowledge.of(release).behaviour


def ask(python: Path, texts: list[str]) -> list[dict[str, Any]]:
    question = {"ask": "first", "times": 1, "status": 500, "env": {"KEY": "sk-x"}}
    done = subprocess.run(
        [python, ROOT / "tools" / "oracle.py"],
        input=json.dumps([{**question, "text": text} for text in texts]),
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


CASES = {
    "sound": MODELS + "router_settings: {fallbacks: [{first: [second]}]}\n",
    "text": MODELS + "router_settings: {fallbacks: [{first: second}]}\n",
    "null": MODELS + "router_settings: {fallbacks: [{first: null}]}\n",
    "mapping": MODELS + "router_settings: {fallbacks: {first: [second]}}\n",
    "responses": MODELS + "litellm_settings: {responses: true}\n",
    "retries": MODELS + 'router_settings: {num_retries: "3"}\n',
    "timeout": MODELS + 'router_settings: {timeout: "30s"}\n',
}


def test_verdicts_are_those_of_the_release(python: Path, release: str, tmp_path: Path):
    """An error where this LiteLLM does not start, and none where it does and works."""
    chosen = knowledge.choose(release)
    for (name, text), seen in zip(CASES.items(), ask(python, list(CASES.values())), strict=True):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        found = check.standalone([read_configuration(path, path.name)], None, chosen).problems
        says_it_stops = any("does not start" in p.message for p in found if p.is_error)
        assert says_it_stops is (seen["error"] is not None), (name, seen["error"], found)
        replies = seen.get("replies", ())
        broken = any(
            why in reply for reply in replies for why in ("TypeError", "could not convert")
        )
        is_told = any(p.code == "NX204" for p in found)
        # Where `responses: true` does not stop LiteLLM it has no effect, and breaks nothing.
        if name != "responses":
            assert is_told is (broken and name != "sound"), (name, found)


def test_the_set_is_generated_again_alike(python: Path, release: str, tmp_path: Path):
    program = ROOT / "tools" / "generate_knowledge.py"
    subprocess.run([python, program, "--output", tmp_path], timeout=1800, check=True)
    sys.path.insert(0, str(ROOT / "tools"))
    import store_knowledge

    stored = store_knowledge.stored()[release]
    for name in ("litellm", "models", "bare_models", "access", "defaults"):
        assert json.loads((tmp_path / f"{name}.json").read_bytes()) == stored[name], name
