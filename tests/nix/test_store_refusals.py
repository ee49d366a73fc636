"""Database, Redis and metrics: which settings of them the module refuses or warns of."""

import pytest
from evaluation import Case, evaluate

pytestmark = pytest.mark.slow


REFUSED = {
    "two-databases": (
        """services.litellm-proxy.database = { createLocally = true;
          host = "db"; passwordFile = "/x"; };""",
        'services.litellm-proxy.database.host = "db" are two databases',
        "Remove one of the two.",
    ),
    "two-redis": (
        'services.litellm-proxy.redis = { createLocally = true; host = "redis"; };',
        'services.litellm-proxy.redis.host = "redis" are two servers',
        "Remove one of the two.",
    ),
    "database-without-password": (
        'services.litellm-proxy.database.host = "db";',
        "without services.litellm-proxy.database.passwordFile",
        'holds the password of "litellm"',
    ),
    "database-password-of-nothing": (
        'services.litellm-proxy.database.passwordFile = "/x";',
        "services.litellm-proxy.database.passwordFile has no effect",
        "set services.litellm-proxy.database.host",
    ),
    "tls-through-a-socket": (
        'services.litellm-proxy.database = { createLocally = true; sslMode = "require"; };',
        "services.litellm-proxy.database.sslMode has no effect",
        "Remove it",
    ),
    "redis-password-of-nothing": (
        'services.litellm-proxy.redis = { createLocally = true; passwordFile = "/x"; };',
        "services.litellm-proxy.redis.passwordFile has no effect",
        "Remove it",
    ),
    "database-url-as-host": (
        """services.litellm-proxy.database = { host = "postgresql://u@db/x";
          passwordFile = "/x"; };""",
        'services.litellm-proxy.database.host = "postgresql://u@db/x" is not the name',
        "services.litellm-proxy.secrets.DATABASE_URL.file",
    ),
    "database-port-in-host": (
        'services.litellm-proxy.database = { host = "db:5432"; passwordFile = "/x"; };',
        'services.litellm-proxy.database.host = "db:5432" is not the name',
        "set services.litellm-proxy.database.port",
    ),
    "redis-socket-as-host": (
        'services.litellm-proxy.redis.host = "/run/redis.sock";',
        'services.litellm-proxy.redis.host = "/run/redis.sock" is not the name',
        "set services.litellm-proxy.redis.port",
    ),
    "database-in-the-container": (
        'services.litellm-proxy.database = { host = "localhost"; passwordFile = "/x"; };',
        'services.litellm-proxy.database.host = "localhost" is the container itself',
        "Set services.litellm-proxy.database.createLocally",
    ),
    "redis-in-the-container": (
        'services.litellm-proxy.redis.host = "127.0.0.1";',
        'services.litellm-proxy.redis.host = "127.0.0.1" is the container itself',
        "Set services.litellm-proxy.redis.createLocally",
    ),
    "role-of-another-name": (
        'services.litellm-proxy.database = { createLocally = true; user = "other"; };',
        'services.litellm-proxy.database.user = "other"',
        "Set both to the same name.",
    ),
    "name-that-cannot-be-made": (
        """services.litellm-proxy.database = { createLocally = true;
          name = "Lite LLM"; user = "Lite LLM"; };""",
        'services.litellm-proxy.database.name = "Lite LLM"',
        "Use small letters",
    ),
    "database-that-binds-nobody": (
        'services.litellm-proxy = { auth = "open"; database.createLocally = true; };',
        'services.litellm-proxy.auth = "open" with services.litellm-proxy.database',
        'Set services.litellm-proxy.auth = "master-key".',
    ),
    "salt-of-nothing": (
        'services.litellm-proxy.saltKeyFile = "/x";',
        "services.litellm-proxy.saltKeyFile has no effect",
        "Set services.litellm-proxy.database.createLocally",
    ),
    "models-without-database": (
        'services.litellm-proxy.environment.STORE_MODEL_IN_DB = "True";',
        "services.litellm-proxy.environment.STORE_MODEL_IN_DB",
        "Set services.litellm-proxy.database.createLocally",
    ),
    "url-beside-the-database": (
        """services.litellm-proxy = { database.createLocally = true;
          secrets.DATABASE_URL.file = "/etc/db"; };""",
        "services.litellm-proxy.secrets: `DATABASE_URL`",
        "see services.litellm-proxy.database",
    ),
    "salt-as-a-secret": (
        """services.litellm-proxy = { database.createLocally = true;
          secrets.LITELLM_SALT_KEY.file = "/etc/salt"; };""",
        "services.litellm-proxy.secrets: `LITELLM_SALT_KEY`",
        "see services.litellm-proxy.saltKeyFile",
    ),
    "another-redis-in-environment": (
        """services.litellm-proxy = { redis.createLocally = true;
          environment.REDIS_CLUSTER_NODES = "[]"; };""",
        "services.litellm-proxy.environment: `REDIS_CLUSTER_NODES`",
        "see services.litellm-proxy.redis",
    ),
    "redis-password-as-a-secret": (
        """services.litellm-proxy = { redis.host = "redis";
          secrets.REDIS_PASSWORD.file = "/etc/redis"; };""",
        "services.litellm-proxy.secrets: `REDIS_PASSWORD`",
        "see services.litellm-proxy.redis.passwordFile",
    ),
    "password-in-the-store": (
        'services.litellm-proxy.redis = { host = "redis"; passwordFile = ./key.txt; };',
        "services.litellm-proxy.redis.passwordFile is a path literal",
        "as a string in quotes",
    ),
    "unclean-password-path": (
        'services.litellm-proxy.database = { host = "db"; passwordFile = "/etc/../db"; };',
        'services.litellm-proxy.database.passwordFile = "/etc/../db"',
        "Write the plain absolute path.",
    ),
}

WARNED = {
    "authentication-of-ones-own": (
        """services.postgresql.authentication = lib.mkForce "local all all peer";
        services.litellm-proxy.database.createLocally = true;""",
        'services.postgresql.authentication = "local litellm litellm peer map=litellm-proxy".',
    ),
    "not-backed-up": (
        """services.postgresqlBackup = { enable = true; databases = [ "other" ]; };
        services.litellm-proxy.database.createLocally = true;""",
        'services.postgresqlBackup.databases lacks "litellm"',
    ),
}


@pytest.fixture(scope="module")
def evaluated(nix, tmp_path_factory) -> dict[str, Case]:
    """Every case of this file, evaluated."""
    cases = {name: [given[0]] for name, given in (REFUSED | WARNED).items()}
    return evaluate(nix, tmp_path_factory.mktemp("stores"), cases)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(evaluated, name):
    _, where, fix = REFUSED[name]
    assert len(evaluated[name]["assertions"]) == 1
    assert where in evaluated[name]["assertions"][0]
    assert fix in evaluated[name]["assertions"][0]


@pytest.mark.parametrize("name", WARNED)
def test_warned(evaluated, name):
    assert evaluated[name]["assertions"] == []
    (warning,) = evaluated[name]["warnings"]
    assert WARNED[name][1] in warning
