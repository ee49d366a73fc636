"""Deployments for some environments alone: what nixcfg says, and which of them LiteLLM loads."""

import json
from pathlib import Path
from typing import Any

import pytest
from rules_support import Oracle, by_itself, in_project

from nixcfg import knowledge

VARIABLE = "LITELLM_ENVIRONMENT"
DROPPED: list[tuple[Any, str | None, str]] = [
    (["prod"], "production", "there is no environment prod"),
    (["production", "prod"], "production", "there is no environment prod"),
    ("production", "production", "must be a list"),
    (["production"], None, "unless LITELLM_ENVIRONMENT is set"),
    (["production"], "prod", "LITELLM_ENVIRONMENT is prod, which is no environment"),
]


def written(given: Any, variable: str | None) -> str:
    entry = {
        "model_name": "m",
        "litellm_params": {"model": "openai/gpt-4.1", "api_key": "none"},
        "model_info": {"supported_environments": given},
    }
    environment = {"environment_variables": {VARIABLE: variable}} if variable else {}
    return json.dumps({"model_list": [entry], **environment})


@pytest.mark.parametrize(("given", "variable", "part"), DROPPED)
def test_a_deployment_that_is_dropped(given: Any, variable: str | None, part: str, tmp_path: Path):
    report = by_itself(tmp_path / "a", {"config.yaml": written(given, variable)})
    (found,) = [p for p in report.problems if p.code == "NX436"]
    assert part in found.message
    assert found.is_error == bool(variable), "of a file alone no one knows the environment"
    files = {
        "nixcfg.yaml": "model_config: all\n",
        "providers/one.yaml": written(given, variable),
    }
    (found,) = [p for p in in_project(tmp_path / "b", files).problems if p.code == "NX436"]
    assert found.is_error


@pytest.mark.parametrize("variable", ["production", "staging"])
def test_a_deployment_that_may_be_meant_for_another_machine(variable: str, tmp_path: Path):
    report = by_itself(tmp_path, {"config.yaml": written(["production"], variable)})
    assert "NX436" not in {p.code for p in report.problems}


@pytest.mark.oracle
def test_what_litellm_loads(oracle: type[Oracle]):
    cases = [(given, variable) for given, variable, _ in DROPPED]
    cases += [(["production"], "production"), (["production"], "staging")]
    answers = oracle.ask([{"text": written(*case)} for case in cases])
    assert [answer["loaded"] for answer in answers] == [0] * len(DROPPED) + [1, 0]


@pytest.mark.parametrize("release", knowledge.known())
def test_every_release_knows_the_same(release: str):
    assert knowledge.of(release).environments == {"development", "production", "staging"}
