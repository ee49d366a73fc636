"""What processes, instances and hosts share, and what is wrong when they do not."""

from collections.abc import Iterator
from typing import Any

from nixcfg.problems.problem import Problem, Rule, Severity
from nixcfg.project import wiring
from nixcfg.project.model import Config, Machine, Project, Server
from nixcfg.project.values import dollar, referenced
from nixcfg.yamltext.source import Document

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


INSTANCES_ALONE = Rule("NX513", Severity.ERROR)
WORKERS_ALONE = Rule("NX514", Severity.WARNING)
INSTANCE_PORT = Rule("NX515", Severity.ERROR)


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


OPEN_DATABASE = Rule("NX517", Severity.ERROR)
CONTAINER_ITSELF = Rule("NX520", Severity.ERROR)


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


NO_DATABASE = Rule("NX516", Severity.ERROR)


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


GIVEN_TWICE = Rule("NX518", Severity.ERROR)


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


OWN_KEYS = Rule("NX519", Severity.ERROR)


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
