"""A release that nixcfg does not know, judged by another one's set: what is called an error then.

Every known release takes its turn as the unknown one. Its own set says what is true of it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from entry_cases import CASES
from test_reports import REPORTS

from nixcfg import check, knowledge
from nixcfg.knowledge import Choice
from nixcfg.problems import pages
from nixcfg.project.standalone import read_configuration
from nixcfg.rules import registry
from nixcfg.rules.context import Config, Context
from nixcfg.yamltext import reader
from nixcfg.yamltext.document import Map

KNOWN = knowledge.known()
MODEL = "model_list:\n  - model_name: a\n    litellm_params: {model: openai/gpt-4o}\n"
ROUTED = [
    "fallbacks: {a: [b]}",
    "fallbacks: [{a: b}]",
    "fallbacks: [{a: null}]",
    "fallbacks: null",
    'num_retries: "3"',
    'timeout: "30s"',
]


def texts() -> Iterator[str]:
    """The bad example of each rule, and files about which releases do not agree."""
    for code in registry.RULES:
        example = pages.read(code).bad
        files = {"config.yaml": example} if isinstance(example, str) else example
        yield from (text for name, text in files.items() if name != "nixcfg.yaml")
    yield from (case.text for case in CASES.values())
    yield from (report.file for report in REPORTS.values())
    yield from (f"{MODEL}router_settings: {{{each}}}\n" for each in ROUTED)
    yield f"{MODEL}litellm_settings: {{responses: true}}\n"


def errors(text: str, chosen: Choice) -> frozenset[tuple[str, int]]:
    """What is called an error in a file, by code and line; in a project it may be more."""
    config = Config(reader.parse(text, "config.yaml"), Context(chosen=chosen))
    found = check.of_document(config) if isinstance(config.document.data, Map) else ()
    return frozenset((problem.code, problem.span.line) for problem in found if problem.is_error)


@pytest.fixture(scope="module")
def judged() -> Mapping[str, Mapping[str, tuple[frozenset[Any], frozenset[Any]]]]:
    """By release and text: the errors where it is known, and those where another one is asked for
    that has no set."""
    return {
        release: {
            text: (
                errors(text, knowledge.choose(release)),
                errors(text, Choice(knowledge.of(release), "9.9.9", is_known=False)),
            )
            for text in dict.fromkeys(texts())
        }
        for release in KNOWN
    }


@pytest.mark.parametrize("release", KNOWN)
def test_no_error_is_false(release: str, judged: Mapping[str, Any]):
    for text, (own, _) in judged[release].items():
        for other in KNOWN:
            assert judged[other][text][1] <= own, (other, text)


def test_a_number_as_a_name_is_no_error_of_a_release_that_no_one_knows(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text(MODEL.replace("model_name: a", "model_name: 4.5"), encoding="utf-8")
    for release, is_error in (("1.106.2", True), ("1.110.2", False), ("1.107.0", False)):
        chosen = knowledge.choose(release)
        found = check.standalone([read_configuration(path, path.name)], None, chosen).problems
        assert [p.is_error for p in found if p.code == "NX103"] == [is_error], release
