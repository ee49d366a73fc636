"""What the page asks, in Python: as nixcfg itself answers, with no compiled part."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nixcfg import check, knowledge
from nixcfg.problems import pages
from nixcfg.project.standalone import Configuration, Part
from nixcfg.rules import registry
from nixcfg.yamltext import reader
from program import ROOT

PAGE = ROOT / "site" / "playground"
RELEASE = knowledge.default().version
EXAMPLES = [
    text
    for rule in registry.RULES.values()
    for text in (pages.read(rule.code).bad, pages.read(rule.code).good)
    if isinstance(text, str)
]
ASK = """
import json, sys, yaml
del yaml.CSafeLoader
sys.path.insert(0, sys.argv[1])
import playground
release = sys.argv[2]
answers = [
    [
        json.loads(playground.checked(text, release)),
        json.loads(playground.fixed(text, release, False)),
    ]
    for text in json.load(sys.stdin)
]
import rpds
assert rpds.__file__.startswith(sys.argv[1]), rpds.__file__
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def answers() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What the page answers to the examples of all rules, as in the browser: pure Python alone."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, PAGE, RELEASE],
        input=json.dumps(EXAMPLES),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(each) for each in json.loads(done.stdout)]


def test_it_finds_what_nixcfg_finds(answers: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    assert len(EXAMPLES) > 100
    today = dt.datetime.now(tz=dt.UTC).date()
    for text, (found, _) in zip(EXAMPLES, answers, strict=True):
        document = reader.parse(text, "config.yaml")
        report = check.standalone([Configuration((Part(document),))], today)
        expected = [(p.code, p.span.line, p.span.column) for p in report.problems]
        shown = [(each["code"], each["line"], each["column"]) for each in found["findings"]]
        assert shown == expected


def test_a_fix_leaves_nothing_safe_to_fix(
    answers: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    fixed = [(found, after) for found, after in answers if found["safe"]]
    assert len(fixed) > 5
    assert all(after["fixed"] for _, after in fixed)


def test_the_page_asks_no_one_else() -> None:
    """Its policy allows no other host, and none of its files names one."""
    page = (PAGE / "index.html").read_text()
    assert "default-src 'none'" in page
    assert "connect-src 'self'" in page
    for name in ("index.html", "main.js", "worker.js", "style.css"):
        assert "://" not in (PAGE / name).read_text(), name
    # A finding quotes what was pasted: it must never become markup.
    assert "innerHTML" not in (PAGE / "main.js").read_text()


def test_links_lead_to_pages_of_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    import build_site

    places = build_site.pages()
    readme = Path(ROOT / "README.md")
    text = build_site.linked(
        "[a](docs/rules/README.md) [b](nixcfg/cli.py) [c](https://example.org)\n"
        "```\n[d](docs/ci.md)\n```\n[e](docs/ci.md#github)",
        readme,
        places,
    )
    assert text == (
        "[a](rules/README.md) b [c](https://example.org)\n"
        "```\n[d](docs/ci.md)\n```\n[e](ci.md#github)"
    )
    rule = ROOT / "docs" / "rules" / "README.md"
    assert build_site.linked("[x](../ci.md) [y](../index.md)", rule, places) == (
        "[x](../ci.md) [y](../index.md)"
    )
    menu = build_site.config(places)
    assert all(menu.count(f" {place}\n") == 1 for place in places.values() if "/" not in place)
