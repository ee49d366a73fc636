"""What LiteLLM hands on by name: arguments of a Redis, and variables of a team's callbacks."""

import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_UNEXPECTED = re.compile(r"unexpected keyword argument '(\w+)'")
REDIS = {"host": "sample.test", "port": 6379}


def caches(ask: Callable[[str], str], base: Mapping[str, Any], kinds: list[str]) -> dict[str, Any]:
    """The kinds of cache that stop LiteLLM on a key that they do not know, each with the keys that
    its client takes beside those of the cache. `ask` gives the error for a text, "" without one.
    """

    def error(kind: str, **given: Any) -> str:
        params = {"type": kind, **REDIS, **given}
        return ask(
            json.dumps({**base, "litellm_settings": {"cache": True, "cache_params": params}})
        )

    def taken(kind: str) -> list[str]:
        """What is left of the arguments when each that is refused is taken away."""
        names = arguments()
        while refused := _UNEXPECTED.search(error(kind, **dict.fromkeys(names, 1))):
            if refused[1] not in names:
                return []
            names.remove(refused[1])
        return names

    return {
        kind: taken(kind)
        for kind in kinds
        if not error(kind) and _UNEXPECTED.search(error(kind, nixcfg_unknown=1))
    }


def arguments() -> list[str]:
    """What a Redis client may take, by its own signature and by LiteLLM's list."""
    import redis
    from litellm._redis import _get_redis_kwargs

    own = inspect.signature(redis.Redis.__init__).parameters.keys() - {"self"}
    return sorted(own | _get_redis_kwargs())


def team_variables() -> list[str]:
    """What an entry of default_team_settings may hold beside its callbacks: another key makes every
    request of the team fail."""
    from litellm.proxy._types import TeamCallbackMetadata
    from litellm.types.utils import StandardCallbackDynamicParams

    def is_taken(name: str) -> bool:
        try:
            TeamCallbackMetadata(callback_vars={name: "x"})
        except ValueError:
            return False
        return True

    if is_taken("nixcfg_unknown"):
        return []
    return [
        name for name in sorted(StandardCallbackDynamicParams.__annotations__) if is_taken(name)
    ]
