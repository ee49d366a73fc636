"""nixcfg: a private LLM gateway for NixOS, from a few provider YAML files."""

__version__ = "0.1.0"
