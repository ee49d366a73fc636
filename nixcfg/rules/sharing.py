"""What processes, instances and hosts share, and what is wrong when they do not."""

from collections.abc import Iterator
from typing import Any

from nixcfg.problems.problem import Problem, Related, Rule, Severity, Steps
from nixcfg.project import wiring
from nixcfg.project.machine import CLOSED
from nixcfg.project.model import Config, Machine, Server
from nixcfg.project.values import dollar, referenced
from nixcfg.rules.context import Whole, settings, variable_stores_models
from nixcfg.rules.scope import EveryMachine, WholeProject
from nixcfg.yamltext.document import Document

_BY_HAND = {
    "database": (("general_settings", "database_url"),),
    "redis": (
        ("general_settings", "coordination_redis"),
        *(("router_settings", f"redis_{key}") for key in ("host", "port", "password", "url")),
    ),
}
"""The settings that name another server than the one in nixcfg.yaml."""


INSTANCES_ALONE = Rule("NX513", Severity.ERROR)
WORKERS_ALONE = Rule("NX514", Severity.WARNING)


@EveryMachine
def _without_redis(whole: Whole, machine: Machine) -> Iterator[Problem]:
    document, count = whole.project.document, machine.instances
    if machine.redis is not None:
        return
    if count > 1:
        yield document.problem(
            INSTANCES_ALONE,
            machine.place("instances"),
            f"{count} instances without Redis would each count limits for themselves",
            help="Add redis: local, or the host of one.",
        )
    elif machine.workers > 1:
        yield document.problem(
            WORKERS_ALONE,
            machine.place("workers"),
            f"{machine.workers} workers without Redis each count limits for themselves",
            help="Add redis: local, or the host of one.",
        )


INSTANCE_PORT = Rule("NX515", Severity.ERROR)


@EveryMachine
def _instance_ports(whole: Whole, machine: Machine) -> Iterator[Problem]:
    count = machine.instances
    last = wiring.INSTANCE_PORT + count - 1
    takes = machine.listen_address in ("127.0.0.1", "0.0.0.0", "::")  # noqa: S104 (compared)
    if count > 1 and takes and wiring.INSTANCE_PORT <= machine.port <= last:
        yield whole.project.document.problem(
            INSTANCE_PORT,
            machine.place("port"),
            f"the instances are on the ports {wiring.INSTANCE_PORT} to {last}",
            help="Choose another port.",
        )


CONTAINER_ITSELF = Rule("NX520", Severity.ERROR)


@EveryMachine
def _container_itself(whole: Whole, machine: Machine) -> Iterator[Problem]:
    for key, server in (("database", machine.database), ("redis", machine.redis)):
        if server and server.host and wiring.is_loopback(_url(server)):
            yield whole.project.document.problem(
                CONTAINER_ITSELF,
                (*machine.place(key), "host"),
                "in the container this is the container itself",
                help=f"Write {key}: local, or the address by which the server is reached.",
            )


def _url(server: Server) -> str:
    return f"tcp://{f'[{server.host}]' if ':' in server.host else server.host}"


OPEN_DATABASE = Rule("NX517", Severity.ERROR)


@EveryMachine
def _open_database(whole: Whole, machine: Machine) -> Iterator[Problem]:
    if machine.database and machine.auth == "open":
        yield whole.project.document.problem(
            OPEN_DATABASE,
            machine.place("auth"),
            "auth: open with a database lets everyone past its keys and budgets",
            help="Use auth: master-key.",
        )


def _loaded(machine: Machine) -> Config | None:
    """The configuration that the container loads, where there is such a one."""
    return next((each for each in machine.configs if each.name == machine.model_config), None)


NO_DATABASE = Rule("NX516", Severity.ERROR)


@EveryMachine
def _without_database(whole: Whole, machine: Machine) -> Iterator[Problem]:
    config = _loaded(machine)
    if not config or machine.database:
        return
    if "DATABASE_URL" in {*config.secrets, *machine.environment}:
        return
    places: list[tuple[str, ...]] = [("salt_key_file",)] if machine.salt_key_file else []
    if variable_stores_models(machine.environment):
        places.append(("environment", "STORE_MODEL_IN_DB"))
    for place in places:
        yield whole.project.document.problem(
            NO_DATABASE,
            machine.place(place[0], *place[1:]),
            f"{place[-1]} is for a database, and there is none",
            help="Add database: local, or the host of one; or remove the line.",
            key=True,
        )


@EveryMachine
def _open_and_closed(whole: Whole, machine: Machine) -> Iterator[Problem]:
    """Settings that take models from the database which `database_config` closes."""
    project, config = whole.project, _loaded(machine)
    if machine.database_config != "ignored" or not config:
        return
    related = [project.document.related(machine.place("database_config"), "closed here")]
    if variable_stores_models(machine.environment):
        place = machine.place("environment", "STORE_MODEL_IN_DB")
        yield _opens(project.document, place, related)
    files = [each.document for each in project.providers if each.name in config.providers]
    for document in (project.document, *files):
        for setting in settings(document.data):
            is_open = setting.key in CLOSED and setting.value not in (None, CLOSED[setting.key])
            if setting.section == "general_settings" and is_open:
                yield _opens(document, setting.path, related)


OPEN_AND_CLOSED = Rule("NX539", Severity.ERROR)


def _opens(document: Document, path: Steps, related: list[Related]) -> Problem:
    return document.problem(
        OPEN_AND_CLOSED,
        path,
        f"{path[-1]} opens the database that database_config closes",
        help="Remove one of the two.",
        key=True,
        related=related,
    )


GIVEN_TWICE = Rule("NX518", Severity.ERROR)


@EveryMachine
def _given_twice(whole: Whole, machine: Machine) -> Iterator[Problem]:
    project, config = whole.project, _loaded(machine)
    given = {"database": machine.database, "redis": machine.redis}
    by_hand = {each: ours for ours, server in given.items() if server for each in _BY_HAND[ours]}
    names = config.providers if config else ()
    files = [each.document for each in project.providers if each.name in names]
    for document in (project.document, *files) if config else ():
        for setting in settings(document.data):
            ours = by_hand.get((setting.section, setting.key))
            if ours is None or setting.value is None:
                continue
            if not _is_same(machine, setting.key, setting.value):
                yield document.problem(
                    GIVEN_TWICE,
                    setting.path,
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


@WholeProject
def _own_keys(whole: Whole) -> Iterator[Problem]:
    project = whole.project
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
