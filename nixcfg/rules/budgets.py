"""Budgets that stop every request, or none."""

from collections.abc import Iterator, Mapping
from typing import Any

from nixcfg.problems.problem import Problem, Rule, Severity, Steps
from nixcfg.project.values import referenced
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.scope import EveryDeployment, EveryDocument
from nixcfg.yamltext.document import Map

_PROVIDERS = ("router_settings", "provider_budget_config")
_GENERAL = "general_settings"
_PERIODS = (
    ("litellm_settings", "budget_duration"),
    ("litellm_settings", "internal_user_budget_duration"),
    ("litellm_settings", "default_internal_user_params", "budget_duration"),
    ("litellm_settings", "default_key_generate_params", "duration"),
    ("litellm_settings", "default_key_generate_params", "budget_duration"),
    ("litellm_settings", "upperbound_key_generate_params", "duration"),
    ("litellm_settings", "upperbound_key_generate_params", "budget_duration"),
    ("litellm_settings", "default_team_params", "budget_duration"),
)
"""Settings that LiteLLM gives to its duration_in_seconds. Source: its own calls of that."""
_RETENTION = (
    *("maximum_spend_logs_retention_period", "maximum_spend_logs_retention_interval"),
    *("maximum_autorouter_session_retention_period", "maximum_health_check_retention_period"),
    "maximum_daily_tag_spend_retention_period",
)
"""The same of general_settings, for what it cleans up; a whole number is of days here."""

NO_LIMIT = Rule("NX223", Severity.ERROR)


@EveryDocument
def _providers(config: Config) -> Iterator[Problem]:
    """A provider's budget needs a limit, and a period: LiteLLM reads the two and nothing else."""
    for provider, budget in _budgets(config).items():
        path = (*_PROVIDERS, provider)
        if budget.get("budget_limit") is None:
            yield config.document.problem(
                NO_LIMIT,
                path,
                f"every request to {provider} is refused: its budget has no budget_limit",
                help="Add budget_limit, in US dollars.",
                key=True,
            )
        elif budget.get("time_period") is None:
            yield config.document.problem(
                NOT_KEPT,
                path,
                f"the budget of {provider} is never kept: it has no time_period",
                help="Add time_period: 1d.",
                key=True,
            )
        else:
            kept = f"the budget of {provider} is never kept"
            yield from _period(config, (*path, "time_period"), budget["time_period"], kept)


NOT_KEPT = Rule("NX224", Severity.ERROR, standalone=Severity.WARNING)


def _period(config: Config, path: Steps, value: Any, effect: str) -> Iterator[Problem]:
    if not isinstance(value, str) or referenced(value):
        return
    if not config.knowledge.entries.is_duration(value):
        yield config.document.problem(
            NOT_KEPT,
            path,
            f"{effect}: {value} is no length of time",
            help="Write a number and a unit: 30s, 12h, 7d or 1mo.",
        )


def _budgets(config: Config) -> Mapping[str, Map]:
    given = config.section(_PROVIDERS[0]).get(_PROVIDERS[1])
    budgets = given if isinstance(given, Map) else {}
    return {name: budget for name, budget in budgets.items() if isinstance(budget, Map)}


@EveryDocument
def _settings(config: Config) -> Iterator[Problem]:
    for section, *keys in _PERIODS:
        value: Any = config.section(section)
        for key in keys:
            value = value.get(key) if isinstance(value, Map) else None
        yield from _period(config, (section, *keys), value, "LiteLLM fails when it comes to use it")
    general = config.section(_GENERAL)
    for key in _RETENTION:
        yield from _period(config, (_GENERAL, key), general.get(key), "LiteLLM deletes nothing")


@EveryDeployment
def _deployment(config: Config, deployment: Deployment) -> Iterator[Problem]:
    params, path = deployment.params, deployment.params_path
    if params.get("max_budget") is not None:
        if params.get("budget_duration") is None:
            yield config.document.problem(
                NOT_KEPT,
                (*path, "max_budget"),
                "the budget of this deployment is never kept: it has no budget_duration",
                help="Add budget_duration: 1d.",
                key=True,
            )
        else:
            effect = "the budget of this deployment is never kept"
            yield from _period(
                config, (*path, "budget_duration"), params["budget_duration"], effect
            )
    yield from _price(config, deployment)


NO_PRICE = Rule("NX225", Severity.WARNING)


def _price(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """What has no price costs nothing, and so uses up no budget."""
    params, info = deployment.params, deployment.entry.get("model_info")
    own = params.get("max_budget") is not None
    if not own and deployment.provider not in _budgets(config):
        return
    model = deployment.model
    if model is None or deployment.provider is None or "*" in model:
        return
    given = [*params, *(info if isinstance(info, Map) else ())]
    if any("cost" in str(key) or key == "base_model" for key in given):
        return
    known = config.knowledge.find_model(model, deployment.provider)
    if known is None or (known.input_cost_per_token, known.output_cost_per_token) == (None, None):
        budget = "its budget" if own else f"the budget of {deployment.provider}"
        yield config.document.problem(
            NO_PRICE,
            (*deployment.params_path, "model"),
            f"{config.litellm} knows no price of {model}: {budget} never runs out",
            help="Add input_cost_per_token and output_cost_per_token to model_info.",
        )
