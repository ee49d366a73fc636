"""What LiteLLM does in a request that the oracle does not send: asked of its own functions."""

import json
import subprocess
import sys
from typing import Any

import pytest

from nixcfg import knowledge

pytestmark = pytest.mark.oracle

PROGRAM = """
import json, sys
from litellm.llms.vertex_ai.vertex_llm_base import VertexBase
from litellm.proxy.litellm_pre_call_utils import LiteLLMProxyRequestSetup

class Settings:
    def __init__(self, team):
        self.team = team

    def load_team_config(self, team_id):
        return dict(self.team)

def team(given):
    setup = LiteLLMProxyRequestSetup.add_team_based_callbacks_from_config
    try:
        return setup("t", Settings(given)).callback_vars
    except ValueError as error:
        return str(error)

asked = json.load(sys.stdin)
print(json.dumps({
    "teams": [team(each) for each in asked["teams"]],
    "regions": [VertexBase.get_vertex_region(*each) for each in asked["regions"]],
}))
"""


def answered(**asked: Any) -> dict[str, list[Any]]:
    pytest.importorskip("litellm")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps({"teams": [], "regions": [], **asked}),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PATH": "/usr/bin:/bin"},
    )
    found: dict[str, list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_what_a_team_may_hold():
    teams = [
        {"team_id": "t", "success_callback": ["langfuse"], "guardrails": ["pii"]},
        {"team_id": "t", "max_budget": 5},
        {"team_id": "t", "guardrails": ["pii"], "callback_vars": {"langfuse_host": "x"}},
        {"team_id": "t", "callback_vars": {"langfuse_hots": "x"}},
        {"team_id": "t", "langfuse_host": "x"},
    ]
    guardrails, budget, beside, misspelt, right = answered(teams=teams)["teams"]
    assert "Invalid callback variable: guardrails" in guardrails
    assert "Invalid callback variable: max_budget" in budget
    assert "Invalid callback variable: langfuse_hots" in misspelt
    assert beside == right == {"langfuse_host": "x"}


def test_regions_that_are_replaced():
    known = knowledge.default()
    one, any_of_them = "zai-org/glm-5.2-maas", "gemini-2.5-pro"
    asked = [("europe-west4", one), (None, one), ("europe-west4", any_of_them)]
    assert known.regions(one)[0] != "europe-west4"
    assert known.regions(any_of_them) == ()
    assert answered(regions=asked)["regions"] == [
        known.regions(one)[0],
        known.regions(one)[0],
        "europe-west4",
    ]
