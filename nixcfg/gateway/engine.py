"""What runs the gateway's container where nixcfg.yaml leaves that to the machine."""

import shutil
from collections.abc import Callable

from nixcfg.gateway import machine
from nixcfg.project import wiring
from nixcfg.project.model import Machine

ENGINES = ("docker", "podman")

_RANKS = {"active": 3, "activating": 2, "reloading": 2, "deactivating": 2, "failed": 2}


def of(here: Machine) -> str:
    """`docker` or `podman`: what nixcfg.yaml names, or else what is found on this machine.

    The engine whose unit there is, a running one first; without systemd the one that has the
    container, or that is installed. Where nothing tells them apart, the first of ENGINES, which is
    then as good as the other. Asks programs, each with a time limit; raises nothing.
    """
    if here.backend:
        return here.backend
    container = wiring.containers(here.instances)[0]
    left = _best(ENGINES, lambda engine: _unit_rank(wiring.container_unit(engine, container)))
    left = _best(left, lambda engine: _has(engine, container))
    left = _best(left, lambda engine: shutil.which(engine) is not None)
    return left[0]


def _best(engines: tuple[str, ...], rank: Callable[[str], int]) -> tuple[str, ...]:
    """Those of the highest rank; no question is asked about a single one."""
    if len(engines) == 1:
        return engines
    ranks = {engine: rank(engine) for engine in engines}
    return tuple(engine for engine in engines if ranks[engine] == max(ranks.values()))


def _unit_rank(name: str) -> int:
    try:
        states = machine.unit(name)
    except machine.UnknownError:
        return 0
    if states.get("LoadState") != "loaded":
        return 0
    return _RANKS.get(states.get("ActiveState", ""), 1)


def _has(engine: str, container: str) -> bool:
    try:
        return machine.run(engine, "container", "inspect", container).code == 0
    except machine.UnknownError:
        return False
