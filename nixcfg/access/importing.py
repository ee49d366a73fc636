"""Teams, users and keys as sections of nixcfg.yaml: out of a database that has them. Pure.

No value is carried over: the database has only hashes.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nixcfg.access.changes import Actual
from nixcfg.access.rows import ADMIN, MARK, Row
from nixcfg.knowledge import Knowledge

_SESSION_TEAM = "litellm-dashboard"
"""The team of the keys that the Admin UI makes for those who log in."""


def sections(actual: Actual, knowledge: Knowledge) -> dict[str, dict[str, Any]]:
    """`teams`, `users` and `keys`, by names that nixcfg.yaml takes."""
    teams = named((row["team_id"], row.get("team_alias") or row["team_id"]) for row in actual.teams)
    users = named(
        (row["user_id"], row.get("user_alias") or row.get("user_email") or row["user_id"])
        for row in actual.users
        if row["user_id"] != ADMIN
    )
    keys = named(
        (row["token"], row.get("key_alias") or f"key-{row['token'][:8]}")
        for row in actual.keys
        if row.get("team_id") != _SESSION_TEAM
    )
    return {
        "teams": {teams[row["team_id"]]: fields(row, "team", knowledge) for row in actual.teams},
        "users": {
            users[row["user_id"]]: {
                **_some("teams", [teams[t] for t in row.get("teams") or () if t in teams]),
                **fields(row, "user", knowledge),
            }
            for row in actual.users
            if row["user_id"] in users
        },
        "keys": {
            keys[row["token"]]: {
                **_some("team", teams.get(str(row.get("team_id")))),
                **_some("user", users.get(str(row.get("user_id")))),
                **_some("expires", str(row.get("expires") or "")[:19]),
                **fields(row, "key", knowledge),
            }
            for row in actual.keys
            if row["token"] in keys
        },
    }


def named(given: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """By id a name of its own that nixcfg.yaml takes: `Their team` is Their-team."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for identity, wanted in given:
        text = re.sub(r"[^A-Za-z0-9_-]+", "-", str(wanted)).strip("-_")[:56] or "unnamed"
        name, number = text, 2
        while name in taken:
            name, number = f"{text}-{number}", number + 1
        taken.add(name)
        found[identity] = name
    return found


def fields(row: Row, kind: str, knowledge: Knowledge) -> dict[str, Any]:
    """What LiteLLM was given for a row: of its fields those that say something."""
    known = knowledge.access(kind)
    metadata = dict(row.get("metadata") or {})
    metadata.pop(MARK, None)
    found = {}
    for name in known:
        value = metadata.pop(name) if name in metadata else row.get(name)
        if name != "metadata" and not _is_empty(value):
            found[name] = _brief(value)
    # What LiteLLM itself keeps there points at rows of its own.
    own = {key: value for key, value in metadata.items() if not key.endswith("_id")}
    return {**found, **_some("metadata", own)}


def _is_empty(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_empty(each) for each in value.values())
    return value is None or value is False or value in ([], "")


def _brief(value: Any) -> Any:
    """A mapping without what is empty in it, and a whole number as one."""
    if isinstance(value, Mapping):
        return {
            key: _brief(each)
            for key, each in value.items()
            if not _is_empty(each) and key != "object_permission_id"
        }
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _some(name: str, value: Any) -> dict[str, Any]:
    return {name: value} if value else {}
