"""What no reading and no run of LiteLLM shows, each entry with its reason and a test."""

# Keys that LiteLLM reads in a section and which nevertheless have no effect there. A reading
# cannot show this; tests/knowledge/test_behaviour.py shows it with a running router.
WITHOUT_EFFECT = {
    # The router takes its cooldown threshold from its own argument only when that differs from
    # litellm.allowed_fails, and this section sets both to the same value.
    ("litellm_settings", "allowed_fails"),
}

# The same in a deployment: LiteLLM takes these out of the request, and nothing looks at them. What
# has an effect instead is LITELLM_RUST in the environment, each request's own `stream`, and
# set_verbose (tests/rules/test_litellm_says.py).
PARAMS_WITHOUT_EFFECT = {"rust", "stream_response", "verbose"}

# Attributes of the litellm module that code reads, but which hold objects that YAML cannot make:
# set from litellm_settings they replace the real ones with plain data.
OBJECTS = {
    "credential_list",  # CredentialItem; belongs at the top level
    "guardrail_name_config_map",  # GuardrailItem, made from `guardrails`
    "in_memory_llm_clients_cache",
    "initialized_langfuse_clients",  # a counter
    "secret_manager_client",
    "vector_store_index_registry",
    "vector_store_registry",  # belongs at the top level
}

# Types that no annotation tells.
TYPES = {
    # initialize_callbacks_on_proxy takes one `module.attribute` or a list of names.
    ("litellm_settings", "callbacks"): "str|list",
    # load_config updates an empty mapping with it.
    ("litellm_settings", "cache_params"): "map",
    # drop_params_flag reads "true" and "false" too; os.environ/X may give either.
    ("litellm_settings", "drop_params"): "bool|str",
}

# LiteLLM's masker goes by words in a name. These it hides although they are no secrets, or does
# not hide although they are.
NOT_SECRET = {
    "bos_token",  # markers of a prompt template
    "eos_token",
    "cache_key",  # names of cache entries
    "preset_cache_key",
    "prompt_cache_key",
    "langfuse_public_key",
    "s3_sse_kms_key_id",  # the name of a key at AWS
    "key",  # model_info.key: the catalogue's name of the model
}
SECRET = {
    "database_url",  # holds the database's password
    "litellm_license",
}

# Settings of the proxy that do nothing, or are refused, as long as no database is connected.
# LiteLLM says so in prose only; each was followed to its one reader, which needs prisma_client.
NEEDS_DATABASE = {
    "general_settings": (
        "database_connection_pool_limit",
        "database_connection_timeout",
        "disable_prisma_schema_update",
        "disable_reset_budget",
        "disable_spend_logs",
        "disable_spend_updates",
        "maximum_spend_logs_retention_period",
        "proxy_batch_write_at",
        "store_model_in_db",
        "store_prompts_in_spend_logs",
        "use_redis_transaction_buffer",
    ),
    "litellm_settings": (
        "default_internal_user_params",
        "default_team_settings",
        "max_budget",
        "max_internal_user_budget",
        "store_audit_logs",
        "upperbound_key_generate_params",
    ),
}

# Losses that are LiteLLM's own, by the release in which they were found. tools/learn/floor.py
# refuses any other.
_NO_FIELD = "no field of LiteLLM_Params here; 1.108.14 has it, for what LiteLLM passes to itself"
_A_POLICY = "a policy by provider and model now, no switch (model_quota_policy.py)"
_PARAMS_1108 = (
    "litellm_params._skip_mcp_handler",
    "litellm_params.fake_stream",
    "litellm_params.mcp_handler_context",
    "litellm_params.skip_mcp_handler",
)
ACCEPTED: dict[str, dict[str, str]] = {
    release: {
        "general_settings.enforce_project_model_quota": _A_POLICY,
        "general_settings.enforce_rpm_tpm_on_model_add": _A_POLICY,
        **dict.fromkeys(_PARAMS_1108, _NO_FIELD),
    }
    for release in ("1.109.3", "1.110.2")
}
ACCEPTED["1.105.7"] = dict.fromkeys(
    ("guardrail_params.agent_id", "guardrail_params.resource_app_id"),
    "no field of the guardrail agent_365 any more",
)
ACCEPTED["1.110.2"] |= {
    "model_info.original_model_id": "the router writes it itself, and no one gives it",
    "providers.openai.OPENAI_ADMIN_KEY": "with this key alone a call fails before it is sent",
}

# Fields of the admin API that a file cannot give: nixcfg sets them itself (names, the value, what
# belongs to what), they are counted by LiteLLM (spend), or they do something once (e-mail).
_ONCE = frozenset({"duration", "spend", "send_invite_email", "config", "agent_id", "project_id"})
ACCESS_OWN = {
    "team": frozenset({"team_id", "team_alias"}) | _ONCE,
    "user": frozenset({"user_id", "team_id", "key_alias", "password"}) | _ONCE,
    # LiteLLM would replace the value by itself, and the file would hold one that is refused.
    "key": frozenset({"key", "key_alias", "team_id", "user_id", "auto_rotate", "rotation_interval"})
    | _ONCE,
}

# Refused without a licence by code of their own, and not by the list that LiteLLM has of such
# fields (tests/access/test_fields.py asks the real API for each field).
ACCESS_LICENCE = frozenset({"model_max_budget", "organization_id"})
