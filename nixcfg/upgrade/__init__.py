"""A project on another release of LiteLLM: what it gains and loses, and the change itself. Pure."""
