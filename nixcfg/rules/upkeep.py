"""What LiteLLM does beside answering: asks models whether they live, keeps logs, asks who asks."""

from collections.abc import Iterator

from nixcfg.problems.problem import Problem, Rule, Severity, Steps
from nixcfg.project.model import ENVIRONMENT, Machine
from nixcfg.project.values import referenced
from nixcfg.rules.context import Config, Whole, variable_stores_models
from nixcfg.rules.scope import EveryDocument, EveryMachine
from nixcfg.rules.services import stores_models
from nixcfg.yamltext.document import Document, Map

_OFTEN = 300
"""Seconds between two health checks unless health_check_interval says otherwise: LiteLLM's own
DEFAULT_HEALTH_CHECK_INTERVAL, which is what its makers think of as often enough."""

PAID_CHECKS = Rule("NX228", Severity.WARNING)


@EveryDocument
def _health_checks(config: Config) -> Iterator[Problem]:
    settings = config.section("general_settings")
    interval = settings.get("health_check_interval")
    if settings.get("background_health_checks") is not True or isinstance(interval, bool):
        return
    # What answers at an address of one's own costs nothing.
    if config.deployments and all(each.api_base for each in config.deployments):
        return
    if isinstance(interval, int | float) and 0 < interval < _OFTEN:
        yield config.document.problem(
            PAID_CHECKS,
            ("general_settings", "health_check_interval"),
            f"LiteLLM asks every model {round(86400 / interval):,} times a day whether it lives",
            help="Write 300 or more, or health_check_model of model_info for what costs nothing.",
        )


_COMMON = "custom_auth_run_common_checks"
CUSTOM_AUTH_ALONE = Rule("NX229", Severity.WARNING)


@EveryDocument
def _custom_auth(config: Config) -> Iterator[Problem]:
    """LiteLLM leaves budgets, limits and blocked keys to custom code unless it is asked not to."""
    known = config.knowledge.keys("general_settings")
    if not config.section("general_settings").get("custom_auth") or _COMMON not in known:
        return
    if not config.has("general_settings", _COMMON):
        yield config.document.problem(
            CUSTOM_AUTH_ALONE,
            ("general_settings", "custom_auth"),
            "with custom_auth LiteLLM checks no budget, limit or model of a key by itself",
            help=f"Add {_COMMON}: true, or see that the module checks them.",
            key=True,
        )


_HOSTS: tuple[Steps, ...] = (
    ("litellm_settings", "cache_params", "host"),
    ("router_settings", "redis_host"),
    ("general_settings", "coordination_redis", "host"),
)


@EveryDocument
def _redis_hosts(config: Config) -> Iterator[Problem]:
    for section, *keys in _HOSTS:
        value: object = config.section(str(section))
        for key in keys:
            value = value.get(str(key)) if isinstance(value, Map) else None
        # A file's own variables are set too late for a reference (NX308).
        variable = referenced(value)
        if _is_url(config.context.environment.get(variable) if variable else value):
            yield _url_as_host(config, (section, *keys), variable)
    # Where no setting names a host, LiteLLM asks this variable for one.
    for environment in (ENVIRONMENT, "environment"):
        if environment in config.data and _is_url(config.section(environment).get("REDIS_HOST")):
            yield _url_as_host(config, (environment, "REDIS_HOST"))


def _is_url(value: object) -> bool:
    return isinstance(value, str) and "://" in value


URL_AS_HOST = Rule("NX230", Severity.ERROR, standalone=Severity.WARNING)


def _url_as_host(config: Config, path: Steps, variable: str | None = None) -> Problem:
    holds = f"and {variable} holds a URL" if variable else "not a URL"
    return config.document.problem(
        URL_AS_HOST,
        path,
        f"{path[-1]} is the name of a host, {holds}: LiteLLM finds no Redis there",
        help="Write the name alone, and the port under port."
        if path[-1] != "REDIS_HOST"
        else "Write the name alone, and the port as REDIS_PORT; or set REDIS_URL.",
    )


_RETENTION = "maximum_spend_logs_retention_period"
_DATABASES: tuple[Steps, ...] = (
    ("general_settings", "database_url"),
    (ENVIRONMENT, "DATABASE_URL"),
    (ENVIRONMENT, "DATABASE_HOST"),
)


@EveryDocument
def _spend_logs(config: Config) -> Iterator[Problem]:
    """A row for every request, which LiteLLM deletes only when it is told after how long."""
    general = "general_settings"
    if any(config.has(general, key) for key in (_RETENTION, "disable_spend_logs")):
        return
    if config.context.included or not config.context.complete or stores_models(config):
        return
    for path in _DATABASES:
        value: object = config.data
        for step in path:
            value = value.get(str(step)) if isinstance(value, Map) else None
        if value:
            yield _kept_for_good(config.document, path)
            return


@EveryMachine
def _spend_logs_of_a_machine(whole: Whole, machine: Machine) -> Iterator[Problem]:
    """The same for `database:`, where the settings may be in any file that the machine loads."""
    if not machine.database:
        return
    for config in machine.configs:
        if config.name == machine.model_config:
            general = config.litellm.get("general_settings") or {}
            told = (_RETENTION, "disable_spend_logs", "store_model_in_db")
            if not any(map(general.get, told)) and not variable_stores_models(machine.environment):
                yield _kept_for_good(whole.project.document, machine.place("database"))


KEPT_FOR_GOOD = Rule("NX231", Severity.NOTE)


def _kept_for_good(document: Document, path: Steps) -> Problem:
    return document.problem(
        KEPT_FOR_GOOD,
        path,
        "LiteLLM writes a row for every request to this database, and deletes none",
        help=f"Add {_RETENTION}: 90d to general_settings, or disable_spend_logs: true.",
        key=True,
    )
