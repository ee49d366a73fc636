"""Which section of the knowledge a mapping of a LiteLLM file is."""

from collections.abc import Mapping

from nixcfg.problems.problem import Steps

TOP = "top_level"
NESTED: Mapping[tuple[str, str], str] = {
    (TOP, "litellm_settings"): "litellm_settings",
    (TOP, "router_settings"): "router_settings",
    (TOP, "general_settings"): "general_settings",
    ("litellm_settings", "cache_params"): "cache_params",
    ("router_settings", "retry_policy"): "retry_policy",
    ("router_settings", "allowed_fails_policy"): "allowed_fails_policy",
    ("general_settings", "coordination_redis"): "coordination_redis",
    ("deployment", "litellm_params"): "litellm_params",
    ("deployment", "model_info"): "model_info",
    ("guardrail", "litellm_params"): "guardrail_params",
}
"""The section that a key of a section holds."""
ENTRIES: Mapping[tuple[str, str], str] = {
    (TOP, "model_list"): "deployment",
    (TOP, "credential_list"): "credential",
    (TOP, "guardrails"): "guardrail",
    ("router_settings", "model_group_alias"): "model_group_alias",
    ("router_settings", "model_group_retry_policy"): "retry_policy",
}
"""The section that each entry of a key of a section holds."""


def section_at(path: Steps) -> str:
    """The section of the mapping at a path, "" where keys are anyone's."""
    section = TOP
    steps = iter(path)
    for step in steps:
        place = (section, str(step))
        if place in ENTRIES:
            if next(steps, None) is None:
                return ""
            section = ENTRIES[place]
        elif place in NESTED:
            section = NESTED[place]
        else:
            return ""
    return section
