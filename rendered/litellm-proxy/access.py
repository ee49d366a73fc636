"""Teams, users and keys into LiteLLM's database: what litellm-proxy-access.service runs.

Written by tools/write_access_script.py from nixcfg/access and nixcfg/keys/virtual.py: change those,
not this file. It needs nothing but Python's own library.
"""

import contextlib
import datetime as dt
import hashlib
import http.client
import json
import os
import re
import secrets
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# --- nixcfg/access/rows.py


MARK = "nixcfg"
VALUE = "\0value"
"""Stands in a request for the value of the key, which is put in when the request is sent."""
ADMIN = "default_user_id"
"""The user whom LiteLLM makes of the master key, and puts into each team that it makes."""
_NEAR = 120.0
"""Seconds by which a moment may differ: LiteLLM takes a duration and adds it to its own clock."""

_ID = {"team": "team_id", "user": "user_id", "key": "key"}
_TOKEN = {"key": "token"}
_UPDATE = {"team": "/team/update", "user": "/user/update", "key": "/key/update"}

Row = Mapping[str, Any]
Call = tuple[str, Mapping[str, Any]]
"""A route of the admin API, and the JSON that is posted to it."""


@dataclass(frozen=True)
class Wanted:
    """What nixcfg.yaml has under a name: an entry of access.json.

    `belongs` are columns that follow from the names in it, such as team_id. `also` is kept in the
    mark.
    """

    kind: str
    name: str
    entry: Mapping[str, Any]
    belongs: Mapping[str, Any] = field(default_factory=dict)
    also: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fields(self) -> Mapping[str, Any]:
        """What LiteLLM is given; a team or a key that was blocked when it left is open again."""
        opened = {} if self.kind == "user" else {"blocked": False}
        return {**opened, **self.entry["fields"]}

    @property
    def mark(self) -> dict[str, Any]:
        given = self.entry["fields"]
        text = json.dumps(self.entry, sort_keys=True)
        return {
            "name": self.name,
            "owns": sorted(given),
            "metadata": sorted(given.get("metadata", ())),
            "digest": hashlib.sha256(text.encode()).hexdigest()[:16],
            **self.also,
        }

    @property
    def metadata(self) -> dict[str, Any]:
        return {**self.entry["fields"].get("metadata", {}), MARK: self.mark}


def hashed(value: str) -> str:
    """A key as LiteLLM's database knows it."""
    return hashlib.sha256(value.encode()).hexdigest()


def mark_of(row: Row) -> Mapping[str, Any]:
    """The mark in a row, {} for what is not ours."""
    mark = (row.get("metadata") or {}).get(MARK)
    return mark if isinstance(mark, dict) and isinstance(mark.get("name"), str) else {}


def name_of(row: Row) -> str:
    """The name in nixcfg.yaml of what is ours, "" for what is not."""
    return str(mark_of(row).get("name", ""))


def adoption(kind: str, row: Row, name: str) -> Call:
    """The request with which nixcfg takes over what it has not made; the next run does the rest."""
    metadata = {**(row.get("metadata") or {}), MARK: {"name": name, "owns": [], "digest": ""}}
    return _UPDATE[kind], {_ID[kind]: _id(kind, row), "metadata": metadata}


def made(wanted: Wanted) -> dict[str, Any]:
    """The fields of something new, with its mark."""
    given = {name: value for name, value in wanted.belongs.items() if value is not None}
    return {**given, **wanted.fields, "metadata": wanted.metadata}


def update(wanted: Wanted, row: Row, now: dt.datetime) -> tuple[str, Call] | None:
    """What differs, and the request that makes a row what is desired; None where it is."""
    entry, had = wanted.entry, mark_of(row)
    differs = [name for name, value in wanted.fields.items() if _differs(row, name, value)]
    differs += [name for name, value in wanted.belongs.items() if (row.get(name) or None) != value]
    gone = [name for name in had.get("owns", ()) if name not in entry["fields"]]
    until = _until(row, entry["expires"], now) if "expires" in entry else {}
    if not differs and not gone and not until and had == wanted.mark:
        return None
    # LiteLLM replaces the metadata as a whole, and has some of the fields in it.
    dropped = {*had.get("metadata", ()), *had.get("owns", ()), "metadata", MARK}
    kept = {k: value for k, value in (row.get("metadata") or {}).items() if k not in dropped}
    body = {
        _ID[wanted.kind]: _id(wanted.kind, row),
        **{name: _empty(row[name]) for name in gone if name in row},
        **wanted.belongs,
        **wanted.fields,
        **until,
        "metadata": {**kept, **wanted.metadata},
    }
    why = [*differs, *gone, *(["expires"] if until else ())] or ["what LiteLLM does not show"]
    return ", ".join(dict.fromkeys(why)), (_UPDATE[wanted.kind], body)


def _id(kind: str, row: Row) -> str:
    return str(row[_TOKEN.get(kind, _ID[kind])])


def _differs(row: Row, name: str, value: Any) -> bool:
    """Whether a row shows another value than is wanted.

    What LiteLLM fills up or does not show (object_permission, soft_budget) is left to the digest.
    """
    shown = row.get("metadata") or {}
    if name == "metadata":
        return any(shown.get(key) != inner for key, inner in value.items())
    shown = shown if name in shown else row
    is_nested = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    if isinstance(value, dict) or is_nested or name not in shown or name == "soft_budget":
        return False
    return bool((shown[name] or False if isinstance(value, bool) else shown[name]) != value)


def _empty(value: Any) -> Any:
    """What takes a limit away: LiteLLM reads null as nothing said where a list or a mapping is."""
    return type(value)() if isinstance(value, list | dict) else None


def is_over(expires: str | None, now: dt.datetime) -> bool:
    """Whether a moment of access.json has passed."""
    return expires is not None and _moment(expires) <= now


def expiring(expires: str | None, now: dt.datetime) -> dict[str, Any]:
    """The duration that LiteLLM is given for a moment."""
    if expires is None:
        return {}
    return {"duration": f"{max(1, round((_moment(expires) - now).total_seconds()))}s"}


def _until(row: Row, expires: str | None, now: dt.datetime) -> dict[str, Any]:
    """The duration that makes a key expire when it should; {} where it does."""
    has = _moment(str(row["expires"])) if row.get("expires") else None
    if expires is None:
        return {"duration": "-1"} if has else {}
    wanted = _moment(expires)
    if has and (abs((has - wanted).total_seconds()) <= _NEAR or (has <= now and wanted <= now)):
        return {}
    return expiring(expires, now)


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


# --- nixcfg/access/changes.py


@dataclass(frozen=True)
class Actual:
    """The rows of the database, as the admin API lists them."""

    teams: Sequence[Row] = ()
    users: Sequence[Row] = ()
    keys: Sequence[Row] = ()


@dataclass(frozen=True)
class Change:
    """What happens to one team, user or key.

    `action` is create, update, replace (the value), block, delete, keep (it has left, and stays
    for a `reason`) or refuse (it is not ours, or hangs on what is not). `calls` are in order, and
    are made once all of `needs`, kinds and names, are as they should be.
    """

    kind: str
    name: str
    action: str
    reason: str = ""
    calls: tuple[Call, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()


@dataclass
class State:
    """What is there, by mark, and what becomes of names on the way."""

    desired: Mapping[str, Any]
    actual: Actual
    now: dt.datetime
    teams: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)

    @cached_property
    def our_users(self) -> Mapping[str, Row]:
        """The users with a mark, by the name in it."""
        return {name_of(row): row for row in self.actual.users if name_of(row)}

    @cached_property
    def our_keys(self) -> Mapping[str, Sequence[Row]]:
        """The keys with a mark, by the name in it; two of them while a value is replaced."""
        found: dict[str, list[Row]] = {}
        for row in self.actual.keys:
            if name_of(row):
                found.setdefault(name_of(row), []).append(row)
        return found

    @cached_property
    def by_token(self) -> Mapping[str, Row]:
        """Every key by the hash of its value."""
        return {row["token"]: row for row in self.actual.keys}

    @cached_property
    def foreign_aliases(self) -> frozenset[str]:
        """The names of the keys without a mark."""
        return frozenset(str(row.get("key_alias")) for row in self.actual.keys if not name_of(row))

    @cached_property
    def key_teams(self) -> Mapping[str, Sequence[str]]:
        """By user the teams in which nixcfg.yaml gives it a key."""
        found: dict[str, list[str]] = {}
        for key in self.desired["keys"].values():
            if key["user"] and key["team"]:
                found.setdefault(key["user"], []).append(key["team"])
        return found


def needing(change: Change, *needs: tuple[str, Sequence[str]]) -> Change:
    """The same change, to be made once the names of these kinds are as they should be."""
    every = tuple((kind, name) for kind, names in needs for name in names)
    return replace(change, needs=every)


def teams_of(state: State, name: str) -> set[str]:
    """The ids of a user's teams: its own, and those in which it has a key."""
    names = [*state.desired["users"][name]["teams"], *state.key_teams.get(name, ())]
    return {state.teams[team] for team in names if team in state.teams}


def leaves(state: State, name: str, row: Row) -> set[str]:
    """The teams that nixcfg gave a user and that it should not have: what others gave it stays."""
    given, has = set(mark_of(row).get("teams", ())), set(row.get("teams") or ())
    there = {each["team_id"] for each in state.actual.teams}
    return (given & has & there) - teams_of(state, name)


def deletion(row: Row) -> Call:
    """The request that deletes a key."""
    return "/key/delete", {"keys": [row["token"]]}


# --- nixcfg/access/leaving.py


def leaving(state: State) -> Iterator[Change]:
    """Users out of teams, once their keys are out: LiteLLM deletes those that are not."""
    for name in state.users:
        row = state.our_users.get(name)
        teams = leaves(state, name, row) if row else set()
        if row is None or not teams:
            continue
        keys = [
            each
            for each in state.actual.keys
            if each.get("user_id") == row["user_id"] and each.get("team_id") in teams
        ]
        # Ours that go are gone by then, and ours that stay are in another team.
        stays = {
            each["team_id"]
            for each in keys
            if not name_of(each)
            or (name_of(each) not in state.desired["keys"] and not state.desired["prune"])
        }
        for team in sorted(stays):
            reason = f"stays in team {team}, or LiteLLM would delete a key that it has there"
            yield Change("user", name, "keep", reason)
        if teams == stays:
            continue
        also = {"teams": sorted(teams_of(state, name) | stays)}
        user = Wanted("user", name, state.desired["users"][name], also=also)
        calls: list[Call] = [
            ("/team/member_delete", {"team_id": team, "user_id": row["user_id"]})
            for team in sorted(teams - stays)
        ]
        found = update(user, row, state.now)
        calls += [found[1]] if found else []
        change = Change("user", name, "update", "teams", tuple(calls))
        yield needing(change, ("key", _still_wanted(state, keys)))


def _still_wanted(state: State, keys: Sequence[Row]) -> list[str]:
    return [name_of(row) for row in keys if name_of(row) in state.desired["keys"]]


def left_keys(state: State, hashes: Mapping[str, str]) -> Iterator[Change]:
    values = set(hashes.values())
    for row in state.actual.keys:
        name = name_of(row)
        # A value that another name has now is not gone: the key was renamed.
        if not name or name in state.desired["keys"] or row["token"] in values:
            continue
        if state.desired["prune"]:
            yield Change("key", name, "delete", "no longer in nixcfg.yaml", (deletion(row),))
        elif not row.get("blocked"):
            call = ("/key/block", {"key": row["token"]})
            yield Change("key", name, "block", "no longer in nixcfg.yaml", (call,))


def left_users(state: State) -> Iterator[Change]:
    for row in state.actual.users:
        name = name_of(row)
        if not name or name in state.desired["users"]:
            continue
        foreign = _foreign_keys(state, "user_id", row["user_id"])
        if not state.desired["prune"]:
            reason = "no longer in nixcfg.yaml; LiteLLM cannot block a user: prune: true deletes it"
            yield Change("user", name, "keep", reason)
        elif foreign:
            yield Change("user", name, "keep", f"would take {foreign} with it, not managed here")
        else:
            call = ("/user/delete", {"user_ids": [row["user_id"]]})
            change = Change("user", name, "delete", "no longer in nixcfg.yaml", (call,))
            yield needing(change, ("key", _keys_of(state, "user_id", row["user_id"])))


def left_teams(state: State) -> Iterator[Change]:
    ours = {row["user_id"] for row in state.actual.users if name_of(row)} | {ADMIN}
    for row in state.actual.teams:
        name = name_of(row)
        if not name or name in state.desired["teams"]:
            continue
        foreign = _foreign_keys(state, "team_id", row["team_id"])
        members = [each.get("user_id") for each in row.get("members_with_roles") or ()]
        others = [each for each in members if each not in ours]
        if state.desired["prune"] and not foreign and not others:
            call: Call = ("/team/delete", {"team_ids": [row["team_id"]]})
            change = Change("team", name, "delete", "no longer in nixcfg.yaml", (call,))
            yield needing(change, ("key", _keys_of(state, "team_id", row["team_id"])))
        elif not row.get("blocked"):
            call = ("/team/block", {"team_id": row["team_id"]})
            also = foreign or (f"member {others[0]}" if others else "")
            why = f"; has {also}, not managed here" if also and state.desired["prune"] else ""
            yield Change("team", name, "block", f"no longer in nixcfg.yaml{why}", (call,))


def _keys_of(state: State, column: str, owner: str) -> list[str]:
    """Our keys that must be out of a team or a user before it goes."""
    return _still_wanted(state, [row for row in state.actual.keys if row.get(column) == owner])


def _foreign_keys(state: State, column: str, owner: str) -> str:
    """The keys of others that LiteLLM would delete together with a team or a user."""
    found = [
        str(row.get("key_alias") or row.get("key_name") or row["token"][:12])
        for row in state.actual.keys
        if row.get(column) == owner and not name_of(row)
    ]
    return f"key {', '.join(found[:3])}" if found else ""


# --- nixcfg/access/plan.py


def plan(
    desired: Mapping[str, Any], actual: Actual, hashes: Mapping[str, str], now: dt.datetime
) -> list[Change]:
    """The changes that are left, in the order in which to make them; none when all is as desired.

    `hashes` are of the values of keys (see `hashed`), by name. A key whose value is not known has
    none; it is taken for current where there is one.
    """
    state = State(desired, actual, now)
    found = [*_teams(state), *_users(state), *_keys(state, hashes)]
    found += [*left_keys(state, hashes), *leaving(state)]
    found += [*left_users(state), *left_teams(state)]
    return found


def _teams(state: State) -> Iterator[Change]:
    ours = {name_of(row): row for row in state.actual.teams if name_of(row)}
    for name, entry in state.desired["teams"].items():
        row = ours.get(name)
        wanted = Wanted("team", name, entry, {"team_alias": name})
        if row is None:
            taken = [
                each
                for each in state.actual.teams
                if not name_of(each) and name in (each["team_id"], each.get("team_alias"))
            ]
            if taken:
                yield _refused("team", name)
                continue
            state.teams[name] = name
            call: Call = ("/team/new", {"team_id": name, **made(wanted)})
            yield Change("team", name, "create", calls=(call,))
        else:
            state.teams[name] = row["team_id"]
            yield from _updated(state, wanted, row)


def _refused(kind: str, name: str) -> Change:
    reason = f"a {kind} {name} is there and is not managed here: nixcfg access adopt {name}"
    return Change(kind, name, "refuse", reason)


def _users(state: State) -> Iterator[Change]:
    for name, entry in state.desired["users"].items():
        for change in _user(state, name, entry):
            yield needing(change, ("team", entry["teams"]))


def _user(state: State, name: str, entry: Mapping[str, Any]) -> Iterator[Change]:
    row = state.our_users.get(name)
    missing = [team for team in entry["teams"] if team not in state.teams]
    if row is None and any(each["user_id"] == name for each in state.actual.users):
        yield _refused("user", name)
    elif missing:
        yield Change("user", name, "refuse", f"team {missing[0]} is not managed here")
    elif row is None:
        teams = sorted(teams_of(state, name))
        body = made(Wanted("user", name, entry, also={"teams": teams}))
        state.users[name] = name
        # An empty list too: to a user of whom nothing is said LiteLLM gives its default teams.
        body |= {"user_id": name, "auto_create_key": False, "teams": teams}
        yield Change("user", name, "create", calls=(("/user/new", body),))
    else:
        state.users[name] = row["user_id"]
        yield from _joining(state, name, row)


def _joining(state: State, name: str, row: Row) -> Iterator[Change]:
    """The user, its new teams, and in the mark also those that it is about to leave."""
    teams = teams_of(state, name)
    calls: list[Call] = [
        (
            "/team/member_add",
            {"team_id": team, "member": {"user_id": row["user_id"], "role": "user"}},
        )
        for team in sorted(teams - set(row.get("teams") or ()))
    ]
    also = {"teams": sorted(teams | leaves(state, name, row))}
    found = update(Wanted("user", name, state.desired["users"][name], also=also), row, state.now)
    if calls or found:
        reason, last = (found[0], [found[1]]) if found else ("teams", [])
        yield Change("user", name, "update", reason, (*calls, *last))


def _keys(state: State, hashes: Mapping[str, str]) -> Iterator[Change]:
    values: dict[str, str] = {}
    for name, entry in state.desired["keys"].items():
        token = hashes.get(name)
        if token and values.setdefault(token, name) != name:
            yield Change("key", name, "refuse", f"its value is that of key {values[token]}")
            continue
        needs = [[each] if each else [] for each in (entry["team"], entry["user"])]
        for change in _key(state, name, entry, token):
            yield needing(change, ("team", needs[0]), ("user", needs[1]))


def _key(state: State, name: str, entry: Mapping[str, Any], token: str | None) -> Iterator[Change]:
    ours = [*state.our_keys.get(name, ())]
    same = state.by_token.get(token or "")
    if same and name_of(same) not in ("", name):
        ours.append(same)
    current = next((row for row in ours if token in (None, row["token"])), None)
    why = _key_is_refused(state, name, entry, token, is_new=current is None)
    if why:
        yield Change("key", name, "refuse", why)
        return
    belongs = {
        "key_alias": name,
        "team_id": state.teams[entry["team"]] if entry["team"] else None,
        "user_id": state.users[entry["user"]] if entry["user"] else None,
    }
    wanted = Wanted("key", name, entry, belongs)
    if current is not None:
        for row in ours:
            if row is not current:
                reason = "left over from a change of its value"
                yield Change("key", name, "delete", reason, (deletion(row),))
        yield from _updated(state, wanted, current)
    elif is_over(entry["expires"], state.now):
        yield Change("key", name, "keep", f"not made: it expired at {entry['expires']}")
    else:
        yield _new_key(state, wanted, ours)


def _key_is_refused(
    state: State, name: str, entry: Mapping[str, Any], token: str | None, *, is_new: bool
) -> str:
    if entry["team"] and entry["team"] not in state.teams:
        return f"its team {entry['team']} is not managed here"
    if entry["user"] and entry["user"] not in state.users:
        return f"its user {entry['user']} is not managed here"
    same = state.by_token.get(token or "")
    if is_new and same:
        # LiteLLM would answer 200 and change nothing.
        return f"its value is that of a key that is not managed here: {same.get('key_alias')}"
    return _refused("key", name).reason if is_new and name in state.foreign_aliases else ""


def _new_key(state: State, wanted: Wanted, old: Sequence[Row]) -> Change:
    """A key that is made, or takes the place of one with another value.

    LiteLLM changes a value (/key/regenerate) with a licence alone. Without one the old key gives
    up its name, the new one takes it with what was spent, and the old one goes: killed at any
    point, the next run sees which of the two has the value.
    """
    name = wanted.name
    body = {"key": VALUE, **made(wanted), **expiring(wanted.entry["expires"], state.now)}
    if not old:
        return Change("key", name, "create", calls=(("/key/generate", body),))
    spent = max(float(row.get("spend") or 0) for row in old)
    calls: list[Call] = [
        ("/key/update", {"key": row["token"], "key_alias": f"{name}-until-{row['token'][:12]}"})
        for row in old
        if row.get("key_alias") == name
    ]
    calls.append(("/key/generate", {**body, "spend": spent}))
    return Change("key", name, "replace", "its value has changed", (*calls, *map(deletion, old)))


def _updated(state: State, wanted: Wanted, row: Row) -> Iterator[Change]:
    found = update(wanted, row, state.now)
    if found:
        yield Change(wanted.kind, wanted.name, "update", found[0], (found[1],))


# --- nixcfg/access/api.py


_PAGE = 100
_LISTS = {
    "teams": ("/v2/team/list?page_size=100&page=", "team_id"),
    "users": ("/user/list?page_size=100&sort_by=user_id&sort_order=asc&page=", "user_id"),
    "keys": ("/key/list?return_full_object=true&size=100&page=", "token"),
}
"""How the rows of each kind are listed, a page at a time, and what tells one from another."""
_TOTALS = ("total", "total_count")
_LOOKS_LIKE_KEY = re.compile(r"sk-[^\s'\",;)]+|[^\s'\"]*\*{3,}[^\s'\"]*")


class ApiError(Exception):
    """The gateway answers something else; the message says what, without a key."""


class LaterError(ApiError):
    """The gateway could not answer (5xx): the same question may be answered later."""


class AwayError(LaterError):
    """The gateway does not answer, or has no database right now."""


class Api:
    """The admin API at `url` for the master key."""

    def __init__(self, url: str, key: str, seconds: float = 60) -> None:
        self._url = urlsplit(url)
        self._key = key
        self._seconds = seconds

    def is_ready(self) -> bool:
        """Whether the gateway answers and has its database."""
        try:
            status, body = self._ask("GET", "/health/readiness", None)
        except AwayError:
            return False
        return status == 200 and isinstance(body, dict) and body.get("db") == "connected"

    def rows(self) -> Actual:
        """All teams, users and keys. Raises ApiError."""
        return Actual(*(self._all(kind) for kind in _LISTS))

    def activity(self, days: int = 30) -> list[Any]:
        """The last days, each with what was spent by model. Raises ApiError."""
        today = dt.datetime.now(dt.UTC).date()
        first = today - dt.timedelta(days=days)
        found: list[Any] = []
        number, last = 1, 1
        while number <= last:
            query = f"start_date={first}&end_date={today}&page_size={_PAGE}&page={number}"
            page = self._good("GET", f"/user/daily/activity?{query}", None)
            results = page.get("results") if isinstance(page, dict) else None
            found += results if isinstance(results, list) else []
            last = int((page.get("metadata") or {}).get("total_pages") or 1)
            number += 1
        return found

    def post(self, path: str, body: object) -> Any:
        """Post JSON. Raises ApiError for any answer but 200."""
        return self._good("POST", path, body)

    def _all(self, kind: str) -> list[Row]:
        """Every row. Two pages are two questions, between which rows may come and go: where some
        were missed, it asks again."""
        path, identity = _LISTS[kind]
        for _ in range(3):
            pages = list(self._pages(kind, path))
            found = {row[identity]: row for page in pages for row in page[kind]}
            total = next((pages[-1][name] for name in _TOTALS if name in pages[-1]), len(found))
            if len(found) >= total:
                return list(found.values())
        raise AwayError(f"the list of {kind} changes while it is read")

    def _pages(self, kind: str, path: str) -> Iterator[dict[str, Any]]:
        number = 1
        while True:
            page = self._good("GET", f"{path}{number}", None)
            if not isinstance(page, dict) or not isinstance(page.get(kind), list):
                raise ApiError(f"no list of {kind} at {path.partition('?')[0]}: is this LiteLLM?")
            yield page
            if len(page[kind]) < _PAGE:
                return
            number += 1

    def _good(self, method: str, path: str, body: object) -> Any:
        status, answer = self._ask(method, path, body)
        if status == 200:
            return answer
        if status == 401:
            raise ApiError("the gateway does not take this master key (401)")
        reason = f"{_reason(answer)} ({status})"
        raise (LaterError if status >= 500 else ApiError)(reason)

    def _ask(self, method: str, path: str, body: object) -> tuple[int, Any]:
        make: Any = http.client.HTTPConnection
        more: dict[str, Any] = {}
        if self._url.scheme == "https":
            make, more = http.client.HTTPSConnection, {"context": ssl.create_default_context()}
        connection = make(self._url.netloc, timeout=self._seconds, **more)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        payload = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, self._url.path.rstrip("/") + path, payload, headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            # Without the cause: its traceback would hold the request.
            why = getattr(error, "strerror", None) or type(error).__name__
            raise AwayError(f"the gateway does not answer: {why}") from None
        finally:
            connection.close()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, None


def _reason(answer: Any) -> str:
    """What LiteLLM says, in one line, without anything that looks like a key."""
    error = answer.get("error") or answer.get("detail") if isinstance(answer, dict) else None
    while isinstance(error, dict):
        error = error.get("message") or error.get("error") or ""
    text = " ".join(str(error or "no reason given").split())
    return _LOOKS_LIKE_KEY.sub("...", text)[:300]


# --- nixcfg/access/run.py


DONE = {
    "create": "created",
    "update": "updated",
    "replace": "given its new value",
    "block": "blocked",
    "delete": "deleted",
    "keep": "kept",
    "refuse": "left alone",
}
"""What a change is once it is made."""


@dataclass
class Outcome:
    """What became of a plan: how many of each action, and of what did not work.

    `is_passing`: some of it may work at another time.
    """

    done: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    is_passing: bool = False

    def summary(self) -> str:
        """One line."""
        parts = [f"{count} {DONE[action]}" for action, count in self.done.items()]
        parts += [f"{self.failed} failed"] if self.failed else []
        return ", ".join(parts) or "all as it should be; nothing was written"


def carry_out(
    api: Api,
    changes: Sequence[Change],
    values: Mapping[str, str],
    say: Callable[[int, str], None],
) -> Outcome:
    """Make the changes. `say` is called with a priority of syslog and a line, never with a value.

    Raises AwayError when the gateway or its database goes; the next run does what is left.
    """
    outcome = Outcome()
    broken: set[tuple[str, str]] = set()
    for change in changes:
        what = f"{change.kind} {change.name}"
        missing = [need for need in change.needs if need in broken]
        if change.action == "refuse" or missing:
            reason = change.reason if not missing else f"{' '.join(missing[0])} is not there"
            say(3, f"{what}: {DONE['refuse']}: {reason}")
            broken.add((change.kind, change.name))
            outcome.failed += 1
            continue
        try:
            for path, body in change.calls:
                api.post(path, _filled(body, change.name, values))
        except ApiError as error:
            outcome.is_passing |= isinstance(error, LaterError)
            if isinstance(error, AwayError) or (
                isinstance(error, LaterError) and not api.is_ready()
            ):
                raise AwayError(str(error)) from None
            say(3, f"{what}: cannot be {DONE[change.action]}: {error}")
            broken.add((change.kind, change.name))
            outcome.failed += 1
            continue
        reason = f": {change.reason}" if change.reason else ""
        say(4 if change.action == "keep" else 6, f"{what}: {DONE[change.action]}{reason}")
        outcome.done[change.action] = outcome.done.get(change.action, 0) + 1
    return outcome


def _filled(body: Mapping[str, Any], name: str, values: Mapping[str, str]) -> dict[str, Any]:
    return {key: values[name] if value == VALUE else value for key, value in body.items()}


# --- nixcfg/keys/virtual.py


@dataclass(frozen=True)
class Place:
    """Where a value is kept, and whose the file is if it has to be made; `mode` is octal digits."""

    file: Path
    owner: str = "root"
    group: str = "root"
    mode: str = "0600"


class ValueMissingError(Exception):
    """The file is not there; the message says so."""


class ValueUnusableError(Exception):
    """The file holds no key for a client, or cannot be used; the message says why."""


def read(source: Path, missing: str = "") -> str:
    """The value in a file. `missing`: what the file of systemd holds where there is no other.

    Raises ValueMissingError and ValueUnusableError.
    """
    text = content(source, missing)
    why = refusal(text)
    if why:
        raise ValueUnusableError(why)
    return text


def content(source: Path, missing: str = "") -> str:
    """What a file holds, without the newline at its end. Raises as `read` does."""
    try:
        text = source.read_bytes().decode("ascii", "replace").rstrip("\n")
    except (FileNotFoundError, NotADirectoryError):
        raise ValueMissingError("is missing") from None
    except OSError as error:
        raise ValueUnusableError(f"cannot be read: {error.strerror}") from None
    if missing and text.rstrip("\0") == missing:
        raise ValueMissingError("is missing")
    return text


def has_changed(place: Place, value: str) -> bool:
    """Whether a file holds another value by now, as far as it can be read."""
    try:
        return content(place.file) != value
    except (ValueMissingError, ValueUnusableError):
        return False


def refusal(text: str) -> str:
    """Why a text cannot be the value of a virtual key, "" if it can."""
    if not text:
        return "is empty. Remove the file to have a value made"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "holds more than one word of printable ASCII"
    if not text.startswith("sk-"):
        return "holds no value that LiteLLM takes for a key: it must begin with sk-"
    if len(text) < 20:
        return "holds a value that can be guessed: it must have 20 characters or more"
    return ""


def make(place: Place) -> str:
    """A new value of 256 random bits in its file, which no one can read before it is whole.

    Raises ValueUnusableError; a file that is there by now is left as it is.
    """
    value = f"sk-{secrets.token_hex(32)}"
    new = place.file.with_name(f".{place.file.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(f"{value}\n".encode())
                file.flush()
                os.fchmod(file.fileno(), int(place.mode, 8))
                _give(file.fileno(), place)
                os.fsync(file.fileno())
            os.link(new, place.file)
        finally:
            with contextlib.suppress(FileNotFoundError):
                new.unlink()
    except KeyError as error:
        raise ValueUnusableError(f"cannot be made: there is no {error.args[0]}") from None
    except FileExistsError:
        raise ValueUnusableError("has come meanwhile; the next run takes it") from None
    except OSError as error:
        where = f" {place.file.parent}" if isinstance(error, FileNotFoundError) else ""
        raise ValueUnusableError(f"cannot be made: {error.strerror}{where}") from None
    return value


def _give(descriptor: int, place: Place) -> None:
    """Make the owner the one that is asked for, where that is someone else."""
    import grp
    import pwd

    try:
        owner = pwd.getpwnam(place.owner).pw_uid
    except KeyError:
        raise KeyError(f"user {place.owner}") from None
    try:
        group = grp.getgrnam(place.group).gr_gid
    except KeyError:
        raise KeyError(f"group {place.group}") from None
    now = os.fstat(descriptor)
    if (owner, group) != (now.st_uid, now.st_gid):
        os.fchown(descriptor, owner, group)


def values(
    places: Mapping[str, Place],
    say: Callable[[int, str], None],
    *,
    credentials: Path | None = None,
    missing: str = "",
    makes: bool = True,
    master: str = "",
) -> tuple[dict[str, str], int]:
    """The value of each key by name, and how many cannot be had; `say` is told why.

    `credentials`: the folder in which systemd has put them, as `value-NAME`; otherwise they are
    read from their places. Without `makes` a value that is missing stays so, and is no failure.
    """
    found, failed = {}, 0
    for name, place in places.items():
        source = credentials / f"value-{name}" if credentials else place.file
        try:
            found[name] = read(source, missing)
        except ValueMissingError:
            if not makes:
                continue
            try:
                found[name] = make(place)
                say(5, f"key {name}: made a value in {place.file}")
            except ValueUnusableError as error:
                say(3, f"key {name}: {place.file} {error}")
                failed += 1
        except ValueUnusableError as error:
            say(3, f"key {name}: {place.file} {error}")
            failed += 1
        if found.get(name) == master != "":
            del found[name]
            say(3, f"key {name}: {place.file} holds the master key, which is for no client")
            failed += 1
    return found, failed


# --- nixcfg/access/service.py


WAIT_SECONDS = 900
_PAUSE = 2
_AGAIN = os.EX_TEMPFAIL


def say(priority: int, line: str) -> None:
    """One line of the journal, with its priority."""
    print(f"<{priority}>{line}", file=sys.stderr, flush=True)  # noqa: T201 (the journal reads it)


def main(arguments: list[str]) -> int:
    """Wait for the gateway, compare, write what differs."""
    data, places, url, missing = arguments
    desired = json.loads(Path(data).read_text(encoding="utf-8"))
    wanted = {
        name: Place(Path(given["file"]), given["owner"], given["group"], given["mode"])
        for name, given in json.loads(Path(places).read_text(encoding="utf-8")).items()
        if name in desired["keys"]
    }
    credentials = Path(os.environ["CREDENTIALS_DIRECTORY"])
    try:
        master = content(credentials / "master-key", missing)
    except (ValueMissingError, ValueUnusableError) as error:
        say(3, f"the master key {error}")
        return _AGAIN
    api = Api(url, master)
    if not _is_ready(api):
        say(4, f"{url} was not ready with its database for {WAIT_SECONDS} seconds.")
        return _AGAIN
    # No value is made before there is someone to give it to.
    found, failed = values(wanted, say, credentials=credentials, missing=missing, master=master)
    try:
        hashes = {name: hashed(value) for name, value in found.items()}
        changes = plan(desired, api.rows(), hashes, dt.datetime.now(dt.UTC))
        lost = {name for name in wanted if name not in found}
        changes = [each for each in changes if each.kind != "key" or each.name not in lost]
        outcome = carry_out(api, changes, found, say)
    except LaterError as error:
        say(4, f"{error}. The next run does what is left.")
        return _AGAIN
    except ApiError as error:
        say(3, f"{error}")
        return 1
    outcome.failed += failed
    say(3 if outcome.failed else 6, outcome.summary())
    # systemd has read the values when this began, and starts nothing that runs already.
    changed = [name for name, value in found.items() if has_changed(wanted[name], value)]
    if changed:
        say(5, f"the value of {', '.join(changed)} has changed meanwhile; running again.")
        return _AGAIN
    if outcome.is_passing:
        return _AGAIN
    return 1 if outcome.failed else 0


def _is_ready(api: Api) -> bool:
    for _ in range(WAIT_SECONDS // _PAUSE):
        if api.is_ready():
            return True
        time.sleep(_PAUSE)
    return api.is_ready()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
