"""Each rule against its own examples: the bad one is found at its mark, the good one is clean."""

import ast
import re
from pathlib import Path
from types import ModuleType

import pytest
from rules_support import marked, reports

from nixcfg.problems import pages
from nixcfg.problems.problem import START, Rule, Severity
from nixcfg.rules import registry

RULES = pytest.mark.parametrize("rule", registry.RULES.values(), ids=registry.RULES)


@RULES
def test_bad_example_is_found_at_its_place(rule: Rule, tmp_path: Path):
    bad = pages.read(rule.code).bad
    mark = marked(bad)
    for name, report in reports(tmp_path, bad).items():
        assert {p.code for p in report.problems} == {rule.code}, (name, report.problems)
        first = report.problems[0]
        if mark is None:
            assert first.span[:2] == START[:2], name
        else:
            file, span = mark
            assert first.span == span, name
            assert file in (None, first.file)
        expected = rule.severity if name == "in_project" else rule.standalone or rule.severity
        assert first.level is not None or first.severity is expected
        if name == "in_project":
            assert report.is_valid is (first.severity is not Severity.ERROR)


@RULES
def test_good_example_is_clean(rule: Rule, tmp_path: Path):
    for name, report in reports(tmp_path, pages.read(rule.code).good).items():
        assert report.problems == (), name


@RULES
def test_a_page_says_all_that_it_should(rule: Rule):
    page = pages.read(rule.code)
    assert re.fullmatch(r"NX\d{3}", rule.code)
    assert page.code == rule.code
    assert page.severity == pages.severity_of(rule)
    assert page.title[0].islower() or page.title.startswith(("LiteLLM", "nixcfg"))
    assert not page.title.endswith(".")
    assert len(page.explanation) > 50
    assert page.explanation.endswith((".", "!"))
    assert page.source
    order = [Severity.ERROR, Severity.WARNING, Severity.NOTE]
    assert rule.standalone is None or order.index(rule.standalone) > order.index(rule.severity)


def test_every_page_is_that_of_a_rule():
    folder = pages.path("NX001").parent
    assert {file.stem for file in folder.glob("NX*")} == set(registry.RULES)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("## Source\n", "## Origin\n"),
        ("Severity: ", "Level: "),
        ("```yaml\n", "```\n"),
        ("`nixcfg.yaml`\n\n", "`nixcfg.yaml`:\n\n"),
        ("## Good\n\n", "## Good\n\nBetter:\n\n"),
    ],
)
def test_a_page_of_another_form_is_refused(right: str, wrong: str):
    text = pages.path("NX303").read_text(encoding="utf-8")
    assert pages.parse(text).code == "NX303"
    with pytest.raises(ValueError, match=r"^an? (page|example)"):
        pages.parse(text.replace(right, wrong, 1))


def test_no_code_stands_twice():
    found = [
        value
        for module in registry.TOPICS
        for value in vars(module).values()
        if isinstance(value, Rule)
    ]
    assert len({rule.code for rule in found}) == len(set(map(id, found)))


def statements(module: ModuleType) -> list[tuple[str, ast.stmt]]:
    """The statements at the top of a module, with the name of the rule that each defines, or ""."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    names = {name for name, value in vars(module).items() if isinstance(value, Rule)}
    return [
        (next(iter(names & {ast.unparse(t) for t in getattr(each, "targets", ())}), ""), each)
        for each in tree.body
    ]


def test_every_topic_is_in_the_registry():
    folder = Path(registry.__file__).parent
    no_topics = {"__init__", "baseline", "context", "registry", "scope", "walk"}
    listed = {Path(str(topic.__file__)) for topic in registry.TOPICS}
    assert {file for file in folder.glob("*.py") if file.stem not in no_topics} <= listed


@pytest.mark.parametrize("topic", registry.TOPICS, ids=lambda topic: topic.__name__)
def test_a_rule_is_right_above_the_first_function_that_finds_it(topic: ModuleType):
    body = statements(topic)
    used = " ".join(ast.unparse(each) for name, each in body if not name)
    for number, (name, _) in enumerate(body):
        if name and re.search(rf"\b{name}\b", used):  # else other modules find it
            below = next(each for other, each in body[number:] if not other)
            assert isinstance(below, ast.FunctionDef | ast.ClassDef), name
            assert re.search(rf"\b{name}\b", ast.unparse(below)), (name, below.name)


@RULES
def test_an_example_is_no_longer_than_a_screen(rule: Rule):
    text = pages.explain(rule)
    assert len(text.splitlines()) <= 60
    assert all(len(line) <= 100 for line in text.splitlines() if "://" not in line)
