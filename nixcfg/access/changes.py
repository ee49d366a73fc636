"""What a plan is made of: the rows that are there, and the changes that come out. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from nixcfg.access.rows import Call, Row, mark_of, name_of


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
