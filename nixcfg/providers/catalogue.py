"""A model of LiteLLM's catalogue, as it is shown. Pure."""

import datetime as dt

from nixcfg.knowledge import ModelFacts


def is_retired(facts: ModelFacts, today: dt.date) -> bool:
    """Whether its vendor has switched the model off by now."""
    return facts.deprecation_date is not None and facts.deprecation_date <= today.isoformat()


def full_name(facts: ModelFacts) -> str:
    """The model as `litellm_params.model` names it."""
    return f"{facts.provider}/{facts.name}"


HEADERS = ("model", "context", "$/M in", "$/M out", "retires")


def as_row(facts: ModelFacts, today: dt.date) -> tuple[str, ...]:
    """A model for a table with HEADERS."""
    date = facts.deprecation_date or "-"
    return (
        full_name(facts),
        context(facts),
        price(facts.input_cost_per_token),
        price(facts.output_cost_per_token),
        f"retired {date}" if is_retired(facts, today) else date,
    )


def as_data(facts: ModelFacts, today: dt.date) -> dict[str, str | int | float | bool | None]:
    """A model for a program; costs in US dollars a token."""
    return {
        "model": full_name(facts),
        "mode": facts.mode,
        "max_input_tokens": facts.max_input_tokens,
        "max_output_tokens": facts.max_output_tokens,
        "input_cost_per_token": facts.input_cost_per_token,
        "output_cost_per_token": facts.output_cost_per_token,
        "retires": facts.deprecation_date,
        "is_retired": is_retired(facts, today),
    }


def context(facts: ModelFacts) -> str:
    """The context window: `200k`, `1M`, or `-`."""
    tokens = facts.max_input_tokens
    if not tokens:
        return "-"
    if tokens >= 1_000_000:
        return f"{tokens / 1_000_000:.2g}M"
    return f"{round(tokens / 1000)}k" if tokens >= 1000 else str(tokens)


def price(cost_per_token: float | None) -> str:
    """US dollars a million tokens: `$2.50`, `free`, or `-` where the catalogue does not say."""
    if cost_per_token is None:
        return "-"
    dollars = round(cost_per_token * 1_000_000, 6)
    if not dollars:
        return "free"
    return f"${dollars:.2f}" if dollars >= 0.1 else f"${dollars:.2g}"
