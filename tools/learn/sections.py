"""The sections of a configuration, and the keys that LiteLLM reads in each."""

import re
from collections.abc import Mapping
from typing import Any

from learn.annotations import of_model
from learn.package import Package
from learn.params import credential, deployment, litellm_params, model_info, router_settings
from learn.reviewed import NEEDS_DATABASE, NOT_SECRET, SECRET, TYPES, WITHOUT_EFFECT
from learn.settings import general_settings, litellm_settings, top_level


def sections(source: Package) -> dict[str, Any]:
    from litellm.caching.caching import Cache
    from litellm.models.credentials import CredentialItem
    from litellm.proxy._types import CoordinationRedisParams
    from litellm.types.guardrails import Guardrail, LitellmParams
    from litellm.types.router import (
        AllowedFailsPolicy,
        RetryPolicy,
        RouterModelGroupAliasItem,
    )

    params = litellm_params()
    found: dict[str, Any] = {
        "top_level": section("ignored", top_level(source)),
        "litellm_settings": section("attribute", litellm_settings(source)),
        "router_settings": section("warned", router_settings()),
        "general_settings": section("ignored", general_settings(source)),
        "deployment": section("ignored", deployment(), coerced=True),
        "litellm_params": section("sent", params, coerced=True),
        "model_info": section("kept", model_info(source), coerced=True),
        "credential": section("ignored", credential(CredentialItem), coerced=True),
        "guardrail": section("ignored", of_model(Guardrail)),
        "guardrail_params": section("kept", of_model(LitellmParams), coerced=True),
        "cache_params": section("kept", of_model(Cache.__init__)),
        "coordination_redis": section("ignored", of_model(CoordinationRedisParams), coerced=True),
        "retry_policy": section("ignored", of_model(RetryPolicy), coerced=True),
        "allowed_fails_policy": section("ignored", of_model(AllowedFailsPolicy), coerced=True),
        "model_group_alias": section("ignored", of_model(RouterModelGroupAliasItem)),
    }
    for name, facts in found.items():
        for key, value in facts["keys"].items():
            if is_secret(key, value["type"]):
                value["secret"] = True
            if key in NEEDS_DATABASE.get(name, ()):
                value["database"] = True
    for (name, key), kind in TYPES.items():
        if key in found[name]["keys"]:
            found[name]["keys"][key]["type"] = kind
    for name, key in WITHOUT_EFFECT:
        found[name]["keys"].pop(key, None)
    return found


def section(unknown: str, keys: Mapping[str, Any], *, coerced: bool = False) -> dict[str, Any]:
    return {"unknown": unknown, "coerced": coerced, "keys": dict(sorted(keys.items()))}


def is_secret(key: str, kind: str) -> bool:
    """LiteLLM's own rule for what it hides in logs, without what only points at a secret."""
    from litellm.litellm_core_utils.sensitive_data_masker import (
        SensitiveDataMasker,
    )

    if key in SECRET:
        return True
    if not {"str", "any"} & set(kind.split("|")) or key in NOT_SECRET or points_at_secret(key):
        return False
    # What the name ends in is what the value is: `client_secret` is one, `key_generation_settings`
    # and `secret_manager_client` only have to do with one.
    if not re.search(r"(?:^|_)(?:password|secret|key|token|credentials?)(?:_id)?$", key):
        return False
    return bool(SensitiveDataMasker().is_sensitive_key(key))


def points_at_secret(key: str) -> bool:
    """Whether a value names the place of a secret: from 1.106 on LiteLLM says so itself."""
    from litellm.types import router

    says = getattr(router, "holds_secret_pointer", None)
    return bool(says(key)) if says else False
