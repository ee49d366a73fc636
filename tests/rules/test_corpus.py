"""Real configurations, with the real proxy's verdict on each: no wrong error, nothing missed.

The files are other people's, so they are not in this repository: NIXCFG_CORPUS names the folder.
"""

import datetime as dt
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from nixcfg import check, knowledge
from nixcfg.problems.problem import Severity
from nixcfg.problems.shown import shown
from nixcfg.project.standalone import read_configuration
from tool import load

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("NIXCFG_CORPUS") or HERE.parents[2] / "shared" / "corpus")
TODAY = dt.date(2026, 11, 23)
RELEASE = "1.106.2"
"""The LiteLLM whose verdicts the corpus holds."""
NOT_IN_VERDICTS = {"NX314", "NX219"}
"""What LiteLLM refuses once it has loaded the file, which is where the verdicts of the corpus end:
test_oracle.py asks the check of the master key itself. And guardrails that it starts without:
test_entries.py asks which are at work."""

TOKENS = "litellm_jwtauth"
"""The section that LiteLLM looks at only then, too; test_entries.py asks what it does."""


@pytest.fixture(scope="module")
def corpus() -> dict[str, tuple[Any, check.Report]]:
    """The verdict and nixcfg's report, by file."""
    if not (FOLDER / "oracle.json").is_file():
        pytest.skip("no corpus of real configurations here; NIXCFG_CORPUS may name one")
    verdicts = json.loads((FOLDER / "oracle.json").read_text(encoding="utf-8"))
    chosen = knowledge.choose(RELEASE)
    return {
        name: (verdict, check.standalone([read_configuration(FOLDER / name, name)], TODAY, chosen))
        for name, verdict in verdicts.items()
    }


def test_no_error_on_what_litellm_accepts(corpus: dict[str, tuple[Any, check.Report]]):
    wrong = {
        name: [
            (p.code, p.span.line, p.message)
            for p in report.problems
            if p.is_error and p.code not in NOT_IN_VERDICTS and TOKENS not in p.message
        ]
        for name, (verdict, report) in corpus.items()
        if verdict["verdict"].startswith("accept") and not verdict["dropped"]
    }
    assert {name: found for name, found in wrong.items() if found} == {}


def test_what_is_dropped_or_rejected_is_named(corpus: dict[str, tuple[Any, check.Report]]):
    """By an error, or by a warning where only what lies around the file decides."""
    missed = {}
    for name, (verdict, report) in corpus.items():
        rejected = verdict["verdict"].startswith("reject")
        wanted = max(verdict["dropped"] or 0, int(rejected))
        told = [p for p in report.problems if p.severity is not Severity.NOTE]
        drops = [p for p in told if p.is_error]
        if rejected and not any("LiteLLM does not start" in p.message or p.is_error for p in told):
            missed[name] = verdict["error"]
        elif not rejected and len({p.span for p in drops}) < wanted:
            missed[name] = f"{verdict['dropped']} dropped, {len(drops)} errors"
    assert missed == {}


def test_nothing_but_keys_is_hidden(corpus: dict[str, tuple[Any, check.Report]]):
    """What a message says of a model, an address or a setting stays readable."""
    hidden = []
    for name, (_, report) in corpus.items():
        for problem, safe in zip(report.problems, shown(report.problems), strict=True):
            for text, read in ((problem.message, safe.message), (problem.help, safe.help)):
                if "***" in read and "***" not in text:
                    hidden.append((name, text))
            if "*" in safe.line_text and "*" not in problem.line_text:
                named = r"(?i)(key|token|secret|password|client.id)|://"
                assert re.search(named, problem.line_text), name
    assert hidden == []


def test_the_page_has_todays_counts(corpus: object):
    """docs/corpus.md: every finding counted, and every warning read by someone."""
    assert corpus
    tool = load("count_corpus")
    unread = [each for each in tool.warnings(tool.found(FOLDER)) if each.digest not in tool.read()]
    assert not unread, "run tools/count_corpus.py, read what it lists, and write down what it is"
    text = tool.PAGE.read_text(encoding="utf-8")
    assert text == tool.page(text, FOLDER)
