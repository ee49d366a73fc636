"""The state of a gateway at a glance: what runs, of what, with which keys. Changes nothing."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nixcfg.check import Report
from nixcfg.doctor import Check, Status, files, units
from nixcfg.gateway import engine, log, machine
from nixcfg.gateway.client import Gateway, url_of
from nixcfg.keys import read
from nixcfg.keys.mask import masked
from nixcfg.keys.read import KeyForbiddenError, KeyMissingError, KeyUnusableError
from nixcfg.problems import text
from nixcfg.project import wiring
from nixcfg.project.model import MODELS, Machine, Project
from nixcfg.providers.overview import overview

LOG_LINES = 400
_LINE = re.compile(r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d)\S* \S+ \S+?: (?P<text>.*)")

State = Literal[
    "answers", "foreign", "silent", "starting", "failed", "stopped", "absent", "elsewhere"
]
"""What is known of the gateway: `foreign` answers and is no unit of this machine, `silent` runs and
does not answer, `absent` was never installed on this machine, and one that is `elsewhere` could not
be, as this is no NixOS."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key file that the configuration needs: set, missing, wrong, or not to be seen."""

    variable: str
    file: str
    state: Literal["set", "missing", "unusable", "hidden"]


@dataclass(frozen=True, slots=True)
class Glance:
    """All that `nixcfg status` prints. `error` is the last one of the log with its time, "" where
    there is none, None where the log cannot be read; `since` is as systemd writes it.
    """

    url: str
    state: State
    since: str
    config: str
    providers: tuple[str, ...]
    models: tuple[str, ...]
    keys: tuple[Key, ...]
    image: str
    source: str
    broken: tuple[str, ...]
    rendered: Check
    deployed: Check | None
    error: str | None
    overview: tuple[dict[str, Any], ...]

    @property
    def answers(self) -> bool:
        return self.state in ("answers", "foreign")

    @property
    def next(self) -> str:
        """The one thing to do first; "" where all is well."""
        missing = [key.variable for key in self.keys if key.state in ("missing", "unusable")]
        drifts = self.deployed is not None and self.deployed.status in ("warning", "error")
        wanted = {
            "nixcfg validate": self.broken or "error" in self.source,
            "nixcfg render": self.rendered.status is Status.ERROR,
            f"sudo nixcfg set-key {next(iter(missing), '')}": missing and self.state != "elsewhere",
            "nixcfg try --mock": self.state == "elsewhere",
            "sudo nixos-rebuild switch": self.state == "absent" or drifts,
            "sudo nixcfg doctor": self.state in ("failed", "stopped", "silent") or self.error,
        }
        return next((command for command, is_wanted in wanted.items() if is_wanted), "")


def glance(root: Path, project: Project, broken: tuple[str, ...], checked: Report) -> Glance:
    """Look at a project, whose `broken` files are left out of it, and at its gateway."""
    here = project.machine
    backend = engine.of(here)
    found = files.Found()
    keys = tuple(_keys(here, found))
    url = url_of(here)
    states = _states(backend, here)
    state = _state(states, is_alive=Gateway(url).is_alive())
    name = wiring.containers(here.instances)[0]
    deployed = None
    if state not in ("elsewhere", "absent", "foreign"):
        container = units.inspected(backend, name)
        deployed = units.deployed(root, here, states or {}, container.data)
    return Glance(
        url=url,
        state=state,
        since=_since(states) if state in ("answers", "silent") else "",
        config=here.model_config,
        providers=here.loaded.providers,
        models=tuple(dict.fromkeys(e["model_name"] for e in here.loaded.litellm[MODELS])),
        keys=keys,
        image=here.image,
        source=text.summary(checked.problems, checked.files),
        broken=broken,
        rendered=next(files.rendered(root, project)),
        deployed=deployed,
        error=_last_error(backend, here, found) if states else None,
        overview=tuple(overview(project)),
    )


def _keys(here: Machine, found: files.Found) -> Iterator[Key]:
    for variable in here.loaded.secrets:
        key = here.key_files[variable]
        path = wiring.place(key.file)
        try:
            found.values.add(read.content(key).decode("utf-8", "surrogateescape"))
        except KeyMissingError:
            yield Key(variable, path, "missing")
        except KeyForbiddenError:
            yield Key(variable, path, "hidden")
        except KeyUnusableError:
            yield Key(variable, path, "unusable")
        else:
            yield Key(variable, path, "set")


def _states(backend: str, here: Machine) -> dict[str, str] | None:
    """What systemd says of the first container's unit; None where it has no such unit, or is not
    there to be asked."""
    unit = wiring.container_unit(backend, wiring.containers(here.instances)[0])
    try:
        states = machine.unit(unit)
    except machine.UnknownError:
        return None
    return states if states.get("LoadState") == "loaded" else None


def _state(states: dict[str, str] | None, *, is_alive: bool) -> State:
    if is_alive:
        return "foreign" if states is None else "answers"
    if states is None:
        return "absent" if machine.is_nixos() else "elsewhere"
    known: dict[str, State] = {"active": "silent", "activating": "starting", "failed": "failed"}
    return known.get(states.get("ActiveState", ""), "stopped")


def _since(states: dict[str, str] | None) -> str:
    return (states or {}).get("ActiveEnterTimestamp", "")


def _last_error(backend: str, here: Machine, found: files.Found) -> str | None:
    """The last error since the unit started, as far as it is in the last lines of the log."""
    unit = wiring.container_unit(backend, wiring.containers(here.instances)[0])
    try:
        lines = machine.journal(unit, LOG_LINES, "short-iso")
    except machine.UnknownError:
        return None
    parsed = [match for line in lines if (match := _LINE.fullmatch(line))]
    if not parsed:
        return None if not machine.is_root() else ""
    events = [each for each in log.events(m["text"] for m in parsed) if each.level == "error"]
    if not events:
        return ""
    last = events[-1].text
    start = last[:30]
    time = next((m["time"] for m in reversed(parsed) if start in m["text"]), "")
    return f"{time.replace('T', ' ')} {masked(last, found.values)}".strip()


def ago(since: str, now: dt.datetime) -> str:
    """How long ago systemd's `Sun 2026-11-29 02:10:38 UTC` was: `3 h`; "" where that is unclear."""
    match = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", since)
    if not match:
        return ""
    began = dt.datetime.fromisoformat(match[1]).replace(tzinfo=dt.UTC)
    seconds = int((now - began).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{max(seconds, 0)} s"
