"""A configuration for one LiteLLM alone: no Redis, no database, no bucket. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nixcfg.project.model import Config

_SHARED = {
    "general_settings": ("coordination_redis", "database_url", "use_redis_transaction_buffer"),
    "router_settings": ("cache_kwargs", "redis_db", "redis_host", "redis_password", "redis_port",
                        "redis_url"),
}  # fmt: skip
"""By section what connects LiteLLM to something that it shares with others."""


def alone(config: Config) -> tuple[Config, list[str]]:
    """The configuration that a case runs on, and what takes the place of what, in words."""
    litellm = dict(config.litellm)
    said = []
    for section, keys in _SHARED.items():
        given = litellm.get(section) or {}
        if found := [key for key in keys if key in given]:
            litellm[section] = {key: given[key] for key in given if key not in found}
            said.append(f"without {section}.{', '.join(found)}")
    settings = litellm.get("litellm_settings") or {}
    kind = _cache(settings)
    if kind not in ("", "local"):
        params = {**(settings.get("cache_params") or {}), "type": "local"}
        litellm["litellm_settings"] = {**settings, "cache_params": params}
        said.append(f"with a cache in memory in place of {kind}")
    return replace(config, litellm=litellm), said


def _cache(settings: Mapping[str, Any]) -> str:
    """The kind of cache, which is Redis where nothing is said; "" where there is none."""
    if settings.get("cache") is not True:  # LiteLLM takes nothing else for it
        return ""
    return str((settings.get("cache_params") or {}).get("type") or "redis")
