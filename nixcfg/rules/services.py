"""Settings that need something outside the file: Redis, Postgres, a licence, a Python module."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nixcfg import knowledge
from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity, Steps
from nixcfg.project.nearest import nearest
from nixcfg.project.values import referenced
from nixcfg.rules import values
from nixcfg.rules.config import Config
from nixcfg.yamltext.source import Map, describe

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_CODE = (
    "custom_auth",
    "custom_key_generate",
    "custom_key_update",
    "custom_key_policy",
    "custom_sso",
    "custom_ui_sso_sign_in_handler",
    "custom_team_metadata_validate",
)
_OLD_GUARDRAIL = {"callbacks", "default_on", "logging_only", "enabled_roles", "callback_args"}
_CALLBACKS = ("callbacks", "success_callback", "failure_callback")


def check(config: Config) -> Iterator[Problem]:
    """What a configuration needs around it and does not have."""
    yield from _redis(config)
    yield from _database(config)
    yield from _callbacks(config)
    yield from _cache(config)
    yield from _licence(config)
    yield from _guardrails(config)
    yield from _prompts(config)
    yield from _custom_code(config)


REDIS_PORT = Rule("NX210", Severity.WARNING)


def _redis(config: Config) -> Iterator[Problem]:
    router = config.section("router_settings")
    if router.get("redis_host") and not (router.get("redis_port") or router.get("redis_url")):
        yield config.document.problem(
            REDIS_PORT,
            ("router_settings", "redis_host"),
            "the router ignores redis_host without redis_port",
            help="Add redis_port: 6379.",
            key=True,
        )


NEEDS_DATABASE = Rule("NX211", Severity.WARNING, alone=Severity.NOTE)


def _database(config: Config) -> Iterator[Problem]:
    general = config.section("general_settings")
    if general.get("database_url") or config.around.included:
        return
    if any(config.variable_is_wired(name) for name in ("DATABASE_URL", "DATABASE_HOST")):
        return
    for section, key, value in config.settings():
        known = knowledge.keys(section).get(key)
        if known and known.database and value not in (None, False):
            yield config.document.problem(
                NEEDS_DATABASE,
                (section, key),
                f"{key} has no effect without a database",
                help="Give general_settings a database_url, or set DATABASE_URL."
                if config.alone
                else "Add database: local to nixcfg.yaml, or the host of one.",
                key=True,
            )


CALLBACK_STOPS = Rule("NX213", Severity.ERROR)


def _callbacks(config: Config) -> Iterator[Problem]:
    settings = config.section("litellm_settings")
    own = config.section("callback_settings")
    for key in _CALLBACKS:
        given = settings.get(key)
        listed = given if isinstance(given, list) else [given]
        for index, name in enumerate(listed):
            path: Steps = ("litellm_settings", key, *([index] if given is listed else []))
            if given is listed and not isinstance(name, str):
                yield config.document.problem(
                    CALLBACK_STOPS,
                    path,
                    f"LiteLLM does not start with {describe(name)} among its callbacks",
                    help="Name one of LiteLLM's, or module.attribute.",
                )
                continue
            is_plain = isinstance(name, str) and not referenced(name)
            if not is_plain or "." in name or name in own:
                continue
            # callbacks is imported when it is one text; the other two are taken letter by letter.
            known = given is listed and name in knowledge.callbacks(key)
            if not known and (given is listed or key == "callbacks"):
                yield _unknown_callback(config, path, key, name)


UNKNOWN_CALLBACK = Rule("NX212", Severity.WARNING)


def _unknown_callback(config: Config, path: Steps, key: str, name: str) -> Problem:
    known = knowledge.callbacks(key)
    stops = key == "callbacks"
    guess = nearest(name, known)
    mend = f"Did you mean {guess}?" if guess else "Known: `nixcfg explain NX212`."
    if stops and name in known:
        mend = f"Write a list: callbacks: [{name}]."
    elif not guess:
        others = [other for other in _CALLBACKS if name in knowledge.callbacks(other)]
        mend = (
            f"Put it in {others[0]}." if others else "Name one of LiteLLM's, or module.attribute."
        )
    effect = "LiteLLM does not start" if stops else "nothing is logged"
    return config.document.problem(
        CALLBACK_STOPS if stops else UNKNOWN_CALLBACK,
        path,
        f"LiteLLM has no callback {name}: {effect}",
        help=mend,
        fix=Fix((SetValue(path, guess),), safe=False) if guess else None,
    )


CACHE_WITHOUT_REDIS = Rule("NX214", Severity.ERROR, alone=Severity.WARNING)


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
    kind = params.get("type", "redis")
    if kind not in ("redis", "redis-semantic"):
        return
    if any(params.get(key) for key in ("host", "url", "redis_startup_nodes")):
        return
    names = ("REDIS_HOST", "REDIS_URL", "REDIS_CLUSTER_NODES", "REDIS_SENTINEL_NODES")
    if not any(config.variable_is_wired(name) for name in names):
        yield config.document.problem(
            CACHE_WITHOUT_REDIS,
            ("litellm_settings", "cache"),
            "LiteLLM does not start: the cache needs Redis, and there is no host for it",
            help="Add cache_params: {type: local}, or the host of a Redis."
            if config.alone
            else "Add redis: local to nixcfg.yaml, or cache_params: {type: local}.",
            key=True,
        )


NEEDS_LICENCE = Rule("NX215", Severity.ERROR, alone=Severity.WARNING)


def _licence(config: Config) -> Iterator[Problem]:
    if config.section("general_settings").get("litellm_license") or config.variable_is_wired(
        "LITELLM_LICENSE"
    ):
        return
    listed: list[tuple[tuple[str, ...], Any]] = [
        ((section, key), value) for section, key, value in config.settings()
    ]
    if not config.is_project_file:
        listed += [((key,), value) for key, value in config.data.items()]
    yield from _licensed_callbacks(config)
    for path, value in listed:
        section = path[0] if len(path) > 1 else "top_level"
        if value is not None and values.needs_licence(section, path[-1]):
            yield config.document.problem(
                NEEDS_LICENCE,
                path,
                f"LiteLLM does not start with {path[-1]} unless it has a licence",
                help="Remove it, or wire LITELLM_LICENSE.",
                key=True,
            )


def _licensed_callbacks(config: Config) -> Iterator[Problem]:
    settings = config.section("litellm_settings")
    for path, given in (
        (("litellm_settings", "callbacks"), settings.get("callbacks")),
        *_guardrail_callbacks(settings.get("guardrails")),
    ):
        for index, name in enumerate(given if isinstance(given, list) else ()):
            if isinstance(name, str) and name in values.licensed_callbacks():
                yield config.document.problem(
                    NEEDS_LICENCE,
                    (*path, index),
                    f"LiteLLM does not start with {name} unless it has a licence",
                    help="Remove it, or wire LITELLM_LICENSE.",
                )


def _guardrail_callbacks(old: Any) -> Iterator[tuple[Steps, Any]]:
    """The callbacks of the older guardrails that are on by default, and so are loaded at once."""
    for index, item in enumerate(old if isinstance(old, list) else ()):
        for name, value in item.items() if isinstance(item, Map) else ():
            if isinstance(value, Map) and value.get("default_on") is True:
                path = ("litellm_settings", "guardrails", index, name, "callbacks")
                yield path, value.get("callbacks")


GUARDRAIL_SHAPE = Rule("NX216", Severity.ERROR)


def _guardrails(config: Config) -> Iterator[Problem]:
    old = config.section("litellm_settings").get("guardrails")
    for index, item in enumerate(old if isinstance(old, list) else ()):
        for key, value in item.items() if isinstance(item, Map) else ():
            if not isinstance(value, Map) or not {"callbacks"} <= set(value) <= _OLD_GUARDRAIL:
                yield config.document.problem(
                    GUARDRAIL_SHAPE,
                    ("litellm_settings", "guardrails", index, key),
                    f"LiteLLM does not start: guardrail {key} must be a mapping with callbacks",
                    help="Move entries with guardrail_name to guardrails at the top level.",
                    key=True,
                )
                break
    new = config.data.get("guardrails") if not config.is_project_file else None
    if isinstance(new, Map) and new:
        yield config.document.problem(
            GUARDRAIL_SHAPE,
            ("guardrails",),
            "LiteLLM does not start: guardrails is a list of entries",
            help="Write each guardrail as - guardrail_name: ...",
            key=True,
        )
    for index, item in enumerate(new if isinstance(new, list) else ()):
        if isinstance(item, Map) and not isinstance(item.get("litellm_params"), Map):
            yield config.document.problem(
                GUARDRAIL_SHAPE,
                ("guardrails", index),
                "LiteLLM does not start: a guardrail needs litellm_params",
                help="Add litellm_params with guardrail and mode.",
            )


PROMPT_SHAPE = Rule("NX218", Severity.ERROR)


def _prompts(config: Config) -> Iterator[Problem]:
    listed = config.data.get("prompts") if not config.is_project_file else None
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(item, Map):
            continue
        params = item.get("litellm_params")
        named = isinstance(params, Map) and params.get("prompt_integration") is not None
        if not named or item.get("prompt_id") is None:
            first = next(iter(item), None)
            yield config.document.problem(
                PROMPT_SHAPE,
                ("prompts", index, first) if first else ("prompts", index),
                "LiteLLM does not start: a prompt needs prompt_id, and prompt_integration in "
                "its litellm_params",
                help="Add what is missing, for example prompt_integration: dotprompt.",
                key=bool(first),
            )


CUSTOM_CODE = Rule("NX217", Severity.WARNING)


def _custom_code(config: Config) -> Iterator[Problem]:
    for path, name in _imported(config):
        module = name.split(".", maxsplit=1)[0]
        found = module == "litellm" or f"{module}.py" in config.around.files
        if not found and module not in config.around.files:
            where = "beside this file" if config.alone else "in the container"
            yield config.document.problem(
                CUSTOM_CODE,
                path,
                f"there is no {module}.py {where}; LiteLLM does not start without it",
                help="Mount it with extraOptions of services.litellm-proxy, or remove this."
                if not config.alone
                else "Put it beside the configuration.",
            )


def _imported(config: Config) -> Iterator[tuple[Steps, str]]:
    for key in _CODE:
        value = config.section("general_settings").get(key)
        if isinstance(value, str) and _MODULE.fullmatch(value):
            yield ("general_settings", key), value
    settings: Mapping[str, Any] = config.section("litellm_settings")
    for key in _CALLBACKS:
        given = settings.get(key)
        for index, value in enumerate(given if isinstance(given, list) else ()):
            if isinstance(value, str) and _MODULE.fullmatch(value):
                yield ("litellm_settings", key, index), value
        if key == "callbacks" and isinstance(given, str) and _MODULE.fullmatch(given):
            yield ("litellm_settings", key), given
