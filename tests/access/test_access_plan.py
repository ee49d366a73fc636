"""The plan alone, against a database in memory that does with a request what LiteLLM does.

tests/access/test_live.py holds the same claims against the real one; here are the many states that
a kill can leave, each of which the next plan has to finish.
"""

import copy
import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixcfg.access.changes import Actual
from nixcfg.access.plan import plan
from nixcfg.access.rows import MARK, VALUE, adoption, hashed, name_of

NOW = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
Body = Mapping[str, Any]


class Database:
    """What the admin API does, as far as the plan relies on it (tests/access/test_live.py)."""

    def __init__(self) -> None:
        self.teams: dict[str, dict[str, Any]] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.calls = 0

    def actual(self) -> Actual:
        rows = ([*each.values()] for each in (self.teams, self.users, self.keys))
        return Actual(*copy.deepcopy([*rows]))

    def post(self, path: str, body: Body, value: str = "") -> None:
        self.calls += 1
        given = {key: value if each == VALUE else each for key, each in body.items()}
        getattr(self, path.strip("/").replace("/", "_"))(copy.deepcopy(given))

    def team_new(self, body: dict[str, Any]) -> None:
        assert body["team_id"] not in self.teams
        self.teams[body["team_id"]] = {"members_with_roles": [], **body}

    def team_update(self, body: dict[str, Any]) -> None:
        self.teams[body["team_id"]] |= body

    def team_block(self, body: dict[str, Any]) -> None:
        self.teams[body["team_id"]]["blocked"] = True

    def team_delete(self, body: dict[str, Any]) -> None:
        for team in body["team_ids"]:
            del self.teams[team]
            self.keys = {k: row for k, row in self.keys.items() if row.get("team_id") != team}
            for user in self.users.values():
                user["teams"] = [each for each in user["teams"] if each != team]

    def team_member_add(self, body: dict[str, Any]) -> None:
        user = self.users[body["member"]["user_id"]]
        assert body["team_id"] not in user["teams"]
        user["teams"].append(body["team_id"])

    def team_member_delete(self, body: dict[str, Any]) -> None:
        self.users[body["user_id"]]["teams"].remove(body["team_id"])
        pair = (body["team_id"], body["user_id"])
        self.keys = {
            k: row
            for k, row in self.keys.items()
            if (row.get("team_id"), row.get("user_id")) != pair
        }

    def user_new(self, body: dict[str, Any]) -> None:
        assert body["user_id"] not in self.users
        assert all(team in self.teams for team in body["teams"])
        self.users[body["user_id"]] = body

    def user_update(self, body: dict[str, Any]) -> None:
        self.users[body["user_id"]] |= body

    def user_delete(self, body: dict[str, Any]) -> None:
        for user in body["user_ids"]:
            del self.users[user]
            self.keys = {k: row for k, row in self.keys.items() if row.get("user_id") != user}

    def key_generate(self, body: dict[str, Any]) -> None:
        token = hashed(body.pop("key"))
        assert token not in self.keys
        assert body["key_alias"] not in {row["key_alias"] for row in self.keys.values()}
        assert body.get("team_id") in (None, *self.teams)
        self.keys[token] = {"spend": 0.0, **self._expiring(body), "token": token}

    def key_update(self, body: dict[str, Any]) -> None:
        token = body.pop("key")
        others = {row["key_alias"] for key, row in self.keys.items() if key != token}
        assert body.get("key_alias") not in others
        self.keys[token] |= self._expiring(body)

    def key_block(self, body: dict[str, Any]) -> None:
        self.keys[body["key"]]["blocked"] = True

    def key_delete(self, body: dict[str, Any]) -> None:
        for token in body["keys"]:
            del self.keys[token]

    @staticmethod
    def _expiring(body: dict[str, Any]) -> dict[str, Any]:
        duration = body.pop("duration", None)
        if duration == "-1":
            return {**body, "expires": None}
        if duration:
            moment = NOW + dt.timedelta(seconds=int(duration.removesuffix("s")))
            return {**body, "expires": moment.isoformat()}
        return body


def key(team: str | None = None, user: str | None = None, **fields: Any) -> dict[str, Any]:
    expires = fields.pop("expires", None)
    return {"fields": fields, "team": team, "user": user, "expires": expires}


def wanted(teams: Any = (), users: Any = (), keys: Any = (), *, prune: bool = False) -> Any:
    return {"prune": prune, "teams": dict(teams), "users": dict(users), "keys": dict(keys)}


def run(database: Database, desired: Any, values: Mapping[str, str], most: int = 10**6) -> bool:
    """Make the plan, up to `most` requests; whether that was all of it."""
    hashes = {name: hashed(value) for name, value in values.items()}
    left = most
    for change in plan(desired, database.actual(), hashes, NOW):
        for path, body in change.calls:
            if not left:
                return False
            left -= 1
            database.post(path, body, values.get(change.name, ""))
    return True


NAMES = ("a", "b", "c")
fields = st.fixed_dictionaries(
    {},
    optional={
        "max_budget": st.integers(0, 3),
        "models": st.lists(st.sampled_from(NAMES), max_size=2),
        "metadata": st.dictionaries(st.sampled_from(NAMES), st.integers(0, 2), max_size=2),
        "blocked": st.booleans(),
    },
)


@st.composite
def states(draw: st.DrawFn) -> tuple[Any, dict[str, str]]:
    teams = {name: {"fields": draw(fields)} for name in draw(st.sets(st.sampled_from(NAMES)))}
    some = st.lists(st.sampled_from(sorted(teams)), unique=True) if teams else st.just([])
    users = {
        name: {
            "fields": {k: v for k, v in draw(fields).items() if k not in ("blocked", "models")},
            "teams": draw(some),
        }
        for name in draw(st.sets(st.sampled_from(NAMES)))
    }
    keys, values = {}, {}
    for name in draw(st.sets(st.sampled_from(NAMES))):
        expires = draw(st.sampled_from([None, "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]))
        keys[name] = key(
            draw(st.sampled_from([None, *sorted(teams)])),
            draw(st.sampled_from([None, *sorted(users)])),
            expires=expires,
            **draw(fields),
        )
        values[name] = f"sk-{name}-{draw(st.integers(0, 1))}"
    return wanted(teams, users, keys, prune=draw(st.booleans())), values


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(states(), st.integers(0, 6)), min_size=1, max_size=4))
def test_whatever_a_kill_leaves_the_next_run_finishes(steps: Any):
    database = Database()
    database.post("/team/new", {"team_id": "theirs", "team_alias": "theirs", "metadata": {}})
    database.post("/key/generate", {"key": "sk-theirs", "key_alias": "theirs", "metadata": {}})
    foreign = copy.deepcopy((database.teams["theirs"], database.keys[hashed("sk-theirs")]))
    for (desired, values), kill in steps:
        run(database, desired, values, kill)
        assert run(database, desired, values)
        before = database.calls
        run(database, desired, values)
        assert database.calls == before
        assert (database.teams["theirs"], database.keys[hashed("sk-theirs")]) == foreign
        has_what_is_desired(database, desired, values)


def has_what_is_desired(database: Database, desired: Any, values: Mapping[str, str]) -> None:
    for name, entry in desired["keys"].items():
        row = database.keys[hashed(values[name])]
        assert (row["key_alias"], row.get("team_id"), row.get("user_id")) == (
            name,
            entry["team"],
            entry["user"],
        )
        for given_name, value in {"blocked": False, **entry["fields"]}.items():
            if given_name != "metadata":
                assert row[given_name] == value
        assert {k: v for k, v in row["metadata"].items() if k != MARK} == entry["fields"].get(
            "metadata", {}
        )
        assert [name_of(each) for each in database.keys.values()].count(name) == 1
    for name, entry in desired["teams"].items():
        assert database.teams[name].get("max_budget") == entry["fields"].get("max_budget")
    for name, entry in desired["users"].items():
        assert set(entry["teams"]) <= set(database.users[name]["teams"])
    for row in database.keys.values():
        if name_of(row) and name_of(row) not in desired["keys"]:
            assert row["blocked"]
            assert not desired["prune"]


def test_what_is_adopted_gets_what_nixcfg_yaml_says():
    database = Database()
    team = {"team_id": "0815", "team_alias": "research", "metadata": {"theirs": 1}, "max_budget": 1}
    database.post("/team/new", team)
    desired = wanted({"research": {"fields": {"max_budget": 2}}}, keys={"k": key("research")})
    (refused, skipped) = plan(desired, database.actual(), {"k": hashed("sk-k")}, NOW)
    assert (refused.action, skipped.action) == ("refuse", "refuse")
    assert "nixcfg access adopt research" in refused.reason
    database.post(*adoption("team", database.teams["0815"], "research"))
    run(database, desired, {"k": "sk-k"})
    assert database.teams["0815"]["max_budget"] == 2
    assert database.teams["0815"]["metadata"]["theirs"] == 1
    assert database.keys[hashed("sk-k")]["team_id"] == "0815"


def test_a_value_that_others_use_is_refused():
    database = Database()
    database.post("/key/generate", {"key": "sk-k", "key_alias": "theirs", "metadata": {}})
    (change,) = plan(wanted(keys={"k": key()}), database.actual(), {"k": hashed("sk-k")}, NOW)
    assert change.action == "refuse"
    assert "not managed here: theirs" in change.reason


def test_a_key_that_has_expired_is_not_made():
    entry = key(expires="2026-01-01T00:00:00Z")
    (change,) = plan(wanted(keys={"k": entry}), Actual(), {"k": hashed("sk-k")}, NOW)
    assert (change.action, change.calls) == ("keep", ())


@pytest.mark.parametrize("known", [True, False])
def test_a_value_that_cannot_be_read_is_taken_for_current(known: bool):
    database, desired = Database(), wanted(keys={"k": key()})
    run(database, desired, {"k": "sk-old"})
    hashes = {"k": hashed("sk-new")} if known else {}
    changes = plan(desired, database.actual(), hashes, NOW)
    assert [each.action for each in changes] == (["replace"] if known else [])
