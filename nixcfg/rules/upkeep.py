"""What LiteLLM does beside answering: asks models whether they live, keeps logs, asks who asks."""

from collections.abc import Iterator

from nixcfg.problems.problem import Problem, Rule, Severity, Steps
from nixcfg.rules.context import Config
from nixcfg.rules.scope import EveryDocument
from nixcfg.yamltext.document import Map

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

URL_AS_HOST = Rule("NX230", Severity.ERROR, standalone=Severity.WARNING)


@EveryDocument
def _redis_hosts(config: Config) -> Iterator[Problem]:
    for section, *keys in _HOSTS:
        value: object = config.section(str(section))
        for key in keys:
            value = value.get(str(key)) if isinstance(value, Map) else None
        if isinstance(value, str) and "://" in value:
            yield config.document.problem(
                URL_AS_HOST,
                (section, *keys),
                f"{keys[-1]} is the name of a host, not a URL: LiteLLM finds no Redis there",
                help="Write the name alone, and the port under port.",
            )
