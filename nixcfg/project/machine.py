"""What nixcfg.yaml says about one machine, and the configurations as they are there. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from nixcfg.knowledge import judge
from nixcfg.project import wiring
from nixcfg.project.model import (
    BY_VARIABLE,
    ENVIRONMENT,
    MODELS,
    SETTINGS,
    Config,
    Machine,
    Server,
    served,
)
from nixcfg.project.values import reference
from nixcfg.project.wiring import KeyFile

_ORDER = {section: index for index, section in enumerate((*SETTINGS, ENVIRONMENT))}


def machine(
    name: str, data: Mapping[str, Any], said: Mapping[str, Any], configs: tuple[Config, ...]
) -> Machine:
    """What nixcfg.yaml says for all machines, with what it says for this one in its place.

    Secrets and variables are replaced one by one, everything else as a whole.
    """
    given = {**data, **said}
    given |= {key: {**data.get(key, {}), **said.get(key, {})} for key in BY_VARIABLE}
    secrets, environment = (given[key] for key in BY_VARIABLE)
    secrets_dir = given.get("secrets_dir", wiring.DEFAULT_SECRETS_DIR)
    database, redis, metrics = (given.get(key) for key in ("database", "redis", "metrics"))
    servers = _server(database), _server(redis)
    wired = {*environment, *served(*servers, given.get("salt_key_file"))}
    is_closed = given.get("database_config") == "ignored"
    configs = tuple(map(_closed, configs)) if is_closed else configs
    here = tuple(_configured(each, wired, servers[1], metrics=bool(metrics)) for each in configs)
    image = given.get("image", wiring.DEFAULT_IMAGE)
    files = judge(image).knowledge.file_variables()
    return Machine(
        name=name,
        said=said,
        model_config=given.get("model_config", wiring.ALL),
        backend=given.get("backend", ""),
        image=image,
        listen_address=given.get("listen_address", "127.0.0.1"),
        port=int(given.get("port", 4000)),
        auth=given.get("auth", "master-key"),
        master_key_file=given.get("master_key_file"),
        instances=int(given.get("instances", 1)),
        workers=int(given.get("workers", 1)),
        database=servers[0],
        database_config=given.get("database_config", "used"),
        salt_key_file=given.get("salt_key_file"),
        redis=servers[1],
        metrics=bool(metrics),
        module=given.get("module", wiring.BUNDLED),
        host_ports=tuple(sorted({int(port) for port in given.get("host_ports", ())})),
        secrets_dir=secrets_dir,
        secrets=secrets,
        environment=environment,
        configs=here,
        key_files={
            variable: _key_file(variable, secrets.get(variable), secrets_dir, files)
            for variable in sorted({secret for config in here for secret in config.secrets})
        },
    )


def _server(given: Any) -> Server | None:
    """`local`, a mapping, or None."""
    if isinstance(given, Mapping):
        return Server(**{**given, **({"port": int(given["port"])} if "port" in given else {})})
    return Server() if given else None


def _configured(
    config: Config, wired: Collection[str], redis: Server | None, *, metrics: bool
) -> Config:
    """The configuration on a machine that has wired some of its variables in another way."""
    if metrics:
        config = replace(config, litellm=_counted(config.litellm, with_redis=redis is not None))
    if redis:
        config = replace(config, litellm=_coordinated(config.litellm, redis))
    if not any(variable in wired for variable in config.secrets):
        return config
    return replace(config, secrets=tuple(v for v in config.secrets if v not in wired))


CLOSED: Mapping[str, Any] = {"store_model_in_db": False, "supported_db_objects": []}
"""What keeps LiteLLM from taking models and settings from its database. The first is not enough:
a row of the database can turn it on again (tests/access/test_database_config.py)."""


def _closed(config: Config) -> Config:
    """The configuration for `database_config: ignored`."""
    settings = config.litellm.get("general_settings") or {}
    closed = {**settings, **CLOSED}
    return replace(config, litellm=with_section(config.litellm, "general_settings", closed))


def _counted(litellm: Mapping[str, Any], *, with_redis: bool) -> dict[str, Any]:
    """The same, with Prometheus among its callbacks: the user's own, and once.

    From 1.108 on LiteLLM counts the state of Redis only for `prometheus_system`
    (tests/proxy/test_metrics.py).
    """
    settings = dict(litellm.get("litellm_settings") or {})
    settings["callbacks"] = _with(settings.get("callbacks"), "prometheus")
    if with_redis:
        services = _with(settings.get("service_callback"), "prometheus_system")
        settings["service_callback"] = services
    return with_section(litellm, "litellm_settings", settings)


def _with(given: Any, name: str) -> list[Any]:
    """A list of callbacks, or one alone, with this one among them."""
    names = list(given) if isinstance(given, list) else [given] if given else []
    return names if name in names else [*names, name]


def _coordinated(litellm: Mapping[str, Any], redis: Server) -> dict[str, Any]:
    """The same, with the Redis that the module's variables name, unless the user names one.

    LiteLLM reads the variables by itself; but only when its configuration names Redis does it go
    on looking for one that did not answer at its start (tests/proxy/test_late_redis.py).
    """
    variables = {"host": "REDIS_HOST", "port": "REDIS_PORT"} if redis.host else {"url": "REDIS_URL"}
    if redis.password_file:
        variables["password"] = "REDIS_PASSWORD"  # noqa: S105 (a variable's name)
    named = {key: reference(variable) for key, variable in variables.items()}
    settings = litellm.get("general_settings") or {}
    return with_section(litellm, "general_settings", {"coordination_redis": named, **settings})


def with_section(
    litellm: Mapping[str, Any], section: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """The settings of LiteLLM with this section in its place."""
    changed = {**litellm, section: settings}
    ordered = sorted(changed, key=lambda each: (each != MODELS, *rank(each)))
    return {each: changed[each] for each in ordered}


def rank(section: str) -> tuple[int, str]:
    """The position of a section in a LiteLLM file."""
    return _ORDER.get(section, len(_ORDER)), section


def _key_file(variable: str, given: Any, secrets_dir: str, files: Collection[str]) -> KeyFile:
    entry: Mapping[str, Any] = {"file": given} if isinstance(given, str) else given or {}
    return KeyFile(
        variable=variable,
        file=entry.get("file") or wiring.key_file(variable, secrets_dir),
        kind=entry.get("kind", "file" if variable in files else "env"),
        required=entry.get("required", False),
        optional=entry.get("optional", False),
        encrypted=entry.get("encrypted", False),
    )
