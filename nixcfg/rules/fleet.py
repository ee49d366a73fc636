"""What instances, workers and hosts share: Redis, the database, and the keys that both need."""

from collections.abc import Iterator, Mapping

from nixcfg import wiring
from nixcfg.model import ENVIRONMENT, Machine, Project
from nixcfg.problem import Problem, Rule, Severity, Steps
from nixcfg.source import Document, Map

_FILES: Mapping[str, str] = {
    "providers/openai.yaml": """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
"""
}
REDIS = frozenset(
    {
        "REDIS_HOST",
        "REDIS_PORT",
        "REDIS_PASSWORD",
        "REDIS_URL",
        "REDIS_CLUSTER_NODES",
        "REDIS_SENTINEL_NODES",
    }
)
DATABASE = frozenset(
    {
        "DATABASE_URL",
        "DATABASE_HOST",
        "DATABASE_NAME",
        "DATABASE_USER",
        "DATABASE_USERNAME",
        "DATABASE_PASSWORD",
    }
)
_SALT = "LITELLM_SALT_KEY"
_BY_HAND = {"redis": REDIS, "database": DATABASE, "salt_key_file": frozenset({_SALT})}
_SETTINGS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "redis": (
        ("router_settings", "redis_host"),
        ("router_settings", "redis_url"),
        ("general_settings", "coordination_redis"),
    ),
    "database": (("general_settings", "database_url"),),
}

ALONE = Rule(
    "NX513",
    Severity.ERROR,
    "several instances that share nothing",
    explanation=(
        "Every instance counts for itself: limits, budgets and cooldowns are then as many times "
        "what was written, and what one has cached the others ask for again. Redis is where they "
        "share it, and the module refuses several instances without."
    ),
    bad={
        "nixcfg.yaml": """\
instances: 2
#          ^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "instances: 2\nredis: local\n", **_FILES},
    source="run: without Redis a limit of 2 a minute is 2 for each instance; docs/scale.md",
)

WORKERS = Rule(
    "NX517",
    Severity.WARNING,
    "several workers that share nothing",
    explanation=(
        "Workers are processes of one LiteLLM, and each counts limits, budgets and failures for "
        "itself. Where none of these matters, several workers are faster and nothing else; else "
        "Redis is where they share them."
    ),
    bad={
        "nixcfg.yaml": """\
workers: 4
#        ^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "workers: 4\nredis: local\n", **_FILES},
    source="run: allowed_fails 1 lets 2 failures through with one worker, 4 with two",
)

GIVEN_TWICE = Rule(
    "NX514",
    Severity.ERROR,
    "a Redis, a database or a salt key that is given twice",
    explanation=(
        "redis, database and salt_key_file are wired by nixcfg. Where the same is said once more, "
        "by a variable or in LiteLLM's own settings, one of its parts listens to the one and "
        "another part to the other: instances share half of what they should."
    ),
    bad={
        "nixcfg.yaml": """\
redis: local
environment:
  REDIS_HOST: 10.0.0.5
# ^^^^^^^^^^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "redis: {host: 10.0.0.5}\n", **_FILES},
    source="run: LiteLLM's three users of Redis are configured apart; docs/scale.md",
)

OWN_KEYS = Rule(
    "NX515",
    Severity.ERROR,
    "hosts that share a database, and not the keys to it",
    explanation=(
        "Where no file is named, each host generates a salt key and a master key for itself. What "
        "one host then encrypts in the common database no other one can read, and its master key "
        "is good for nobody else. Name one file for all, and put the same key into it on each."
    ),
    bad={
        "nixcfg.yaml": """\
database: {host: db.example.org, password_file: /etc/nixcfg/secrets/database.txt}
#^^^^^^^
master_key_file: /etc/nixcfg/secrets/master.txt
hosts:
  alpha:
  beta: {port: 4100}
""",
        **_FILES,
    },
    good={
        "nixcfg.yaml": """\
database: {host: db.example.org, password_file: /etc/nixcfg/secrets/database.txt}
master_key_file: /etc/nixcfg/secrets/master.txt
salt_key_file: /etc/nixcfg/secrets/salt.txt
hosts:
  alpha:
  beta: {port: 4100}
""",
        **_FILES,
    },
    source="source: encrypt_decrypt_utils.py uses LITELLM_SALT_KEY, else the master key",
)

NO_DATABASE = Rule(
    "NX516",
    Severity.ERROR,
    "a salt key, or stored models, without a database",
    explanation=(
        "The salt key encrypts what LiteLLM keeps in its database, and STORE_MODEL_IN_DB keeps "
        "models there; without one both have no effect, and the module refuses them."
    ),
    bad={
        "nixcfg.yaml": """\
salt_key_file: /etc/nixcfg/secrets/salt.txt
#^^^^^^^^^^^^
""",
        **_FILES,
    },
    good={
        "nixcfg.yaml": "database: local\nsalt_key_file: /etc/nixcfg/secrets/salt.txt\n",
        **_FILES,
    },
    source="source: encrypt_decrypt_utils.py",
)

OPEN_DATABASE = Rule(
    "NX518",
    Severity.ERROR,
    "a database whose keys bind nobody",
    explanation=(
        "Without a master key LiteLLM checks no key at all, so virtual keys, budgets and limits "
        "bind nobody. The module refuses auth: open with a database."
    ),
    bad={
        "nixcfg.yaml": """\
database: local
auth: open
#     ^^^^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "database: local\nauth: master-key\n", **_FILES},
    source="run: without a master key every route is open",
)

OWN_HOST = Rule(
    "NX519",
    Severity.ERROR,
    "a server on loopback, which is the container itself",
    explanation=(
        "In the container 127.0.0.1 and localhost are the container, in which neither PostgreSQL "
        "nor Redis answers. For one on the same machine there is local."
    ),
    bad={
        "nixcfg.yaml": """\
redis: {host: localhost}
#             ^^^^^^^^^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "redis: local\n", **_FILES},
    source="docker and podman: a container has a network of its own",
)


def check(project: Project) -> Iterator[Problem]:
    """What is wrong with what the parts of a project share."""
    for machine in project.machines:
        yield from _alone(project, machine)
        yield from _given_twice(project, machine)
        yield from _own_hosts(project, machine)
        if machine.salt_key_file and not _has_database(machine):
            yield project.document.problem(
                NO_DATABASE,
                machine.at("salt_key_file"),
                "there is no database whose content it could encrypt",
                help="Add database: local, or remove the line.",
                key=True,
            )
        stored = machine.environment.get("STORE_MODEL_IN_DB", "")
        if stored.lower() == "true" and not _has_database(machine):
            yield project.document.problem(
                NO_DATABASE,
                machine.at("environment", "STORE_MODEL_IN_DB"),
                "there is no database to store models in",
                help="Add database: local, or remove the line.",
                key=True,
            )
        if machine.database and machine.auth == "open":
            yield project.document.problem(
                OPEN_DATABASE,
                machine.at("auth"),
                "auth: open checks no key, so those in the database bind nobody",
                help="Use auth: master-key.",
            )
    yield from _own_keys(project)


def _variables(machine: Machine) -> set[str]:
    """What the container has; a secret that no provider declares is not among it."""
    return {*machine.environment, *machine.key_files}


def _has_database(machine: Machine) -> bool:
    return machine.database is not None or not _variables(machine).isdisjoint(DATABASE)


def _alone(project: Project, machine: Machine) -> Iterator[Problem]:
    if machine.redis:
        return
    for rule, key, number in (
        (ALONE, "instances", machine.instances),
        (WORKERS, "workers", machine.workers),
    ):
        if number > 1:
            yield project.document.problem(
                rule,
                machine.at(key),
                f"{number} {key} without redis: each counts for itself",
                help="Add redis: local, or redis: {host: ...}.",
            )


def _given_twice(project: Project, machine: Machine) -> Iterator[Problem]:
    for key in _BY_HAND:
        if getattr(machine, key) is None:
            continue
        for document, path in _said_again(project, machine, key):
            yield document.problem(
                GIVEN_TWICE,
                path,
                f"{path[-1]} says once more what {key} says",
                help=f"Keep {key}, and remove this.",
                key=True,
                related=[project.document.related(machine.at(key), "given here")],
            )


def _said_again(project: Project, machine: Machine, key: str) -> Iterator[tuple[Document, Steps]]:
    """Where a machine's server, or its key, stands in the environment or in LiteLLM's settings."""
    variables = _BY_HAND[key]
    for section, given in (("environment", machine.environment), ("secrets", machine.secrets)):
        for name in sorted(variables.intersection(given)):
            yield project.document, machine.at(section, name)
    loaded = machine.loaded.providers if machine.loaded else ()
    documents = [each.document for each in project.providers if each.name in loaded]
    for document in documents:
        for name in sorted(variables.intersection(document.data.get(ENVIRONMENT) or ())):
            yield document, (ENVIRONMENT, name)
    for document in (project.document, *documents):
        for section, setting in _SETTINGS.get(key, ()):
            given = document.data.get(section)
            if isinstance(given, Map) and given.get(setting):
                yield document, (section, setting)


def _own_hosts(project: Project, machine: Machine) -> Iterator[Problem]:
    for key, server in (("database", machine.database), ("redis", machine.redis)):
        host = server.host if server else None
        if host and wiring.is_loopback(f"http://{f'[{host}]' if ':' in host else host}"):
            yield project.document.problem(
                OWN_HOST,
                (*machine.at(key), "host"),
                f"{host} is the container itself, in which nothing answers",
                help=f"Use {key}: local, or the address at which it listens to other machines.",
            )


def _own_keys(project: Project) -> Iterator[Problem]:
    """Hosts of one database by what they call it; each needs the same two keys."""
    sharing: dict[tuple[object, ...], list[Machine]] = {}
    for machine in project.hosts.values():
        server = machine.database
        if server and server.host:
            sharing.setdefault((server.host, server.port or 5432, server.name), []).append(machine)
    for machines in sharing.values():
        for key, variable in (("salt_key_file", _SALT), ("master_key_file", None)):
            needing = [
                machine
                for machine in machines
                if getattr(machine, key) is None
                and variable not in _variables(machine)
                and (key != "master_key_file" or machine.auth != "open")
            ]
            if len(machines) > 1 and needing:
                names = ", ".join(machine.name for machine in needing)
                what = key.removesuffix("_file").replace("_", " ")
                yield project.document.problem(
                    OWN_KEYS,
                    needing[0].at("database"),
                    f"{len(machines)} hosts share this database, and each would have another "
                    f"{what} (no {key} on {names})",
                    help=f"Name a {key}, and put the same key into it on every host.",
                    key=True,
                )
