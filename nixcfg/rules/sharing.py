"""What processes, instances and hosts share, and what is wrong when they do not."""

from collections.abc import Iterator
from typing import Any

from nixcfg.problems.problem import Problem, Rule, Severity
from nixcfg.project import wiring
from nixcfg.project.model import Config, Machine, Project, Server
from nixcfg.project.values import dollar, referenced
from nixcfg.yamltext.source import Document

_OPENAI = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
"""
_FILES = {"providers/openai.yaml": _OPENAI}

INSTANCES_ALONE = Rule(
    "NX513",
    Severity.ERROR,
    "several instances that share nothing",
    explanation=(
        "Without Redis each instance counts rate limits, budgets and failing deployments for "
        "itself, so that with two of them every limit is twice what it says. The module refuses "
        "that."
    ),
    bad={"nixcfg.yaml": "instances: 2\n#          ^\n", **_FILES},
    good={"nixcfg.yaml": "instances: 2\nredis: local\n", **_FILES},
    source="run: two instances on one limit; the module's assertion",
)

WORKERS_ALONE = Rule(
    "NX514",
    Severity.WARNING,
    "several workers that share nothing",
    explanation=(
        "Without Redis each worker counts for itself: with allowed_fails 1, a deployment that "
        "fails is asked twice by one worker and four times by two, and a rate limit is twice what "
        "it says."
    ),
    bad={"nixcfg.yaml": "workers: 2\n#        ^\n", **_FILES},
    good={"nixcfg.yaml": "workers: 2\nredis: local\n", **_FILES},
    source="run: two workers, allowed_fails 1, four failures upstream",
)

INSTANCE_PORT = Rule(
    "NX515",
    Severity.ERROR,
    "the port is that of an instance",
    explanation=(
        f"Several instances are published on 127.0.0.1, from port {wiring.INSTANCE_PORT} upward, "
        "and nginx stands before them on the port of nixcfg.yaml, which has to be another one."
    ),
    bad={
        "nixcfg.yaml": """\
port: 4042
#     ^^^^
instances: 2
redis: local
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "port: 4000\ninstances: 2\nredis: local\n", **_FILES},
    source="the module's assertion",
)

NO_DATABASE = Rule(
    "NX516",
    Severity.ERROR,
    "something for a database that is not there",
    explanation=(
        "salt_key_file encrypts what LiteLLM keeps in a database, and STORE_MODEL_IN_DB has it "
        "keep models there. Without one the module refuses both."
    ),
    bad={
        "nixcfg.yaml": """\
salt_key_file: /etc/nixcfg/secrets/salt_key.txt
#^^^^^^^^^^^^
""",
        **_FILES,
    },
    good={
        "nixcfg.yaml": "salt_key_file: /etc/nixcfg/secrets/salt_key.txt\ndatabase: local\n",
        **_FILES,
    },
    source="the module's assertion",
)

OPEN_DATABASE = Rule(
    "NX517",
    Severity.ERROR,
    "a database of keys that nobody is asked for",
    explanation=(
        "With auth: open LiteLLM checks no key, so that the virtual keys, budgets and limits in "
        "the database bind nobody."
    ),
    bad={
        "nixcfg.yaml": """\
auth: open
#     ^^^^
database: local
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "auth: master-key\ndatabase: local\n", **_FILES},
    source="the module's assertion",
)

GIVEN_TWICE = Rule(
    "NX518",
    Severity.ERROR,
    "a database or Redis that is given in two ways",
    explanation=(
        "nixcfg.yaml gives all of LiteLLM one database and one Redis, through the environment. "
        "Another one in the settings wins for a part of LiteLLM only: the router then counts in "
        "one Redis, and the limits of keys in another."
    ),
    bad={
        "nixcfg.yaml": """\
redis: local
router_settings:
  redis_host: 10.0.0.5
# ^^^^^^^^^^
  redis_port: 6379
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "redis: {host: 10.0.0.5}\n", **_FILES},
    source="run: router_settings.redis_host reaches the router alone",
)

OWN_KEYS = Rule(
    "NX519",
    Severity.ERROR,
    "hosts that share a database and not its keys",
    explanation=(
        "LiteLLM encrypts what it keeps in the database with the salt key, and knows its "
        "administrator by the master key. Where they are not given, each machine generates its "
        "own, and cannot read what another one wrote. Give master_key_file and salt_key_file, with "
        "the same content on every host."
    ),
    bad={
        "nixcfg.yaml": """\
master_key_file: /etc/nixcfg/secrets/master_key.txt
database: {host: db.example.org, password_file: /etc/nixcfg/secrets/database.txt}
#^^^^^^^
hosts:
  alpha: {}
  beta: {}
""",
        **_FILES,
    },
    good={
        "nixcfg.yaml": """\
master_key_file: /etc/nixcfg/secrets/master_key.txt
salt_key_file: /etc/nixcfg/secrets/salt_key.txt
database: {host: db.example.org, password_file: /etc/nixcfg/secrets/database.txt}
hosts:
  alpha: {}
  beta: {}
""",
        **_FILES,
    },
    source="LiteLLM's documentation: one salt key and one master key for all instances",
)

CONTAINER_ITSELF = Rule(
    "NX520",
    Severity.ERROR,
    "a server that is the container itself",
    explanation=(
        "In the container localhost and 127.0.0.1 are the container, in which no database and no "
        "Redis answers. `local` has NixOS run one on the machine, reached through a socket."
    ),
    bad={
        "nixcfg.yaml": """\
redis: {host: 127.0.0.1}
#             ^^^^^^^^^
""",
        **_FILES,
    },
    good={"nixcfg.yaml": "redis: local\n", **_FILES},
    source="the module's assertion",
)

_BY_HAND = {
    "database": (("general_settings", "database_url"),),
    "redis": (
        ("general_settings", "coordination_redis"),
        *(("router_settings", f"redis_{key}") for key in ("host", "port", "password", "url")),
    ),
}
"""The settings that name another server than the one in nixcfg.yaml."""


def check(project: Project) -> Iterator[Problem]:
    """What each machine shares among its processes, and all of them with each other."""
    for machine in project.machines:
        yield from _processes(project.document, machine)
        yield from _servers(project.document, machine)
        loaded = [each for each in machine.configs if each.name == machine.model_config]
        for config in loaded:
            yield from _without_database(project.document, machine, config)
            yield from _given_twice(project, machine, config)
    yield from _own_keys(project)


def _processes(document: Document, machine: Machine) -> Iterator[Problem]:
    count = machine.instances
    if count > 1 and machine.redis is None:
        yield document.problem(
            INSTANCES_ALONE,
            machine.place("instances"),
            f"{count} instances without Redis would each count limits for themselves",
            help="Add redis: local, or the host of one.",
        )
    elif machine.workers > 1 and machine.redis is None:
        yield document.problem(
            WORKERS_ALONE,
            machine.place("workers"),
            f"{machine.workers} workers without Redis each count limits for themselves",
            help="Add redis: local, or the host of one.",
        )
    last = wiring.INSTANCE_PORT + count - 1
    takes = machine.listen_address in ("127.0.0.1", "0.0.0.0", "::")  # noqa: S104 (compared)
    if count > 1 and takes and wiring.INSTANCE_PORT <= machine.port <= last:
        yield document.problem(
            INSTANCE_PORT,
            machine.place("port"),
            f"the instances are on the ports {wiring.INSTANCE_PORT} to {last}",
            help="Choose another port.",
        )


def _servers(document: Document, machine: Machine) -> Iterator[Problem]:
    for key, server in (("database", machine.database), ("redis", machine.redis)):
        if server and server.host and wiring.is_loopback(_url(server)):
            yield document.problem(
                CONTAINER_ITSELF,
                (*machine.place(key), "host"),
                "in the container this is the container itself",
                help=f"Write {key}: local, or the address by which the server is reached.",
            )
    if machine.database and machine.auth == "open":
        yield document.problem(
            OPEN_DATABASE,
            machine.place("auth"),
            "auth: open with a database lets everybody past its keys and budgets",
            help="Use auth: master-key.",
        )


def _url(server: Server) -> str:
    return f"tcp://{f'[{server.host}]' if ':' in server.host else server.host}"


def _without_database(document: Document, machine: Machine, config: Config) -> Iterator[Problem]:
    by_hand = "DATABASE_URL" in {*config.secrets, *machine.environment}
    if machine.database or by_hand:
        return
    places: list[tuple[str, ...]] = [("salt_key_file",)] if machine.salt_key_file else []
    if machine.environment.get("STORE_MODEL_IN_DB", "").lower() == "true":
        places.append(("environment", "STORE_MODEL_IN_DB"))
    for place in places:
        yield document.problem(
            NO_DATABASE,
            machine.place(place[0], *place[1:]),
            f"{place[-1]} is for a database, and there is none",
            help="Add database: local, or the host of one; or remove the line.",
            key=True,
        )


def _given_twice(project: Project, machine: Machine, config: Config) -> Iterator[Problem]:
    given = {"database": machine.database, "redis": machine.redis}
    files = [each.document for each in project.providers if each.name in config.providers]
    by_hand = [(ours, *each) for ours, server in given.items() if server for each in _BY_HAND[ours]]
    for ours, section, key in by_hand:
        for document in (project.document, *files):
            value = (document.data.get(section) or {}).get(key)
            if value is not None and not _is_same(machine, key, value):
                yield document.problem(
                    GIVEN_TWICE,
                    (section, key),
                    f"{ours} of nixcfg.yaml is the one that all of LiteLLM uses",
                    help=f"Remove it here, or {ours} in nixcfg.yaml.",
                    key=True,
                    related=[project.document.related(machine.place(ours), "given here")],
                )


def _is_same(machine: Machine, key: str, value: Any) -> bool:
    """Whether a setting only reads the variable that nixcfg.yaml's own server is given by."""
    variable = dollar(value) or referenced(value)
    if key == "database_url":
        return variable == "DATABASE_URL"
    named = {"redis_host": "REDIS_HOST", "redis_port": "REDIS_PORT"}
    if machine.redis and machine.redis.password_file:
        named["redis_password"] = "REDIS_PASSWORD"  # noqa: S105 (a variable's name)
    has_host = bool(machine.redis and machine.redis.host)
    return has_host and variable is not None and named.get(key) == variable


def _own_keys(project: Project) -> Iterator[Problem]:
    sharing: dict[tuple[str, int, str], list[Machine]] = {}
    for machine in project.machines:
        if machine.database and machine.database.host:
            server = machine.database
            place = (server.host, server.port or 5432, server.name or "litellm")
            sharing.setdefault(place, []).append(machine)
    for machines in sharing.values():
        for machine in machines if len(machines) > 1 else ():
            keys = {
                "master_key_file": machine.master_key_file,
                "salt_key_file": machine.salt_key_file,
            }
            missing = [key for key, file in keys.items() if file is None]
            if missing:
                names = ", ".join(each.name for each in machines)
                yield project.document.problem(
                    OWN_KEYS,
                    machine.place("database"),
                    f"{names} share this database, and would not share their keys",
                    help=f"Add {' and '.join(missing)}, with the same content on every host.",
                    key=True,
                )
