"""What a switch does to the units of a machine, and what that costs. Pure.

A container restarts when what it is started with differs, as the module decides it (revision.nix).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from nixcfg.plan.facts import LOCAL, Facts
from nixcfg.project import wiring

SECONDS = (5, 40)
"""How long LiteLLM takes to start: on a fast core alone, and with a database on a slow one."""

_CONNECTIONS = 100
"""PostgreSQL's own max_connections, which the module raises where it is too few (database.nix)."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a switch does to one unit, and why. `verb` is starts, restarts, reloads, stops or runs,
    the last of a unit that does its work and ends."""

    unit: str
    verb: str
    why: tuple[str, ...] = ()


def effects(old: Facts, new: Facts) -> tuple[Effect, ...]:
    """What a switch does to each unit that it does something to."""
    found = [*_containers(old, new), *_nginx(old, new), *_servers(old, new), *_access(old, new)]
    return tuple(found)


def is_rolling(old: Facts, new: Facts) -> bool:
    """Whether instances stay, of which one restarts after the other."""
    return old.instances > 1 and new.instances > 1 and _backend(old, new) == old.backend


def refuses(old: Facts, new: Facts) -> bool:
    """Whether no container answers for a while."""
    return bool(_containers(old, new)) and not is_rolling(old, new)


def _backend(old: Facts, new: Facts) -> str:
    return new.backend or old.backend


def _containers(old: Facts, new: Facts) -> list[Effect]:
    before = _units(old.backend, old.instances)
    after = _units(_backend(old, new), new.instances)
    found = [Effect(unit, "stops") for unit in before if unit not in after]
    found += [Effect(unit, "starts") for unit in after if unit not in before]
    if why := _why(old, new):
        verb = "restarts" if new.instances == 1 else "restarts, one after the other"
        found += [Effect(unit, verb, why) for unit in after if unit in before]
    return found


def _units(backend: str, instances: int) -> list[str]:
    return [wiring.container_unit(backend, each) for each in wiring.containers(instances)]


def _why(old: Facts, new: Facts) -> tuple[str, ...]:
    """Why a container is not what it would be started with now."""
    reasons = {
        "configuration": old.text != new.text,
        "image": old.image != new.image,
        "keys": old.key_files != new.key_files,
        "environment": old.environment != new.environment,
        "database": old.database != new.database,
        "redis": old.redis != new.redis,
        "module": bool(new.module) and old.module != new.module,
        # Behind nginx, what that listens on is no matter of the containers.
        "address": old.instances == 1 and old.listen_address != new.listen_address,
        "port": old.instances == 1 and old.port != new.port,
        "auth": old.auth != new.auth,
        "workers": old.workers != new.workers,
        # Further ports are rules of the firewall alone.
        "host_ports": _has_own_network(old) != _has_own_network(new),
    }
    return tuple(name for name, is_true in reasons.items() if is_true)


def _has_own_network(facts: Facts) -> bool:
    return facts.auth == "open" or bool(facts.host_ports)


def _nginx(old: Facts, new: Facts) -> Iterator[Effect]:
    """In front of several instances; where nothing else of the machine has it run."""
    was, becomes = old.instances > 1, new.instances > 1
    differing = {
        "instances": old.instances != new.instances,
        "address": old.listen_address != new.listen_address,
        "port": old.port != new.port,
    }
    why = tuple(name for name, is_true in differing.items() if is_true)
    yield from _service("nginx.service", was, becomes, Effect("nginx.service", "reloads", why))


def _servers(old: Facts, new: Facts) -> Iterator[Effect]:
    """PostgreSQL and Redis on the machine itself."""
    unit = "postgresql.service"
    why = ("connections",) if _connections(old) != _connections(new) else ()
    again = Effect(unit, "restarts", why)
    yield from _service(unit, old.database == LOCAL, new.database == LOCAL, again)
    unit = f"redis-{wiring.CONTAINER}.service"
    yield from _service(unit, old.redis == LOCAL, new.redis == LOCAL, Effect(unit, "restarts"))


def _connections(facts: Facts) -> int:
    return max(10 * facts.instances * facts.workers + 10, _CONNECTIONS)


def _access(old: Facts, new: Facts) -> Iterator[Effect]:
    """What brings teams, users and keys into the database. It runs at every switch, and is worth
    a word where it has something to do."""
    unit = wiring.ACCESS_UNIT
    differing = {
        "access": old.access != new.access,
        "key files": old.value_files != new.value_files,
    }
    why = tuple(name for name, is_true in differing.items() if is_true)
    yield from _service(unit, bool(old.access), bool(new.access), Effect(unit, "runs", why), "runs")


def _service(
    unit: str, was: bool, becomes: bool, again: Effect, begins: str = "starts"
) -> Iterator[Effect]:
    """What becomes of a service that is there before a switch, after it, or both; `again` is for
    both, where there is a reason."""
    if was and not becomes:
        yield Effect(unit, "stops")
    elif becomes and not was:
        yield Effect(unit, begins)
    elif was and again.why:
        yield again
