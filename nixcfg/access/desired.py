"""What nixcfg.yaml wants in LiteLLM's database: teams, users and keys, without a value. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nixcfg.project.model import Machine, Project

KINDS: Mapping[str, str] = {"teams": "team", "users": "user", "keys": "key"}
"""The sections of nixcfg.yaml, and what an entry of each is."""
OWN: Mapping[str, frozenset[str]] = {
    "teams": frozenset(),
    "users": frozenset({"team", "teams", "email"}),
    "keys": frozenset({"team", "user", "file", "owner", "group", "mode", "expires"}),
}
"""What nixcfg reads in an entry; all else has LiteLLM's own names."""
VALUES_DIR = "/var/lib/litellm-proxy-keys"
"""Where the module keeps the values of keys that name no file."""


@dataclass(frozen=True, slots=True)
class ValueFile:
    """Where the value of a key is on the machine; who gets it if it has to be made there.

    `file` is as in KeyFile. `owner`, `group` and `mode` are None where nixcfg.yaml says nothing.
    """

    name: str
    file: str
    owner: str | None
    group: str | None
    mode: str | None


def is_wanted(project: Project) -> bool:
    """Whether nixcfg.yaml has teams, users or keys, be it none of them."""
    return any(section in project.document.data for section in KINDS)


def entries(project: Project, section: str) -> Mapping[str, Mapping[str, Any]]:
    """A section of nixcfg.yaml as it is written."""
    given: Mapping[str, Mapping[str, Any]] = project.document.data.get(section) or {}
    return given


def desired(project: Project) -> dict[str, Any]:
    """The content of access.json: by section and name the fields, and what belongs to what."""
    found: dict[str, Any] = {"prune": bool(project.document.data.get("prune", False))}
    for section in KINDS:
        found[section] = {
            name: {"fields": _fields(section, entry), **_belongs(section, entry)}
            for name, entry in entries(project, section).items()
        }
    return found


def value_files(project: Project) -> tuple[ValueFile, ...]:
    """The file of each key."""
    return tuple(
        ValueFile(
            name,
            entry.get("file") or f"{VALUES_DIR}/{name}",
            *(entry.get(key) for key in ("owner", "group", "mode")),
        )
        for name, entry in entries(project, "keys").items()
    )


def reconcilers(project: Project) -> tuple[Machine, ...]:
    """The machines that bring it about: of those that share a database, the first."""
    first: dict[tuple[Any, ...], Machine] = {}
    for machine in project.machines if is_wanted(project) else ():
        server = machine.database
        if server and server.host:
            first.setdefault((server.host, server.port or 5432, server.name), machine)
        elif has_database(machine):
            first[(machine.name,)] = machine
    return tuple(first.values())


def has_database(machine: Machine) -> bool:
    """Whether the gateway has a database, by `database` or by a URL of the user's own."""
    own = {secret for config in machine.configs for secret in config.secrets}
    return machine.database is not None or "DATABASE_URL" in {*own, *machine.environment}


def expiry(given: Any) -> dt.datetime | None:
    """The moment that `expires` names, a date being its first moment in UTC; None for no date."""
    if isinstance(given, str):
        try:
            given = dt.datetime.fromisoformat(given)
        except ValueError:
            return None
    if isinstance(given, dt.datetime):
        return (given if given.tzinfo else given.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    if isinstance(given, dt.date):
        return dt.datetime(given.year, given.month, given.day, tzinfo=dt.UTC)
    return None


def _fields(section: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    given = {
        key: _plain(value)
        for key, value in entry.items()
        if key not in OWN[section] and value is not None
    }
    if entry.get("email"):
        given["user_email"] = entry["email"]
    return dict(sorted(given.items()))


def _belongs(section: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    if section == "users":
        teams = [*([entry["team"]] if entry.get("team") else []), *entry.get("teams", ())]
        return {"teams": list(dict.fromkeys(teams))}
    if section == "keys":
        moment = expiry(entry.get("expires"))
        return {
            "team": entry.get("team"),
            "user": entry.get("user"),
            "expires": moment and moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    return {}


def _plain(value: Any) -> Any:
    """As JSON has it, which knows no dates."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, dt.date) else value
