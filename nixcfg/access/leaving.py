"""What is no longer in nixcfg.yaml: blocked, or deleted where nothing of others goes with it. Pure.

LiteLLM deletes the keys of a team or a user together with it, and those of a member who leaves.
"""

from collections.abc import Iterator, Mapping, Sequence

from nixcfg.access.changes import (
    Change,
    State,
    deletion,
    leaves,
    needing,
    teams_of,
)
from nixcfg.access.rows import ADMIN, Call, Row, Wanted, name_of, update


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
