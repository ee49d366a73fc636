"""Fixed by `nixcfg fix`, a configuration does in the real LiteLLM what its writer meant."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

BEFORE = """\
# One proxy for two vendors.
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o  # the big one
      api_key: ${OPENAI_API_KEY}
      rpm: &limit 60
  - model_name: claude
    litellm_params:
      model: "anthropic/claude-sonnet-4-5"
      api_key: "${ANTHROPIC_API_KEY}"
      rpm: *limit
  - model_name: number
    litellm_params: {model: openai/gpt-4o-mini, api_key: 12345678} # one key a line, please

litellm_settings:
  drop_params: true
  num_retries: '3'  # twice was not enough
  # Whoever has the least to do.
  routing_strategy: least-busy
  allowed_fails: 7
"""
AFTER = """\
# One proxy for two vendors.
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o  # the big one
      api_key: os.environ/OPENAI_API_KEY
      rpm: &limit 60
  - model_name: claude
    litellm_params:
      model: "anthropic/claude-sonnet-4-5"
      api_key: "os.environ/ANTHROPIC_API_KEY"
      rpm: *limit
  - model_name: number
    litellm_params: {model: openai/gpt-4o-mini, api_key: "12345678"} # one key a line, please

litellm_settings:
  drop_params: true
  num_retries: 3  # twice was not enough

router_settings:
  # Whoever has the least to do.
  routing_strategy: least-busy
  allowed_fails: 7
"""


def nixcfg(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "nixcfg", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def litellm() -> None:
    if find_spec("litellm") is None:
        pytest.skip("LiteLLM is not installed for this interpreter")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(BEFORE)
    return path


def loaded(*texts: str) -> list[dict[str, Any]]:
    """What the real LiteLLM makes of each text."""
    environment = {"OPENAI_API_KEY": "an-openai-key", "ANTHROPIC_API_KEY": "an-anthropic-key"}
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "oracle.py"],
        input=json.dumps([{"text": text, "env": environment} for text in texts]),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_mistake_is_fixed_in_its_place(config: Path):
    done = nixcfg("fix", config)
    assert done.returncode == 0, done.stderr
    assert config.read_text() == AFTER
    assert "12345678" not in done.stdout + done.stderr
    again = nixcfg("fix", config)
    assert (again.returncode, again.stdout, config.read_text()) == (0, "", AFTER)


@pytest.mark.usefixtures("litellm")
def test_the_real_proxy_does_what_was_meant(config: Path):
    assert nixcfg("fix", config).returncode == 0
    before, after = loaded(BEFORE, config.read_text())
    # The file as it was: no one is told, and most of it does not hold.
    assert before["error"] is None
    assert before["loaded"] == 2
    keys = {each["model"]: each["api_key"] for each in before["params"]}
    assert keys["openai/gpt-4o"] == "${OPENAI_API_KEY}"
    assert before["router"]["routing_strategy"] == "'simple-shuffle'"
    # And fixed.
    assert after["error"] is None
    assert after["loaded"] == 3
    assert after["names"] == ["claude", "gpt-4o", "number"]
    keys = {each["model"]: each["api_key"] for each in after["params"]}
    assert keys["openai/gpt-4o"] == "an-openai-key"
    assert keys["anthropic/claude-sonnet-4-5"] == "an-anthropic-key"
    assert "least-busy" in after["router"]["routing_strategy"]
    assert after["router"]["allowed_fails"] == "7"
    assert after["router"]["num_retries"] == "3"
    assert after["litellm"]["drop_params"] == "True"
