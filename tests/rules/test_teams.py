"""What an entry of default_team_settings may hold: what nixcfg says, and a request of the team."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from claim import MEMBER
from rules_support import Oracle, by_itself

HELLO = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}

TEAMS: dict[str, tuple[Mapping[str, Any], str]] = {
    "nothing": ({}, ""),
    "guardrails": ({"guardrails": ["pii"]}, "guardrails"),
    "a budget": ({"max_budget": 5}, "max_budget"),
    "a variable": ({"langfuse_host": "x"}, ""),
    "a misspelt one": ({"callback_vars": {"langfuse_hots": "x"}}, "langfuse_hots"),
    "what is beside them": (
        {"guardrails": ["pii"], "callback_vars": {"langfuse_host": "x"}},
        "",
    ),
}
"""What a team has beside its id, and the key that makes each of its requests fail."""


def written(team: Mapping[str, Any]) -> str:
    model = {"model_name": "m", "litellm_params": {"model": "openai/gpt-4o", "api_key": "none"}}
    config = {
        "model_list": [model],
        "litellm_settings": {"default_team_settings": [{"team_id": "research", **team}]},
        "general_settings": {"custom_auth": "member.check"},
    }
    return json.dumps(config)


@pytest.mark.parametrize("name", TEAMS)
def test_what_is_found(name: str, tmp_path: Path):
    team, wrong = TEAMS[name]
    report = by_itself(tmp_path, {"config.yaml": written(team), "member.py": MEMBER})
    found = [problem.message for problem in report.problems if problem.code == "NX232"]
    assert [f": {wrong} is no variable" in message for message in found] == [True] * bool(wrong)


@pytest.mark.oracle
def test_what_litellm_answers(oracle: type[Oracle]):
    request = {"path": "/chat/completions", "headers": {"Authorization": "x"}, "body": HELLO}
    given: dict[str, Any] = {"files": {"member.py": MEMBER}, "request": request}
    answers = oracle.ask([{**given, "text": written(team)} for team, _ in TEAMS.values()])
    for (name, (_, wrong)), answer in zip(TEAMS.items(), answers, strict=True):
        (reply,) = answer["replies"]
        if wrong:
            assert f"Invalid callback variable: {wrong}" in reply, name
            assert not reply.startswith("200"), name
        else:
            assert reply.startswith("200"), (name, reply)
