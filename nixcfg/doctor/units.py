"""The units and their containers: whether they run, and whether they run what is rendered."""

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from nixcfg.doctor import SWITCH, Check, error, hidden, image, ok, skipped, warning
from nixcfg.doctor.files import Found
from nixcfg.gateway import machine
from nixcfg.gateway.container import AwayError, HiddenError, config_in, inspect
from nixcfg.keys.mask import masked
from nixcfg.project import wiring
from nixcfg.project.model import Machine

LOG_LINES = 8


def is_there(here: Machine) -> bool:
    """Whether this machine has the gateway's unit, or something that listens on its port."""
    try:
        unit = wiring.container_unit(here.backend, wiring.containers(here.instances)[0])
        if machine.unit(unit).get("LoadState") != "not-found":
            return True
    except machine.UnknownError:
        pass
    try:
        return bool(machine.listeners(here.port))
    except machine.UnknownError:
        return True  # not to be found out, so the checks have to say it


def checks(root: Path, here: Machine, found: Found) -> Generator[Check, None, bool]:
    """Each unit, its container, and what they load; returns whether one of the units is active."""
    backend, instances = here.backend, here.instances
    is_wanted = False
    for name in wiring.containers(instances):
        unit = wiring.container_unit(backend, name)
        states = {}
        try:
            states = machine.unit(unit)
        except machine.UnknownError as reason:
            yield skipped("unit", f"{reason}", f"On the gateway's machine: systemctl status {unit}")
        else:
            yield _unit(here, unit, states, found)
        is_wanted = is_wanted or states.get("ActiveState") == "active"
        container = inspected(backend, name)
        yield from container.checks
        yield deployed(root, here, states, container.data)
        yield from image.checks(here, container.data)
    if states:
        yield from _wiring(states, found)
        yield from _other_units(here)
        yield from _fleet(here, found) if instances > 1 else _update(found)
    return is_wanted


def _unit(here: Machine, name: str, states: dict[str, str], found: Found) -> Check:
    state = states.get("ActiveState", "unknown")
    if states.get("LoadState") == "not-found":
        file = f"{wiring.RENDERED_DIR}/{wiring.host_folder(here.name)}{wiring.DOCKER_NIX}"
        return error("unit", f"{name} is not installed", f"Import {file}, then {SWITCH}")
    if state == "active":
        restarts = states.get("NRestarts", "0")
        if restarts not in ("0", ""):
            again = f"{name} runs, after {restarts} restarts"
            return warning("unit", again, f"journalctl -u {name} -n 50")
        return ok("unit", f"{name} runs")
    if state == "activating":
        return warning("unit", f"{name} is starting", "Ask again in a minute.")
    if state != "failed":
        return error("unit", f"{name} is {state}", f"sudo systemctl start {name}")
    details, hint = _log(name, found)
    why = f"{states.get('Result')}, exit status {states.get('ExecMainStatus')}"
    again = f"Fix the cause, then: sudo systemctl restart {name}"
    return error("unit", f"{name} has failed ({why})", hint or again, details)


def _log(name: str, found: Found) -> tuple[tuple[str, ...], str]:
    """The last lines of a unit, and how to see them where they cannot be read."""
    try:
        lines = machine.journal(name, LOG_LINES)
    except machine.UnknownError:
        return (), f"sudo journalctl -u {name} -n 50"
    shown = tuple(masked(line, found.values) for line in lines)
    return shown, "" if shown else f"sudo journalctl -u {name} -n 50"


def _wiring(states: dict[str, str], found: Found) -> Iterator[Check]:
    """The unit that reads the keys. It is inactive after its work, so only a failure counts."""
    if states.get("LoadState") == "not-found":
        return
    name = wiring.SECRETS_UNIT
    try:
        state = machine.unit(name)
    except machine.UnknownError as reason:
        yield skipped("keys unit", f"{reason}")
        return
    if state.get("ActiveState") == "failed":
        details, hint = _log(name, found)
        goes_on = states.get("ActiveState") == "active"
        so = "goes on with the keys that it had" if goes_on else "does not start"
        message = f"{name} refuses a key, so the gateway {so}"
        yield error(
            "keys unit", message, hint or "Fix the key files; it starts by itself.", details
        )
    else:
        yield ok("keys unit", f"{name} has nothing to complain about")


def _update(found: Found) -> Iterator[Check]:
    """The unit that fetches the image of a single container, and restarts it after a switch."""
    try:
        state = machine.unit(wiring.IMAGE_UNIT).get("ActiveState")
    except machine.UnknownError:
        return
    if state == "failed":
        details, hint = _log(wiring.IMAGE_UNIT, found)
        message = f"{wiring.IMAGE_UNIT} has failed, so the gateway runs what it ran before"
        yield error("switch", message, hint or "It tries again by itself.", details)
    elif state == "activating":
        message = f"{wiring.IMAGE_UNIT} fetches an image; until then the gateway runs what it ran"
        yield warning("switch", message, f"journalctl -u {wiring.IMAGE_UNIT} -n 50")


def _other_units(here: Machine) -> Iterator[Check]:
    """What runs beside the units that nixcfg.yaml means, left from before a change."""
    backend, instances = here.backend, here.instances
    other = "podman" if backend == "docker" else "docker"
    own = wiring.containers(instances)
    first = {wiring.CONTAINER, wiring.containers(2)[0]}
    output = {
        **{(other, name): ("backend", f"the gateway is {backend}'s") for name in sorted(first)},
        **{(backend, name): ("instances", f"{instances} are wanted") for name in first - {*own}},
    }
    for (runs, container), (check, wanted) in output.items():
        name = wiring.container_unit(runs, container)
        try:
            state = machine.unit(name).get("ActiveState")
        except machine.UnknownError:
            return
        if state == "active":
            message = f"{name} runs, but {wanted}"
            yield error(check, message, f"nixcfg render, then {SWITCH}")


def _fleet(here: Machine, found: Found) -> Iterator[Check]:
    """What is there for several instances only: nginx, and the unit that renews them."""
    try:
        roll, nginx = machine.unit(wiring.ROLL_UNIT), machine.unit("nginx.service")
    except machine.UnknownError:
        return
    if roll.get("ActiveState") == "failed":
        details, hint = _log(wiring.ROLL_UNIT, found)
        message = f"{wiring.ROLL_UNIT} has failed, so not every instance is up to date"
        advice = f"Fix the cause, then: sudo systemctl restart {wiring.ROLL_UNIT}"
        yield error("roll", message, hint or advice, details)
    elif roll.get("ActiveState") == "activating":
        yield warning("roll", "the instances are being renewed", "Ask again in a minute.")
    else:
        yield ok("roll", "no instance waits to be renewed")
    if nginx.get("ActiveState") != "active":
        message = "nginx does not run, so no one reaches the instances"
        yield error("nginx", message, "sudo systemctl start nginx")
    else:
        yield ok("nginx", "nginx hands requests to the instances")
    for number, name in enumerate(wiring.containers(here.instances), start=1):
        if Path(wiring.OUT_DIR, str(number)).exists():
            unit = wiring.container_unit(here.backend, name)
            message = f"{name} gets no requests: it stops, starts or failed to start"
            yield warning("nginx", message, f"journalctl -u {unit} -n 50")


class Container:
    """What docker or podman report, and the checks of it."""

    def __init__(self, data: dict[str, Any] | None, *checks: Check) -> None:
        self.data, self.checks = data, checks


def inspected(backend: str, container: str) -> Container:
    """What an engine knows of a container, and the check of whether it runs."""
    name = "container"
    try:
        data = inspect(backend, container)
    except AwayError as reason:
        return Container(None, error(name, f"{reason}", f"sudo systemctl start {backend}"))
    except HiddenError as reason:
        return Container(None, hidden(name, f"{reason}"))
    except machine.UnknownError as reason:
        return Container(None, skipped(name, f"{reason}"))
    if data is None:
        unit = wiring.container_unit(backend, container)
        message = f"{backend} has no container {container}"
        return Container(None, error(name, message, f"sudo systemctl start {unit}"))
    state = data["State"]
    health = (state.get("Health") or state.get("Healthcheck") or {}).get("Status") or "no health"
    message = f"{container} is {state.get('Status')} ({health})"
    logs = f"sudo {backend} logs --tail 50 {container}"
    if state.get("Status") != "running" or health == "unhealthy":
        return Container(data, error(name, message, logs))
    if health == "starting":
        return Container(data, warning(name, message, "Ask again in a minute."))
    return Container(data, ok(name, message))


def deployed(
    root: Path, here: Machine, states: dict[str, str], data: dict[str, Any] | None
) -> Check:
    """The configuration that the container loads against the rendered one."""
    name = "deployed"
    path = config_in(data or {}) or _config_of(states)
    if path is None:
        return hidden(name, "what the gateway loads is not known here")
    rendered = root / wiring.RENDERED_DIR / wiring.host_folder(here.name)
    try:
        content = path.read_bytes()
        wanted = (rendered / wiring.config_path(here.model_config)).read_bytes()
    except OSError as problem:
        return skipped(name, f"{problem.filename} cannot be read: {problem.strerror}")
    if content == wanted:
        return ok(name, f"the gateway loads {here.model_config} as it is rendered")
    for config in here.configs:
        other = rendered / wiring.config_path(config.name)
        if other.is_file() and other.read_bytes() == content:
            message = f"the gateway loads {config.name}, and nixcfg.yaml says {here.model_config}"
            return warning(name, message, f"nixcfg use {config.name}, or {SWITCH}")
    return error(name, f"the gateway loads {path}, which is not what is rendered", SWITCH)


def _config_of(states: dict[str, str]) -> Path | None:
    """The same from the unit's start script, which everyone can read in the Nix store."""
    script = re.search(r"path=([^ ;]+)", states.get("ExecStart", ""))
    try:
        text = Path(script[1]).read_text(encoding="utf-8") if script else ""
    except (OSError, ValueError):
        return None
    found = re.search(rf"([^\s'\"=]+):{re.escape(wiring.CONTAINER_CONFIG)}", text)
    return Path(found[1]) if found else None
