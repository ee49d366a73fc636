"""The running service: units, container, port, health, and what the gateway itself says."""

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nixcfg.doctor import Check, error, hidden, ok, skipped, warning
from nixcfg.doctor.files import Found
from nixcfg.gateway import machine, probe
from nixcfg.gateway.client import Gateway, RefusedError
from nixcfg.keys import keys
from nixcfg.keys.keys import KeyForbiddenError, KeyMissingError, KeyUnusableError
from nixcfg.knowledge import LITELLM_VERSION
from nixcfg.project import wiring
from nixcfg.project.model import Machine

LOG_LINES = 8

_SWITCH = "sudo nixos-rebuild switch"


def checks(root: Path, here: Machine, found: Found) -> Iterator[Check]:
    """From the units to the answers of the gateway; each container is looked at."""
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
        container = _container(backend, name)
        yield from container.checks
        yield _deployed(root, here, states, container.data)
        yield _image(here, container.data)
    if states:
        yield from _wiring(states, found)
        yield from _other_units(here)
        if instances > 1:
            yield from _fleet(here, found)
    gateway = Gateway(probe.url_of(here))
    is_alive = gateway.is_alive()
    yield from _port(here, is_wanted=is_wanted, is_alive=is_alive)
    yield _firewall(here)
    yield from _gateway(here, gateway, is_alive=is_alive)


def _unit(here: Machine, name: str, states: dict[str, str], found: Found) -> Check:
    state = states.get("ActiveState", "unknown")
    if states.get("LoadState") == "not-found":
        file = f"{wiring.RENDERED_DIR}/{wiring.host_folder(here.name)}{wiring.DOCKER_NIX}"
        return error("unit", f"{name} is not installed", f"Import {file}, then {_SWITCH}")
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
    again = f"Mend the cause, then: sudo systemctl restart {name}"
    return error("unit", f"{name} has failed ({why})", hint or again, details)


def _log(name: str, found: Found) -> tuple[tuple[str, ...], str]:
    """The last words of a unit, and what to do where nobody can tell them."""
    try:
        lines = machine.journal(name, LOG_LINES)
    except machine.UnknownError:
        return (), f"sudo journalctl -u {name} -n 50"
    masked = tuple(keys.mask(line, found.values) for line in lines)
    return masked, "" if masked else f"sudo journalctl -u {name} -n 50"


def _wiring(states: dict[str, str], found: Found) -> Iterator[Check]:
    """The unit that reads the keys; it is inactive after its work, so only failed says anything."""
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
        message = f"{name} refuses a key, so the gateway does not start"
        yield error(
            "keys unit", message, hint or "Mend the key files; it starts by itself.", details
        )
    else:
        yield ok("keys unit", f"{name} has nothing to complain about")


def _other_units(here: Machine) -> Iterator[Check]:
    """What runs beside the units that nixcfg.yaml means, left from before a change."""
    backend, instances = here.backend, here.instances
    other = "podman" if backend == "docker" else "docker"
    own = wiring.containers(instances)
    first = {wiring.CONTAINER, wiring.containers(2)[0]}
    said = {
        **{(other, name): ("backend", f"nixcfg.yaml says {backend}") for name in sorted(first)},
        **{(backend, name): ("instances", f"{instances} are wanted") for name in first - {*own}},
    }
    for (runs, container), (check, wanted) in said.items():
        name = wiring.container_unit(runs, container)
        try:
            state = machine.unit(name).get("ActiveState")
        except machine.UnknownError:
            return
        if state == "active":
            message = f"{name} runs, but {wanted}"
            yield error(check, message, f"nixcfg render, then {_SWITCH}")


def _fleet(here: Machine, found: Found) -> Iterator[Check]:
    """What is there for several instances only: nginx, and the unit that renews them."""
    try:
        roll, nginx = machine.unit(wiring.ROLL_UNIT), machine.unit("nginx.service")
    except machine.UnknownError:
        return
    if roll.get("ActiveState") == "failed":
        details, hint = _log(wiring.ROLL_UNIT, found)
        message = f"{wiring.ROLL_UNIT} has failed, so not every instance is up to date"
        mend = f"Mend the cause, then: sudo systemctl restart {wiring.ROLL_UNIT}"
        yield error("roll", message, hint or mend, details)
    elif roll.get("ActiveState") == "activating":
        yield warning("roll", "the instances are being renewed", "Ask again in a minute.")
    else:
        yield ok("roll", "no instance waits to be renewed")
    if nginx.get("ActiveState") != "active":
        message = "nginx does not run, so nobody reaches the instances"
        yield error("nginx", message, "sudo systemctl start nginx")
    else:
        yield ok("nginx", "nginx hands requests to the instances")
    for number, name in enumerate(wiring.containers(here.instances), start=1):
        if Path(wiring.OUT_DIR, str(number)).exists():
            unit = wiring.container_unit(here.backend, name)
            message = f"{name} gets no requests: it stops, starts or failed to start"
            yield warning("nginx", message, f"journalctl -u {unit} -n 50")


class _Container:
    """What docker or podman tell, and the checks of it."""

    def __init__(self, data: dict[str, Any] | None, *checks: Check) -> None:
        self.data, self.checks = data, checks


def _container(backend: str, container: str) -> _Container:
    name = "container"
    try:
        said = machine.run(backend, "container", "inspect", container)
    except machine.UnknownError as reason:
        return _Container(None, skipped(name, f"{reason}"))
    if "annot connect" in said.err and "permission denied" not in said.err.lower():
        message = f"{backend} is installed, and its daemon does not answer"
        return _Container(None, error(name, message, f"sudo systemctl start {backend}"))
    if said.code != 0:
        denied = "permission denied" in said.err.lower() or not machine.is_root()
        if denied:
            return _Container(None, hidden(name, f"{backend} tells only root"))
        unit = wiring.container_unit(backend, container)
        message = f"{backend} has no container {container}"
        return _Container(None, error(name, message, f"sudo systemctl start {unit}"))
    try:
        data = json.loads(said.out)[0]
        state = data["State"]
    except (ValueError, LookupError, TypeError):
        return _Container(None, skipped(name, f"{backend} tells nothing that is understood"))
    health = (state.get("Health") or state.get("Healthcheck") or {}).get("Status") or "no health"
    message = f"{container} is {state.get('Status')} ({health})"
    logs = f"sudo {backend} logs --tail 50 {container}"
    if state.get("Status") != "running" or health == "unhealthy":
        return _Container(data, error(name, message, logs))
    if health == "starting":
        return _Container(data, warning(name, message, "Ask again in a minute."))
    return _Container(data, ok(name, message))


def _deployed(
    root: Path, here: Machine, states: dict[str, str], data: dict[str, Any] | None
) -> Check:
    """The configuration that the container loads against the rendered one."""
    name = "deployed"
    path = _config_in(data) or _config_of(states)
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
            return warning(name, message, f"nixcfg use {config.name}, or {_SWITCH}")
    return error(name, f"the gateway loads {path}, which is not what is rendered", _SWITCH)


def _config_in(data: dict[str, Any] | None) -> Path | None:
    """Where the container's configuration comes from, as docker and podman tell it."""
    for mount in (data or {}).get("Mounts") or ():
        if mount.get("Destination") == wiring.CONTAINER_CONFIG:
            return Path(mount.get("Source", ""))
    return None


def _config_of(states: dict[str, str]) -> Path | None:
    """The same from the unit's start script, which everybody can read in the Nix store."""
    script = re.search(r"path=([^ ;]+)", states.get("ExecStart", ""))
    try:
        text = Path(script[1]).read_text(encoding="utf-8") if script else ""
    except (OSError, ValueError):
        return None
    found = re.search(rf"([^\s'\"=]+):{re.escape(wiring.CONTAINER_CONFIG)}", text)
    return Path(found[1]) if found else None


def _image(here: Machine, data: dict[str, Any] | None) -> Check:
    name = "image"
    running = str(
        (data or {}).get("ImageName") or ((data or {}).get("Config") or {}).get("Image") or ""
    )
    if running and running != here.image:
        message = f"{running} runs, and nixcfg.yaml says {here.image}"
        return warning(name, message, _SWITCH)
    tag = here.image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    release = re.search(r"\d+\.\d+\.\d+", tag)
    if release is None and "@" not in here.image:
        mend = f"Use {wiring.DEFAULT_IMAGE}."
        return warning(name, f"{here.image} may be another program tomorrow", mend)
    if release is not None and release[0] != LITELLM_VERSION:
        message = f"{here.image}: nixcfg knows LiteLLM {LITELLM_VERSION}, others it guesses at"
        return warning(name, message, f"Use {wiring.DEFAULT_IMAGE}, or another nixcfg.")
    return ok(name, here.image)


def _port(here: Machine, *, is_wanted: bool, is_alive: bool) -> Iterator[Check]:
    name = f"port {here.port}"
    try:
        found = machine.listeners(here.port)
    except machine.UnknownError as reason:
        yield skipped(name, f"{reason}")
        return
    if not found:
        backend, instances = here.backend, here.instances
        if is_wanted:
            mend = wiring.logs(backend, instances)
            yield error(name, "nobody listens, although the unit runs", mend)
        else:
            mend = f"sudo systemctl start {wiring.main_unit(backend, instances)}"
            yield warning(name, "nobody listens", mend)
        return
    who = " and ".join(dict.fromkeys(_who(each) for each in found))
    wide = sorted({each.address for each in found} & {"0.0.0.0", "::"})  # noqa: S104 (compared)
    if not is_alive:
        mend = "Stop it, or give nixcfg.yaml another `port`."
        yield error(name, f"{who} listens there, and it is no LiteLLM", mend)
    elif wide and wiring.is_loopback(probe.url_of(here)) and not _is_wide(here):
        mend = f"Is another gateway running? nixcfg render, then {_SWITCH}"
        message = f"{who} listens on {' and '.join(wide)}, and nixcfg.yaml says 127.0.0.1"
        yield error(name, message, mend)
    else:
        yield ok(name, f"{who} listens on {found[0].address}")


def _is_wide(here: Machine) -> bool:
    return here.listen_address in ("0.0.0.0", "::")  # noqa: S104 (compared)


def _who(each: machine.Listener) -> str:
    return f"{each.program} ({each.pid})" if each.pid else "a process of another user"


def _firewall(here: Machine) -> Check:
    name = "firewall"
    address = here.listen_address
    if wiring.is_loopback(f"http://{f'[{address}]' if ':' in address else address}"):
        return ok(name, f"{address} cannot be reached from the network, so nothing has to be open")
    if here.instances > 1:
        return ok(name, f"nginx listens on {address}:{here.port}, and the NixOS firewall guards it")
    return warning(
        name,
        f"{here.backend} publishes {address}:{here.port} past the NixOS firewall: the "
        "network reaches it, and only the master key guards it",
        "Is that meant? If not: listen_address: 127.0.0.1",
    )


def _gateway(here: Machine, gateway: Gateway, *, is_alive: bool) -> Iterator[Check]:
    key, unknown = "", ""
    try:
        key, _ = keys.master_key(here)
    except KeyForbiddenError as problem:
        unknown = f"{problem}".rstrip(".")
        yield hidden("master key", unknown)
    except KeyMissingError as problem:
        unknown = f"{problem}".rstrip(".")
        yield warning("master key", unknown, "The service makes it at its first start.")
    except KeyUnusableError as problem:
        unknown = f"{problem}".rstrip(".")
        yield error("master key", unknown, "Write sk- and 32 or more random characters.")
    else:
        yield _master_key(here, key)
    if not is_alive:
        yield error(
            "health",
            f"{gateway.url}/health/liveliness does not answer",
            wiring.logs(here.backend, here.instances),
        )
        return
    yield ok("health", f"{gateway.url} answers")
    yield _guard(here, gateway)
    if unknown:
        yield hidden("models", "the gateway tells them only with its master key")
    else:
        yield _models(here, Gateway(gateway.url, key))


def _master_key(here: Machine, key: str) -> Check:
    if here.auth == "open":
        return warning(
            "master key",
            "auth: open lets every user and web page on this machine spend your money",
            "Use auth: master-key.",
        )
    weak = keys.weakness(key)
    if weak:
        mend = "A good one is sk- and 32 or more random characters."
        return error("master key", f"its file {weak}".rstrip("."), mend)
    return ok("master key", "it is long enough, and none of those that everybody knows")


def _guard(here: Machine, gateway: Gateway) -> Check:
    """Whether the gateway asks for its key at all, and does not take the well-known one."""
    name = "access"
    try:
        answers = [gateway.get("/v1/models", key=tried).status for tried in ("", "sk-1234")]
    except (OSError, http.client.HTTPException) as problem:
        return skipped(name, f"the gateway broke off: {type(problem).__name__}")
    if here.auth == "open":
        return ok(name, "open, as nixcfg.yaml says")
    for status, how in zip(answers, ("without a key", "with sk-1234"), strict=True):
        if status == 200:
            return error(name, f"the gateway answers {how}", f"nixcfg render, then {_SWITCH}")
    return ok(name, "nobody gets in without the master key")


def _models(here: Machine, gateway: Gateway) -> Check:
    name = "models"
    config = here.loaded
    unit = wiring.main_unit(here.backend, here.instances)
    try:
        compared = probe.compare(config, gateway.models())
    except RefusedError as problem:
        if problem.answer.status not in (400, 401, 403):
            mend = wiring.logs(here.backend, here.instances)
            return error(name, f"{problem} to /v1/models, and no list of them", mend)
        message = f"{problem}, so this is not its master key"
        return error(name, message, f"sudo systemctl restart {unit}")
    except (OSError, http.client.HTTPException) as problem:
        return skipped(name, f"the gateway broke off: {type(problem).__name__}")
    if compared.missing:
        message = f"the gateway lacks {', '.join(compared.missing)}"
        return error(name, message, "`nixcfg rehearse` says what LiteLLM drops, and why.")
    if compared.unexpected:
        some = ", ".join(compared.unexpected[:5])
        return warning(name, f"the gateway also serves {some}", f"nixcfg render, then {_SWITCH}")
    return ok(name, f"the gateway serves every model of {here.model_config}")
