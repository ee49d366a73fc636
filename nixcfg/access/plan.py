"""What has to be asked of LiteLLM's admin API so that its database has what is desired. Pure."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nixcfg.access.changes import (
    Actual,
    Change,
    State,
    deletion,
    leaves,
    needing,
    teams_of,
)
from nixcfg.access.leaving import leaving, left_keys, left_teams, left_users
from nixcfg.access.rows import (
    VALUE,
    Call,
    Row,
    Wanted,
    expiring,
    is_over,
    made,
    name_of,
    update,
)


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
