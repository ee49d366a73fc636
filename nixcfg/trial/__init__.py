"""`nixcfg test`: the real LiteLLM on what would be rendered, with stand-ins for every vendor."""
