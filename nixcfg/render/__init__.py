"""A project as files: docker.nix and the LiteLLM configurations. Pure."""
