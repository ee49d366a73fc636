"""Mappings inside settings, with what in LiteLLM says which keys are read there."""

from learn.places import Place

_TYPES = "litellm.proxy._types"
_INTEGRATIONS = "litellm.types.integrations"


def _of_litellm(key: str, *models: str, reads: tuple[str, ...] = ("", "")) -> Place:
    return Place(f"litellm_settings.{key}", {"litellm_settings": {key: {}}}, models, reads)


PLACES = (
    # New keys and teams get what their requests do not say; all of it is a field of these. What
    # default_internal_user_params holds is given to a function, which fails on any other name.
    _of_litellm("default_key_generate_params", f"{_TYPES}.GenerateKeyRequest"),
    _of_litellm("default_team_params", f"{_TYPES}.NewTeamRequest"),
    _of_litellm("s3_callback_params", reads=("integrations/s3_v2.py", "params")),
    _of_litellm(
        "aws_sqs_callback_params", reads=("integrations/sqs.py", "aws_sqs_callback_params")
    ),
    _of_litellm("datadog_params", f"{_INTEGRATIONS}.datadog.DatadogInitParams"),
    _of_litellm(
        "datadog_llm_observability_params",
        f"{_INTEGRATIONS}.datadog_llm_obs.DatadogLLMObsInitParams",
    ),
    _of_litellm("newrelic_params", f"{_INTEGRATIONS}.newrelic.NewRelicInitParams"),
    _of_litellm("mcp_tool_search", "litellm.types.mcp.MCPToolSearchSettings"),
    Place(
        "general_settings.alert_type_config{}",
        {
            "general_settings": {
                "alerting": ["slack"],
                "alert_type_config": {"llm_exceptions": {"digest": True}},
            }
        },
        (f"{_INTEGRATIONS}.slack_alerting.AlertTypeConfig",),
    ),
    Place(
        "router_settings.model_group_retry_policy{}",
        {"router_settings": {"model_group_retry_policy": {"a": {"RateLimitErrorRetries": 1}}}},
        ("litellm.types.router.RetryPolicy",),
    ),
)
