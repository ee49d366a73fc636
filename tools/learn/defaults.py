"""What a setting is where a file does not say: plain values only, and none that is empty."""

import enum
import inspect
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_PLAIN = (bool, int, float, str)


def defaults(sections: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By section, the keys that have a default; `sections` are those of litellm.json."""
    import litellm
    from litellm.caching.caching import Cache
    from litellm.proxy._types import ConfigGeneralSettings, CoordinationRedisParams
    from litellm.types.guardrails import LitellmParams
    from litellm.types.router import LiteLLM_Params, ModelInfo

    known = {name: section["keys"] for name, section in sections.items()}
    given = {
        "litellm_settings": {
            name: getattr(litellm, name, None) for name in known["litellm_settings"]
        },
        "router_settings": of_signature(litellm.Router.__init__),
        "general_settings": of_model(ConfigGeneralSettings),
        "litellm_params": of_model(LiteLLM_Params),
        "model_info": of_model(ModelInfo),
        "guardrail_params": of_model(LitellmParams),
        "cache_params": of_signature(Cache.__init__),
        "coordination_redis": of_model(CoordinationRedisParams),
    }
    return {
        name: dict(sorted(plain(values, known[name]))) for name, values in sorted(given.items())
    }


def of_signature(function: Any) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}


def of_model(model: Any) -> dict[str, Any]:
    return {name: field.default for name, field in model.model_fields.items()}


def plain(values: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What YAML can hold of the values of known keys; a secret has no default worth showing."""
    for name, given in values.items():
        value = given.value if isinstance(given, enum.Enum) else given
        if name not in known or known[name].get("secret"):
            continue
        if isinstance(value, _PLAIN) and value != "" and is_finite(value):
            yield name, value
        elif isinstance(value, list | tuple) and value and all_plain(value):
            yield name, list(value)


def is_finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def all_plain(values: Iterable[Any]) -> bool:
    return all(isinstance(each, _PLAIN) for each in values)
