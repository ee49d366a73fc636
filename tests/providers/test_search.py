"""`nixcfg models` as a person types it, and what is near where nothing fits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from in_process import Done

Run = Callable[..., Done]


def listed(run: Run, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("models", *arguments, "--json").stdout)
    return found


def test_all_words_have_to_fit(run: Run) -> None:
    found = listed(run, "gemini", "flash")
    assert found
    assert all("gemini" in m["model"] and "flash" in m["model"] for m in found)
    assert listed(run, "flash", "GEMINI") == found
    dotted = {m["model"] for m in listed(run, "sonnet", "4.5")}
    assert "anthropic/claude-sonnet-4-5-20250929" in dotted
    assert all("sonnet" in name for name in dotted)


def test_a_vendor_is_found_by_what_it_is_called(run: Run) -> None:
    assert {m["model"].partition("/")[0] for m in listed(run, "aws", "claude")} == {"bedrock"}
    homes = {m["model"].partition("/")[0] for m in listed(run, "google", "flash")}
    assert {"gemini", "vertex_ai"} <= homes
    for name in ("kimi", "moonshot", "Moonshot-AI"):
        found = listed(run, "--provider", name)
        assert {m["model"].partition("/")[0] for m in found} == {"moonshot"}


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (("--sort", "price"), lambda m: m["input_cost_per_token"]),
        (("--sort", "context"), lambda m: -(m["max_input_tokens"] or 0)),
        (("cheap",), lambda m: m["input_cost_per_token"]),
    ],
)
def test_an_order_can_be_asked_for(
    arguments: tuple[str, ...], key: Callable[[dict[str, Any]], float], run: Run
) -> None:
    found = listed(run, "claude", *arguments, "--limit", "15")
    assert len(found) == 15
    assert [key(m) for m in found] == sorted(key(m) for m in found)


def test_cheap_is_an_order_and_costs_something(run: Run) -> None:
    done = run("models", "cheap")
    assert 0 < len(done.stdout.splitlines()) <= 21
    assert "more: --limit" in done.stderr
    assert all(m["input_cost_per_token"] > 0 for m in listed(run, "cheap"))


def test_the_newest_come_first(run: Run) -> None:
    first = listed(run, "claude", "--sort", "newest", "--provider", "anthropic")[0]["model"]
    assert "5-5" in first
    assert listed(run, "newest", "claude", "--provider", "anthropic")[0]["model"] == first


@pytest.mark.parametrize(
    ("typed", "meant"), [("claude sonet", "claude sonnet"), ("geminni flsh", "gemini flash")]
)
def test_a_typo_is_pointed_out(typed: str, meant: str, run: Run) -> None:
    done = run("models", *typed.split(), fails=True)
    assert f"Did you mean nixcfg models {meant}?" in done.stderr


def test_what_there_is_not_has_neighbours(run: Run) -> None:
    assert "anthropic/claude-sonnet-5-5" in run("models", "claude-sonnet-9", fails=True).stderr
    assert "gemini or vertex_ai" in run("models", "--provider", "google", fails=True).stderr
    assert "mean anthropic?" in run("models", "--provider", "antropic", fails=True).stderr


@pytest.mark.parametrize(
    ("model", "near"),
    [
        ("anthropic/claude-sonnet-9", "anthropic/claude-sonnet-5-5"),
        ("mistral/mistral-huge", "mistral/mistral-large"),
        ("openai/gpt-9-mini", "openai/gpt-5.4-mini"),
    ],
)
def test_an_unknown_model_is_told_its_neighbours(
    model: str, near: str, run: Run, project: Path
) -> None:
    """NX411, which used to name the first three of the alphabet."""
    file = project / "providers" / "claude.yaml"
    file.write_text(f"model_list:\n  - model_name: x\n    litellm_params: {{model: {model}}}\n")
    done = run("validate")
    assert "NX411" in done.stdout
    assert near in done.stdout
    assert "ada" not in done.stdout
