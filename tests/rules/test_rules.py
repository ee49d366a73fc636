"""Each rule against its own examples: the bad one is found at its mark, the good one is clean."""

import re
from pathlib import Path

import pytest
from rules_support import marked, reports

from nixcfg import rules
from nixcfg.problems.problem import START, Rule, Severity

RULES = pytest.mark.parametrize("rule", rules.RULES.values(), ids=rules.RULES)


@RULES
def test_bad_example_is_found_at_its_place(rule: Rule, tmp_path: Path):
    mark = marked(rule.bad)
    for name, report in reports(tmp_path, rule.bad).items():
        assert {p.code for p in report.problems} == {rule.code}, (name, report.problems)
        first = report.problems[0]
        if mark is None:
            assert first.span[:2] == START[:2], name
        else:
            file, span = mark
            assert first.span == span, name
            assert file in (None, first.file)
        expected = rule.severity if name == "in_project" else rule.alone or rule.severity
        assert first.level is not None or first.severity is expected
        if name == "in_project":
            assert report.is_valid is (first.severity is not Severity.ERROR)


@RULES
def test_good_example_is_clean(rule: Rule, tmp_path: Path):
    for name, report in reports(tmp_path, rule.good).items():
        assert report.problems == (), name


@RULES
def test_a_rule_says_all_that_it_should(rule: Rule):
    assert re.fullmatch(r"NX\d{3}", rule.code)
    assert rule.title[0].islower() or rule.title.startswith(("LiteLLM", "nixcfg"))
    assert not rule.title.endswith(".")
    assert len(rule.explanation) > 50
    assert rule.explanation.endswith((".", "!"))
    assert rule.source
    order = [Severity.ERROR, Severity.WARNING, Severity.NOTE]
    assert rule.alone is None or order.index(rule.alone) > order.index(rule.severity)


def test_no_code_stands_twice():
    found = [
        value
        for module in rules._MODULES
        for value in vars(module).values()
        if isinstance(value, Rule)
    ]
    assert len({rule.code for rule in found}) == len(set(map(id, found)))


@RULES
def test_an_example_is_no_longer_than_a_screen(rule: Rule):
    text = rules.explain(rule)
    assert len(text.splitlines()) <= 60
    assert all(len(line) <= 100 for line in text.splitlines() if "://" not in line)
