"""The project that the editor of these tests has open."""

PROJECT = {
    "nixcfg.yaml": (
        "model_config: all\n"
        "profiles:\n"
        "  small: [openai]\n"
        "router_settings:\n"
        "  fallbacks:\n"
        "  - gpt: [sonnet]\n"
    ),
    "providers/openai.yaml": (
        "model_list:\n"
        "- model_name: gpt\n"
        "  litellm_params:\n"
        "    model: openai/gpt-5.6\n"
        "environment_variables:\n"
        "  OPENAI_API_KEY: ${OPENAI_API_KEY}\n"
    ),
    "providers/claude.yaml": (
        "model_list:\n"
        "- model_name: sonnet # 🎉 the good one\n"
        "  litellm_params:\n"
        "    model: anthropic/claude-sonnet-4-5\n"
        "    api_key: os.environ/ANTHROPIC_API_KEY\n"
        "environment_variables:\n"
        "  ANTHROPIC_API_KEY: ${ANTHROPIC_API_KEY}\n"
        "router_settings:\n"
        "  model_group_alias: {best: sonnet}\n"
    ),
}
OPENAI, CLAUDE = PROJECT["providers/openai.yaml"], PROJECT["providers/claude.yaml"]
