"""What stands below a setting: files that LiteLLM opens, keys that need others, misspelt keys."""

from typing import Any

from entry_cases import Case, guarded, served


def tokens(**auth: Any) -> dict[str, Any]:
    return {"general": {"litellm_jwtauth": auth}}


def issued(**issuer: Any) -> dict[str, Any]:
    return tokens(issuers=[{"issuer": "https://issuer.test", **issuer}])


def settings(**given: Any) -> dict[str, Any]:
    return {"litellm_settings": given}


PRESIDIO = {
    "PRESIDIO_ANALYZER_API_BASE": "http://analyzer.test",
    "PRESIDIO_ANONYMIZER_API_BASE": "http://anonymizer.test",
}
CASES = {
    "words that are not there": Case(
        guarded(guardrail="litellm_content_filter", blocked_words_file="words.yaml"),
        ("NX217", "there is no words.yaml"),
        stops=True,
    ),
    "recognizers that are not there": Case(
        guarded(guardrail="presidio", presidio_ad_hoc_recognizers="own.json"),
        ("NX217", "there is no own.json"),
        stops=True,
        env=PRESIDIO,
    ),
    "words for another kind": Case(guarded(blocked_words_file="words.yaml"), None),
    "a specification that is not there": Case(
        served(spec_path="openapi.json"), ("NX217", "there is no openapi.json"), stops=True
    ),
    "an audience": Case(issued(audience="gateway"), None),
    "no audience": Case(issued(), ("NX221", "has no audience"), stops=True),
    "no audience, on purpose": Case(issued(disable_audience_validation=True), None),
    "roles in a token": Case(
        tokens(user_roles_jwt_field="roles"),
        ("NX221", "user_roles_jwt_field needs user_allowed_roles"),
        stops=True,
    ),
    "roles in a token, and those that may": Case(
        tokens(user_roles_jwt_field="roles", user_allowed_roles=["reader"]), None
    ),
    "a role for an object": Case(
        tokens(object_id_jwt_field="oid"),
        ("NX221", "object_id_jwt_field needs role_mappings"),
        stops=True,
    ),
    "no number of seconds": Case(
        {"general": {"user_api_key_cache_ttl": "soon"}}, ("NX209", "does not start"), stops=True
    ),
    "seconds as a text": Case({"general": {"user_api_key_cache_ttl": "60"}}, None),
    "seconds in a variable": Case(
        {"general": {"user_api_key_cache_ttl": "os.environ/TTL"}}, None, env={"TTL": "60"}
    ),
    "a digest": Case(
        {"general": {"alert_type_config": {"llm_exceptions": {"digets": True}}}},
        ("NX203", "knows no digets in general_settings.alert_type_config.llm_exceptions"),
    ),
    "what new teams get": Case(
        settings(default_team_params={"max_budgt": 1}), ("NX203", "knows no max_budgt")
    ),
    "what new keys get": Case(
        settings(default_key_generate_params={"tpm_limt": 1}), ("NX203", "knows no tpm_limt")
    ),
    "where logs go": Case(
        settings(s3_callback_params={"s3_bucket_nam": "x"}), ("NX203", "knows no s3_bucket_nam")
    ),
    "where logs go, by all keys": Case(
        settings(s3_callback_params={"s3_bucket_name": "x", "s3_region_name": "eu-central-1"}),
        None,
    ),
    "how often a group is tried": Case(
        {"router_settings": {"model_group_retry_policy": {"m": {"RateLimitErrorRetrys": 2}}}},
        ("NX203", "knows no RateLimitErrorRetrys"),
    ),
}
