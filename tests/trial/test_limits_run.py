"""Limits, budgets, guardrails, refusals, media and time on the real LiteLLM; every mutant dies."""

from pathlib import Path

import pytest
from tested import HERE, Mutant, broken, failed, run

pytest.importorskip("litellm", reason="LiteLLM is not installed: pip install 'nixcfg[proxy]'")
pytestmark = pytest.mark.slow

ROUTES: dict[str, Mutant] = {
    "a vendor that cannot be reached": ("openai", "gpt: [claude]", "gpt: [limited]"),
    "ten minutes are too long": ("openai", "timeout: 20", "timeout: 500"),
    "the other region takes over": ("azure", "https://us.", "https://eu."),
    "too long for OpenAI": ("openai", "gpt: [gemini]", "gpt: [slow]"),
    "too long for Claude": ("openai", "claude: [gemini]", "claude: [slow]"),
    "too long for Azure": ("openai", "regions: [gemini]", "regions: [slow]"),
    "too long for Bedrock": ("openai", "bedrock: [gemini]", "bedrock: [slow]"),
    "OpenAI does not like it": ("openai", "gpt: [bedrock]", "gpt: [slow]"),
    "Claude does not like it": ("openai", "claude: [bedrock]", "claude: [slow]"),
    "Azure does not like it": ("openai", "regions: [bedrock]", "regions: [slow]"),
    "Gemini does not like it": ("openai", "gemini: [bedrock]", "gemini: [slow]"),
}
LIMITS: dict[str, Mutant] = {
    "a budget is spent": ("openai", "budget_limit: 0.0001", "budget_limit: 10"),
    "a limit is over after a minute": ("openai", "rpm: 1}", "rpm: 100}"),
    "the cache forgets": ("openai", "ttl: 60", "ttl: 600"),
    "a blocked word": ("openai", "keyword: zebra", "keyword: quagga"),
    "the guardrail lets others through": ("openai", "name: no-zebras", "name: no-quaggas"),
    "one region comes first": ("azure", "order: 1", "order: 3"),
}
"""Which case finds that, in the file of a provider, one text takes the place of another."""


def test_every_case_passes():
    done = run(HERE / "limits")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "with a cache in memory in place of redis" in done.stderr


@pytest.mark.parametrize(
    ("mutants", "also"),
    # Three more cases fall back from gpt; and a region that is asked first takes over from none.
    [
        (ROUTES, {"half a document", "another document", "a budget is spent"}),
        (LIMITS, {"the other region takes over"}),
    ],
    ids=["routes", "limits"],
)
def test_each_mutant_fails_its_case_and_no_other(
    tmp_path: Path, mutants: dict[str, Mutant], also: set[str]
):
    assert failed(broken("limits", tmp_path, mutants)) == {*mutants} | also
