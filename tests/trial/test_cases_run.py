"""`nixcfg test` on the real LiteLLM: good cases pass, and every fault that is planted is caught."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tested import HERE, copy, results, run

pytest.importorskip("litellm", reason="LiteLLM is not installed: pip install 'nixcfg[proxy]'")
pytestmark = pytest.mark.slow

MUTANTS = {
    "Claude takes over from OpenAI": ("openai", "[{gpt: [claude]}]", "[{gpt: [gemini]}]"),
    "a page of HTML is no answer": ("openai", "[{gpt: [claude]}]", "[]"),
    "a second try is enough": ("openai", "num_retries: 1", "num_retries: 0"),
    "answered from the cache": ("openai", "cache: true", "cache: false"),
    "an alias": ("openai", "best: gpt", "best: claude"),
    "a tag chooses": ("gemini", "[free]", "[dear]"),
    "a limit": ("openai", "[enforce_model_rate_limits]", "[]"),
    "Claude answers": ("claude", "claude-haiku-4-5", "claude-sonnet-4-5"),
    "its own price counts": ("ollama", "input_cost_per_token: 0.01", "input_cost_per_token: 0.02"),
    "answers are short": ("openai", "max_tokens: 50", "max_tokens: 51"),
    "too slow is given up": ("openai", "request_timeout: 3", "request_timeout: 90"),
}
"""Which case finds that, in the file of a provider, one text takes the place of another."""


@pytest.fixture(scope="module")
def whole() -> list[dict]:
    return results(HERE / "project")


def test_every_case_passes(whole: list[dict]):
    assert len(whole) >= 25
    assert [each["name"] for each in whole if not each["passed"]] == []


def test_what_the_vendors_saw_is_told(whole: list[dict]):
    found = next(each for each in whole if each["name"] == "Claude takes over from OpenAI")
    assert found["vendors"] == [
        "openai (openai/gpt-4o): POST api.openai.com/v1/chat/completions -> 503",
        "openai (openai/gpt-4o): POST api.openai.com/v1/chat/completions -> 503",
        "claude (anthropic/claude-haiku-4-5): POST api.anthropic.com/v1/messages -> 200",
    ]


@pytest.mark.parametrize("case", MUTANTS)
def test_a_mutant_is_killed(case: str, tmp_path: Path):
    provider, old, new = MUTANTS[case]
    project = copy("project", tmp_path)
    file = project / "providers" / f"{provider}.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    done = run(project, "-k", case, "--format", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    (result,) = json.loads(done.stdout)
    assert result["failures"]


def test_a_failure_names_its_line_in_every_format(tmp_path: Path):
    project = copy("project", tmp_path)
    (project / "tests" / "one.yaml").write_text(
        "cases:\n- name: wrong <on> purpose\n  request: {model: claude, prompt: Hi}\n"
        "  expect:\n    answered_by: openai\n"
    )
    text = run(project, "tests/one.yaml")
    assert text.returncode == 1
    assert (
        "tests/one.yaml:5:5: error[CASE]: wrong <on> purpose: answered_by: expected openai, "
        in (text.stdout)
    )
    assert "1. claude (anthropic/claude-haiku-4-5): POST api.anthropic.com" in text.stdout
    assert text.stdout.endswith("0 passed, 1 failed.\n")
    suite = ET.fromstring(run(project, "tests/one.yaml", "--format", "junit").stdout)
    case = suite.find("testsuite/testcase")
    assert case is not None
    assert case.attrib["name"] == "wrong <on> purpose"
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("answered_by: expected openai, got claude")
    github = run(project, "tests/one.yaml", "--format", "github").stdout
    assert github.startswith("::error file=tests/one.yaml,line=5,col=5,")


def test_a_configuration_that_does_not_start_is_no_answer(tmp_path: Path):
    project = copy("project", tmp_path)
    text = (project / "providers" / "openai.yaml").read_text()
    (project / "providers" / "openai.yaml").write_text(
        text.replace("litellm_settings:", "litellm_settings:\n  callbacks: [not_there.handler]")
    )
    done = run(project, "-k", "Claude answers")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
