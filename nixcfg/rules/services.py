"""Settings that need a service or a licence: Redis, PostgreSQL, an enterprise licence."""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nixcfg.problems.problem import Problem, Rule, Severity, Steps
from nixcfg.rules import values
from nixcfg.rules.context import Config, Setting, variable_stores_models
from nixcfg.rules.scope import EveryDocument
from nixcfg.yamltext.document import Map

REDIS_PORT = Rule("NX210", Severity.WARNING)


@EveryDocument
def _redis(config: Config) -> Iterator[Problem]:
    others = (config.has("router_settings", key) for key in ("redis_port", "redis_url"))
    if config.section("router_settings").get("redis_host") and not any(others):
        yield config.document.problem(
            REDIS_PORT,
            ("router_settings", "redis_host"),
            "the router ignores redis_host without redis_port",
            help="Add redis_port: 6379.",
            key=True,
        )


NEEDS_DATABASE = Rule("NX211", Severity.WARNING, standalone=Severity.NOTE)


@EveryDocument
def _database(config: Config) -> Iterator[Problem]:
    if config.has("general_settings", "database_url") or config.context.included:
        return
    if any(config.variable_is_wired(name) for name in ("DATABASE_URL", "DATABASE_HOST")):
        return
    for given in config.settings:
        known = config.knowledge.keys(given.section).get(given.key)
        if known and known.database and given.value not in (None, False):
            yield config.document.problem(
                NEEDS_DATABASE,
                given.path,
                f"{given.key} has no effect without a database",
                help="Give general_settings a database_url, or set DATABASE_URL."
                if config.standalone
                else "Add database: local to nixcfg.yaml, or the host of one.",
                key=True,
            )


def stores_models(config: Config) -> bool:
    """Whether LiteLLM takes models, guardrails and settings from its database too."""
    return config.has("general_settings", "store_model_in_db") or variable_stores_models(
        {**config.environment, **config.context.environment}
    )


_VARIABLES = ("REDIS_HOST", "REDIS_URL", "REDIS_CLUSTER_NODES", "REDIS_SENTINEL_NODES")
CACHE_WITHOUT_REDIS = Rule("NX214", Severity.ERROR, standalone=Severity.WARNING)


@EveryDocument
def _cache(config: Config) -> Iterator[Problem]:
    settings = config.section("litellm_settings")
    params = settings.get("cache_params", {})
    if settings.get("cache") is not True:
        return
    if params is None:
        yield config.document.problem(
            values.STOPS,
            ("litellm_settings", "cache_params"),
            "LiteLLM does not start with empty cache_params",
            help="Fill it in, or remove the line.",
            key=True,
        )
    if not isinstance(params, dict):
        return
    if "type" in params and not params["type"]:
        yield config.document.problem(
            values.STOPS,
            ("litellm_settings", "cache_params", "type"),
            "LiteLLM does not start with a cache of no type",
            help="Write redis, or local for a cache in memory.",
            key=True,
        )
        return
    listed = config.values("litellm_settings", "cache_params")
    params = dict(ChainMap(*(each for each in listed if isinstance(each, dict))))
    if params and "type" not in params:
        yield from _cache_in_memory(config, params)
        return
    kind = params.get("type", "redis")
    if kind not in ("redis", "redis-semantic"):
        return
    if any(params.get(key) for key in ("host", "url", "redis_startup_nodes", "sentinel_nodes")):
        return
    if not any(config.variable_is_wired(name) for name in _VARIABLES):
        yield config.document.problem(
            CACHE_WITHOUT_REDIS,
            ("litellm_settings", "cache"),
            # Of a file alone no one knows the environment.
            "LiteLLM does not start unless REDIS_HOST or REDIS_URL is set: the cache needs a Redis"
            if config.standalone
            else "LiteLLM does not start: the cache needs Redis, and there is no host for it",
            help="Add cache_params: {type: local}, or the host of a Redis."
            if config.standalone
            else "Add redis: local to nixcfg.yaml, or cache_params: {type: local}.",
            key=True,
        )


_OF_REDIS = ("host", "port", "url", "password", "redis_startup_nodes", "sentinel_nodes")


def _cache_in_memory(config: Config, params: Mapping[str, Any]) -> Iterator[Problem]:
    """LiteLLM 1.106.2 asks REDIS_HOST only while cache_params is empty, and its type is local."""
    named = next((key for key in _OF_REDIS if key in params), None)
    variable = next((name for name in _VARIABLES if config.variable_is_wired(name)), None)
    if not named and not variable and not config.standalone:
        return
    ignored = named or variable or "REDIS_HOST"
    problem = config.document.problem(
        CACHE_WITHOUT_REDIS,
        ("litellm_settings", "cache_params" if "cache_params" in _litellm(config) else "cache"),
        f"cache_params without type is a cache in memory: LiteLLM ignores {ignored}",
        help="Add type: redis, or type: local if that is meant.",
        key=True,
    )
    yield replace(problem, level=Severity.WARNING if named or variable else Severity.NOTE)


def _litellm(config: Config) -> Mapping[str, Any]:
    return config.section("litellm_settings")


NEEDS_LICENCE = Rule("NX215", Severity.ERROR, standalone=Severity.WARNING)


@EveryDocument
def _licence(config: Config) -> Iterator[Problem]:
    licence = config.has("general_settings", "litellm_license")
    if licence or config.variable_is_wired("LITELLM_LICENSE"):
        return
    listed = list(config.settings)
    if not config.is_project_file:
        listed += [Setting((key,), "top_level", key, value) for key, value in config.data.items()]
    yield from _licensed_callbacks(config)
    for given in listed:
        if given.value is not None and values.needs_licence(
            config.knowledge, given.section, given.key
        ):
            yield config.document.problem(
                NEEDS_LICENCE,
                given.path,
                f"LiteLLM does not start with {given.key} unless it has a licence",
                help="Remove it, or wire LITELLM_LICENSE.",
                key=True,
            )


def _licensed_callbacks(config: Config) -> Iterator[Problem]:
    settings = config.section("litellm_settings")
    for path, given in (
        (("litellm_settings", "callbacks"), settings.get("callbacks")),
        *guardrail_callbacks(settings.get("guardrails")),
    ):
        for index, name in enumerate(given if isinstance(given, list) else ()):
            if isinstance(name, str) and name in values.licensed_callbacks(config.knowledge):
                yield config.document.problem(
                    NEEDS_LICENCE,
                    (*path, index),
                    f"LiteLLM does not start with {name} unless it has a licence",
                    help="Remove it, or wire LITELLM_LICENSE.",
                )


def guardrail_callbacks(old: Any) -> Iterator[tuple[Steps, Any]]:
    """The callbacks of the older guardrails that are on by default, and so are loaded at once."""
    for index, item in enumerate(old if isinstance(old, list) else ()):
        for name, value in item.items() if isinstance(item, Map) else ():
            if isinstance(value, Map) and value.get("default_on") is True:
                path = ("litellm_settings", "guardrails", index, name, "callbacks")
                yield path, value.get("callbacks")
