"""Models, limits and budgets of teams, users and keys: the real gateway enforces and lifts them."""

import time

import pytest
from reconciler import Unit

pytestmark = pytest.mark.scale

SPENT = (400, 422, 429)
"""With what LiteLLM refuses a request for which no money is left: it changed between releases."""


def test_models_are_enforced_and_lifted(unit: Unit):
    unit.team("research", models=["gpt", "plain"])
    unit.key("web", "research", models=["gpt"])
    unit.run()
    value = unit.value("web")
    assert unit.chat(value, "gpt") == 200
    assert unit.chat(value, "plain") in (401, 403)
    unit.key("web", "research", models=["gpt", "plain"])
    unit.run()
    assert unit.chat(value, "plain") == 200
    unit.team("research", models=["gpt"])
    unit.run()
    assert unit.chat(value, "plain") in (401, 403)


def test_limits_are_enforced_and_lifted(unit: Unit):
    unit.key("web", rpm_limit=1)
    unit.run()
    value = unit.value("web")
    assert 429 in [unit.chat(value) for _ in range(3)]
    unit.key("web")
    unit.run()
    assert [unit.chat(value) for _ in range(3)] == [200, 200, 200]


def test_budgets_are_enforced_and_lifted(unit: Unit):
    unit.team("poor", max_budget=0.05)
    unit.key("key", max_budget=0.05)
    unit.key("team", "poor")
    unit.run()
    for name in ("key", "team"):
        until_refused(unit, unit.value(name))
    unit.team("poor", max_budget=100)
    unit.key("key", max_budget=100)
    unit.run()
    for name in ("key", "team"):
        assert unit.chat(unit.value(name)) == 200


def until_refused(unit: Unit, value: str) -> None:
    """Spending is counted in the background, a few seconds later."""
    for _ in range(120):
        status = unit.chat(value)
        if status != 200:
            assert status in SPENT
            return
        time.sleep(0.5)
    raise AssertionError("the budget never ended")
