"""Two instances on one real PostgreSQL, with LiteLLM's own database client.

The first comes in over the socket without a password and runs the migrations, the second over TCP
with one and runs none: as the NixOS module has it with a local and with a remote database.
"""

import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import toolchain
from pair import Pair, pair
from services import PASSWORD, Postgres, Redis
from vendors import OpenAI

SALT = f"sk-{secrets.token_hex(24)}"

#: What one answer of the stand-in costs, by its 21 tokens.
PRICE = 0.21


@pytest.fixture(scope="module")
def prisma() -> toolchain.Toolchain:
    try:
        return toolchain.installed()
    except toolchain.AbsentError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def config(vendor: OpenAI) -> dict[str, Any]:
    answers = {"model": "openai/plain", "api_base": f"{vendor.url}/v1", "api_key": vendor.key}
    prices = {"input_cost_per_token": PRICE / 21, "output_cost_per_token": PRICE / 21}
    return {
        "model_list": [{"model_name": "plain", "litellm_params": answers | prices}],
        "general_settings": {"store_model_in_db": True},
    }


@pytest.fixture(scope="module")
def instances(
    prisma: toolchain.Toolchain,
    postgres: Postgres,
    redis: Redis,
    config: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    redis.forget()
    folder = tmp_path_factory.mktemp("instances")
    both = {"LITELLM_SALT_KEY": SALT, "REDIS_URL": redis.socket_url}
    first = prisma.environment(folder / "migrations-a") | {"DATABASE_URL": postgres.socket_url}
    second = prisma.environment(folder / "migrations-b") | {
        "DATABASE_URL": postgres.tcp_url,
        "DISABLE_SCHEMA_UPDATE": "true",
    }
    with pair(config, folder, both | first, both | second) as running:
        yield running


@pytest.fixture(scope="module")
def without_redis(
    instances: Pair,
    prisma: toolchain.Toolchain,
    postgres: Postgres,
    config: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    """Two more on the same database, which has its tables by now."""
    del instances
    folder = tmp_path_factory.mktemp("without_redis")
    environment = prisma.environment(folder / "migrations") | {
        "LITELLM_SALT_KEY": SALT,
        "DATABASE_URL": postgres.socket_url,
        "DISABLE_SCHEMA_UPDATE": "true",
    }
    with pair(config, folder, environment) as running:
        yield running


def new_key(instances: Pair, **limits: Any) -> str:
    answer = instances.a.request("POST", "/key/generate", limits)
    assert answer.status == 200, answer.body
    return str(answer.json()["key"])


def log(instances: Pair, instance: str) -> str:
    return getattr(instances, instance).log.read_text(errors="replace")


def eventually(postgres: Postgres, statement: str, seconds: float = 60) -> list[str]:
    """The first rows that come."""
    until = time.monotonic() + seconds
    while not (rows := postgres.ask(statement)) and time.monotonic() < until:
        time.sleep(0.5)
    return rows


def test_the_first_migrates_and_the_second_does_not(instances: Pair, postgres: Postgres):
    assert "prisma migrate deploy stdout" in log(instances, "a")
    assert "prisma migrate deploy" not in log(instances, "b")
    for instance in (instances.a, instances.b):
        ready = instance.request("GET", "/health/readiness", authorized=False).json()
        assert ready == {"status": "healthy", "db": "connected"}

    folders = [each for each in (toolchain.extras() / "migrations").iterdir() if each.is_dir()]
    assert len(folders) > 200
    done = "select count(*) from _prisma_migrations where finished_at is not null"
    assert postgres.ask(done) == [str(len(folders))]


def test_all_of_it_belongs_to_a_plain_role(instances: Pair, postgres: Postgres):
    del instances
    owners = "select distinct tableowner from pg_tables where schemaname = 'public'"
    assert postgres.ask(owners) == ["litellm"]
    may = "rolsuper or rolcreaterole or rolcreatedb or rolbypassrls"
    assert postgres.ask(f"select {may} from pg_roles where rolname = current_user") == ["f"]


def test_the_url_for_a_socket_serves_both_database_clients(instances: Pair, postgres: Postgres):
    """Prisma ran the migrations; libpq builds what no migration does."""
    del instances
    assert eventually(
        postgres,
        "select 1 from pg_indexes where indexname = 'LiteLLM_SpendLogs_api_key_startTime_idx'",
    )
    good, documented = for_libpq(postgres.socket_url, postgres.localhost_url)
    assert connects(good)
    # As Prisma's documentation has it: over TCP, where there is no password for it.
    assert not connects(documented)


def for_libpq(*urls: str) -> list[str]:
    """What LiteLLM makes of URLs for its second database client."""
    program = (
        "import sys; from litellm_proxy_extras.utils import ProxyExtrasDBManager as manager\n"
        "for url in sys.argv[1:]: print(manager._strip_prisma_query_params(url))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *urls],
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.splitlines()


def connects(url: str) -> bool:
    psql = ["psql", "-X", "-w", "-A", "-t", "-c", "select current_user", url]
    done = subprocess.run(psql, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0 and done.stdout == "litellm\n"


def test_a_key_of_one_instance_opens_the_other(instances: Pair):
    assert instances.with_key(new_key(instances)).statuses("plain", "ab") == [200, 200]
    assert instances.with_key(f"sk-{secrets.token_hex(8)}").statuses("plain", "ab") == [401, 401]


def test_a_keys_limit_is_shared_by_redis_alone(instances: Pair, without_redis: Pair):
    client = instances.with_key(new_key(instances, rpm_limit=2))
    assert client.statuses("plain", "aab") == [200, 200, 429]
    client = without_redis.with_key(new_key(without_redis, rpm_limit=2))
    assert client.statuses("plain", "aab") == [200, 200, 200]


def test_a_keys_budget_is_shared_by_redis(instances: Pair):
    client = instances.with_key(new_key(instances, max_budget=PRICE * 1.5))
    # Under load the second has been seen refused: what is under way counts as well.
    assert client.statuses("plain", "ab") in ([200, 200], [200, 422])
    # What an answer cost is counted after it has gone out.
    until = time.monotonic() + 30
    while (answer := client.a.chat("plain", "is it spent?")).status == 200:
        assert time.monotonic() < until, "the budget of two instances was spent by more"
        time.sleep(0.2)
    assert answer.status == 422
    assert b"budget_exceeded" in answer.body


def test_without_redis_each_instance_spends_it(without_redis: Pair):
    """The database knows it too, but some seconds later, and an instance that has begun to count
    for itself does not look."""
    client = without_redis.with_key(new_key(without_redis, max_budget=PRICE * 1.5))
    assert client.statuses("plain", "ab") == [200, 200]
    time.sleep(2)
    assert client.statuses("plain", "a") == [200]


def test_what_was_spent_is_in_the_database(instances: Pair, postgres: Postgres):
    key = new_key(instances)
    assert instances.with_key(key).statuses("plain", "b") == [200]
    spent = f"""
        select round(spend::numeric, 2) from "LiteLLM_VerificationToken"
        where key_name = 'sk-...{key[-4:]}' and spend > 0"""
    assert eventually(postgres, spent) == [str(PRICE)]


def test_a_vendors_key_is_encrypted_with_the_salt(instances: Pair, postgres: Postgres):
    key = f"sk-proj-{secrets.token_hex(24)}"
    model = {"model_name": "stored", "litellm_params": {"model": "openai/x", "api_key": key}}
    answer = instances.a.request("POST", "/model/new", model)
    assert answer.status == 200, answer.body
    stored = "select litellm_params from \"LiteLLM_ProxyModelTable\" where model_name = 'stored'"
    rows = postgres.ask(stored)
    assert rows
    assert key not in rows[0]


def test_no_password_in_the_log(instances: Pair):
    for text in (log(instances, "a"), log(instances, "b")):
        assert PASSWORD not in text
        assert "p%40ss" not in text
        assert SALT not in text
