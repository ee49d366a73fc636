"""What a kind of cache cannot do without: LiteLLM makes it at its start, or does not start."""

from collections.abc import Iterator, Mapping

from nixcfg.problems.problem import Problem
from nixcfg.rules.context import Config
from nixcfg.rules.entries import INCOMPLETE
from nixcfg.rules.scope import EveryDocument
from nixcfg.yamltext.document import Map

_PARAMS = ("litellm_settings", "cache_params")
_NEEDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "qdrant-semantic": (
        ("qdrant_collection_name",),
        ("similarity_threshold",),
        ("qdrant_api_base", "QDRANT_URL", "QDRANT_API_BASE"),
    ),
    "redis-semantic": (
        ("similarity_threshold",),
        ("redis_url", "host", "REDIS_HOST"),
        ("redis_url", "password", "REDIS_PASSWORD"),
    ),
}
"""By kind: of each choice of keys and variables one has to be there. Source: the __init__ of each
in litellm/caching; tests/rules/test_caches.py asks LiteLLM for every one."""


def _params(config: Config) -> Mapping[str, object]:
    """What the cache is made of; {} where none is made."""
    settings = config.section("litellm_settings")
    params = settings.get("cache_params")
    return params if settings.get("cache") is True and isinstance(params, Map) else {}


@EveryDocument
def _needs(config: Config) -> Iterator[Problem]:
    params = _params(config)
    kind = params.get("type")
    for choice in _NEEDS.get(kind, ()) if isinstance(kind, str) else ():
        wired = [config.variable_is_wired(name) for name in choice if name.isupper()]
        # Of a file alone no one knows the environment.
        if any(params.get(name) is not None for name in choice) or any(wired) or None in wired:
            continue
        yield config.document.problem(
            INCOMPLETE,
            (*_PARAMS, "type"),
            f"LiteLLM does not start: a cache of type {kind} needs {' or '.join(choice)}",
            help=f"Add {next(name for name in choice if name.islower())}.",
        )


@EveryDocument
def _sentinel(config: Config) -> Iterator[Problem]:
    """Redis Sentinel is asked by two keys."""
    params = _params(config)
    if params.get("sentinel_nodes") and not params.get("service_name"):
        yield config.document.problem(
            INCOMPLETE,
            (*_PARAMS, "sentinel_nodes"),
            "LiteLLM does not start: sentinel_nodes needs service_name",
            help="Add service_name.",
            key=True,
        )
