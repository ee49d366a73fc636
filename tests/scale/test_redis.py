"""What two instances share with Redis, and do not share without it, as docs/scale.md says."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pair import MASTER_KEY, Pair, pair, within_one_minute
from services import PASSWORD, Redis
from vendors import OpenAI

EVERYTHING = frozenset({"deployment's limit", "cooldown", "key's limit", "cache"})


@dataclass(frozen=True)
class Case:
    """A way to configure Redis, and what it makes two instances share."""

    name: str
    shares: frozenset[str]
    environment: Callable[[Redis], dict[str, str]] = lambda _redis: {}
    router: Callable[[Redis], dict[str, Any]] = lambda _redis: {}
    settings: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case(
        name="no Redis",
        shares=frozenset(),
        settings={"cache": True, "cache_params": {"type": "local"}},
    ),
    Case(
        name="REDIS_URL, a socket and a password",
        shares=EVERYTHING,
        environment=lambda redis: {"REDIS_URL": redis.socket_url},
        settings={"cache": True},
    ),
    Case(
        name="REDIS_HOST, REDIS_PORT and REDIS_PASSWORD",
        shares=EVERYTHING,
        environment=lambda redis: redis.variables,
        settings={"cache": True},
    ),
    Case(
        name="the router's settings",
        shares=frozenset({"deployment's limit", "cooldown"}),
        router=lambda redis: {
            "redis_host": "127.0.0.1",
            "redis_port": redis.port,
            "redis_password": PASSWORD,
        },
    ),
    Case(
        name="REDIS_URL beside REDIS_PASSWORD, a router's host without its port",
        shares=frozenset(),
        environment=lambda redis: {
            "REDIS_URL": f"unix://{redis.socket}",
            "REDIS_PASSWORD": PASSWORD,
        },
        router=lambda _redis: {"redis_host": "127.0.0.1", "redis_password": PASSWORD},
    ),
]

# Keys with limits live in a database; in its place a module beside the configuration gives them
# out, by LiteLLM's own `custom_auth`.
AUTHENTICATION = f"""\
from litellm.proxy._types import UserAPIKeyAuth


async def authenticate(request, api_key):
    if api_key == "{MASTER_KEY}":
        return UserAPIKeyAuth(api_key=api_key)
    return UserAPIKeyAuth(api_key=api_key, rpm_limit=2)
"""


@pytest.fixture(scope="module")
def broken() -> Iterator[OpenAI]:
    """A vendor that never has an answer."""
    with OpenAI("sk-broken") as running:
        yield running


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(scope="module")
def instances(
    case: Case,
    redis: Redis,
    vendor: OpenAI,
    broken: OpenAI,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    redis.forget()

    def model(name: str, model: str, at: OpenAI, **limits: int) -> dict[str, Any]:
        answers = {"model": f"openai/{model}", "api_base": f"{at.url}/v1", "api_key": at.key}
        return {"model_name": name, "litellm_params": answers | limits}

    config = {
        "model_list": [
            model("plain", "plain", vendor),
            model("limited", "limited", vendor, rpm=2),
            # Two, since LiteLLM does not send the only deployment of a model into cooldown.
            model("broken", "broken-1", broken),
            model("broken", "broken-2", broken),
        ],
        "litellm_settings": {"num_retries": 0, **case.settings},
        "router_settings": {
            "allowed_fails": 1,
            "cooldown_time": 60,
            "num_retries": 0,
            "optional_pre_call_checks": ["enforce_model_rate_limits"],
            **case.router(redis),
        },
        "general_settings": {"custom_auth": "authentication.authenticate"},
    }
    with pair(
        config,
        tmp_path_factory.mktemp("instances"),
        case.environment(redis),
        files={"authentication.py": AUTHENTICATION},
    ) as running:
        yield running


def test_a_deployments_limit(case: Case, instances: Pair):
    within_one_minute()
    third = 429 if "deployment's limit" in case.shares else 200
    assert instances.statuses("limited", "aab") == [200, 200, third]


def test_a_keys_limit(case: Case, instances: Pair):
    third = 429 if "key's limit" in case.shares else 200
    assert instances.with_key("sk-client").statuses("plain", "aab") == [200, 200, third]


def test_a_cooldown(case: Case, instances: Pair, broken: OpenAI):
    broken.forget()
    broken.behave_as(*[broken.refusal(503)] * 40)
    # Each deployment is asked until it is out; then there is none left, which is a 429.
    assert instances.statuses("broken", "aaaaaa")[-2:] == [429, 429]
    time.sleep(1.5)  # each instance looks once a second
    broken.seen.clear()

    statuses = instances.statuses("broken", "bb")

    shared = "cooldown" in case.shares
    assert statuses == ([429, 429] if shared else [503, 503])
    assert bool(broken.seen) is not shared


def test_an_answer_in_the_cache(case: Case, instances: Pair, vendor: OpenAI):
    vendor.forget()
    for instance in (instances.a, instances.b):
        assert instance.chat("plain", f"the same in case {case.name}").status == 200
        time.sleep(0.5)  # it is stored after the answer has gone out
    assert len(vendor.seen) == (1 if "cache" in case.shares else 2)


def test_no_password_in_the_log(case: Case, instances: Pair):
    del case
    for instance in (instances.a, instances.b):
        log = instance.log.read_text(errors="replace")
        assert PASSWORD not in log
        assert "p%40ss" not in log
