"""What is measured of single names in litellm_params, where the generated knowledge is too coarse.

Measured on LiteLLM 1.106.2: each was put into deployments of 30 providers, and the body of the
request was read.
"""

NOT_SENT = frozenset(
    {"cache_control_injection_points", "callbacks", "failure_callback", "success_callback"}
)
"""LiteLLM takes these from a deployment and sends them to no vendor."""

WITHOUT_EFFECT = frozenset(
    ("litellm_params", key) for key in ("rust", "stream_response", "verbose")
)
"""LiteLLM accepts these in a deployment, where nothing reads them."""

INSTEAD = {
    "rust": "Remove it, and set LITELLM_RUST=1 in the environment if it is meant.",
    "stream_response": "Remove it: each request says whether it is to be streamed.",
}
"""What to do about a setting that has no effect anywhere."""

DROPPING = frozenset({"gemini"})
"""Providers to which LiteLLM sends no parameter that it does not know: it drops them."""

READ_AT_CALL = frozenset({"azure_endpoint", "watsonx_region", "watsonx_token"})
"""Parameters that the code of a provider reads by name, which the measured lists do not hold."""
