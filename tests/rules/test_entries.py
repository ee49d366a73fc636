"""Entries beyond models and settings: what nixcfg says of each, and what LiteLLM does with it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from entry_cases import CASES as ENTRIES
from entry_cases import MODEL, OWN, Case, guarded
from nested_cases import CASES as NESTED
from rules_support import Oracle, by_itself, in_project

from nixcfg import knowledge
from nixcfg.rules import walk

CASES = {**ENTRIES, **NESTED}
IGNORED = {"NX316"}
"""A master key that the file leaves to the environment."""


def written(case: Case) -> str:
    return case.text.replace('"DATE"', "2024-05-01")


@pytest.mark.parametrize("name", CASES)
def test_what_is_found(name: str, tmp_path: Path):
    case = CASES[name]
    report = by_itself(tmp_path, {"config.yaml": written(case), "own.py": OWN})
    found = [p for p in report.problems if p.code not in IGNORED]
    if case.finding is None:
        assert found == []
        return
    code, part = case.finding
    assert any(p.code == code and part in p.message for p in found), found
    assert case.stops == any("does not start" in p.message for p in found), found


@pytest.fixture(scope="module")
def verdicts(oracle: type[Oracle]) -> dict[str, Any]:
    asked: list[dict[str, object]] = [
        {"text": written(case), "files": {"own.py": OWN}, "env": case.env}
        for case in CASES.values()
    ]
    return dict(zip(CASES, oracle.ask(asked), strict=True))


@pytest.mark.oracle
@pytest.mark.parametrize("name", CASES)
def test_what_litellm_does(name: str, verdicts: dict[str, Any]):
    case, verdict = CASES[name], verdicts[name]
    assert case.stops == (verdict["error"] is not None), verdict["error"]
    for section, names in case.live.items() if not case.stops else ():
        assert verdict["live"][section] == names


def test_a_service_that_needs_a_key(tmp_path: Path):
    text = json.dumps({"model_list": [MODEL], **guarded(guardrail="lasso")})
    files = {"nixcfg.yaml": "model_config: all\n", "providers/one.yaml": text}
    told = {p.code: p for p in in_project(tmp_path, files).problems}
    assert "lasso needs LASSO_API_KEY or api_key" in told["NX221"].message
    files["providers/one.yaml"] = json.dumps(
        {"model_list": [MODEL], **guarded(guardrail="lasso", api_key="os.environ/LASSO_API_KEY")}
    )
    assert not [p for p in in_project(tmp_path / "b", files).problems if p.is_error]


def test_stdio_needs_its_switch(tmp_path: Path):
    server = {"transport": "stdio", "command": "npx"}
    for number, (more, level) in enumerate(
        [({}, "error"), ({"environment_variables": {"LITELLM_ENABLE_MCP_STDIO": "true"}}, "")]
    ):
        text = json.dumps({"model_list": [MODEL], "mcp_servers": {"s": server}, **more})
        files = {"nixcfg.yaml": "model_config: all\n", "providers/one.yaml": text}
        report = in_project(tmp_path / str(number), files)
        assert [p.severity.value for p in report.problems if p.code == "NX220"] == [level][
            : bool(level)
        ]


@pytest.mark.parametrize("release", knowledge.known())
def test_every_release_has_its_entries(release: str):
    """The places that every release has, with their keys; and guardrails with modes."""
    facts = knowledge.of(release).entries
    for path in ("guardrails[].litellm_params", "mcp_servers{}", "prompts[]"):
        place = facts.place(path)
        assert place is not None
        assert len(place.keys) > 5
    assert "pre_call" in facts.modes
    assert len(facts.guardrails) > 30


def test_the_walk_reaches_lists_mappings_and_conditions():
    by_strategy = next(
        place for place in knowledge.default().entries.places if place.steps[0].value
    )
    from nixcfg.yamltext.document import Map

    settings = Map(routing_strategy=by_strategy.steps[0].value, routing_strategy_args=Map(a=1))
    data = Map(router_settings=settings)
    assert [path for path, _ in walk.reached(data, by_strategy.steps)] == [
        ("router_settings", "routing_strategy_args")
    ]
    settings["routing_strategy"] = "simple-shuffle"
    assert not list(walk.reached(data, by_strategy.steps))


@pytest.mark.parametrize(
    ("section", "value", "fix"),
    [
        ("general_settings", {"alertin": ["slack"]}, True),
        ("general_settings", {"alertin": 3}, False),
        ("general_settings", {"litellm_jwtauth": {"public_key_ttk": 60}}, True),
        ("general_settings", {"litellm_jwtauth": {"public_key_ttk": "https://x.test"}}, False),
    ],
)
def test_no_fix_gives_a_value_to_a_setting_that_refuses_it(
    section: str, value: Mapping[str, Any], fix: bool, tmp_path: Path
):
    text = json.dumps({"model_list": [MODEL], section: value})
    report = by_itself(tmp_path, {"config.yaml": text})
    (found,) = [p for p in report.problems if p.code == "NX203"]
    assert "Did you mean" in found.help
    assert (found.fix is not None) == fix
