"""How many connections each worker may keep to a PostgreSQL that several share. Pure.

A server on the machine itself is made large enough by the module; one elsewhere is not ours, so
that the pools of LiteLLM are made small enough for it.
"""

from collections.abc import Sequence
from dataclasses import replace

from nixcfg.project.machine import with_section
from nixcfg.project.model import Config, Machine

POOL = 10
"""What LiteLLM opens in each worker (LiteLLMDatabaseConnectionPool in its proxy/proxy_cli.py)."""
SERVER = 90
"""What PostgreSQL has for them: its max_connections is 100 unless it is set, of which 10 are left
for its superuser, a dump, and a person who looks."""
LEAST = 2
"""A transaction of Prisma's holds one while another query may want the next."""
LIMIT = "database_connection_pool_limit"


def fitted(machines: Sequence[Machine]) -> list[Machine]:
    """The same machines, each with a limit for its workers where all that share a server would
    open more than it has. What the user sets wins."""
    workers: dict[tuple[str, int], int] = {}
    for machine in machines:
        if server := _elsewhere(machine):
            workers[server] = workers.get(server, 0) + machine.instances * machine.workers
    return [
        _limited(machine, workers.get(_elsewhere(machine) or ("", 0), 0)) for machine in machines
    ]


def _elsewhere(machine: Machine) -> tuple[str, int] | None:
    server = machine.database
    return (server.host, server.port or 5432) if server and server.host else None


def _limited(machine: Machine, workers: int) -> Machine:
    if workers * POOL <= SERVER:
        return machine
    limit = max(LEAST, SERVER // workers)
    return replace(machine, configs=tuple(_with_limit(each, limit) for each in machine.configs))


def _with_limit(config: Config, limit: int) -> Config:
    settings = {LIMIT: limit, **(config.litellm.get("general_settings") or {})}
    return replace(config, litellm=with_section(config.litellm, "general_settings", settings))
