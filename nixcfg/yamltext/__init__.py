"""YAML text: read with positions, written, edited. Knows nothing of LiteLLM."""
