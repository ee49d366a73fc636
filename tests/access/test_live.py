"""Teams, users and keys in the real database, and what the real gateway makes of them."""

import json
import signal
import time
from pathlib import Path

import pytest
from reconciler import MASTER_KEY, Unit
from services import Postgres

pytestmark = pytest.mark.scale

NOTHING = "nothing was written"


def usual(unit: Unit) -> None:
    unit.team("research", models=["gpt", "plain"], max_budget=200, budget_duration="30d")
    unit.team("all")
    unit.user("anna", "research", user_email="anna@example.org", max_budget=3)
    unit.key("web", "research", "anna", models=["gpt"], rpm_limit=60, soft_budget=3)
    unit.key(
        "ci",
        expires="2099-01-01T00:00:00Z",
        max_budget=5,
        budget_duration="1d",
        metadata={"cost_center": 7},
        object_permission={"models": ["gpt"]},
        router_settings={"num_retries": 2},
        allowed_routes=["llm_api_routes"],
        model_rpm_limit={"gpt": 5},
    )


def test_the_second_run_writes_nothing(unit: Unit):
    usual(unit)
    assert "5 created" in unit.run()
    before = unit.writes()
    rows = unit.rows()
    assert NOTHING in unit.run()
    assert unit.writes() == before
    assert unit.rows() == rows

    web = unit.row("keys", "web")
    assert (web["team_id"], web["user_id"], web["models"]) == ("research", "anna", ["gpt"])
    ci = unit.row("keys", "ci")
    assert ci["expires"].startswith("2099-01-01T00:0") or ci["expires"].startswith(
        "2098-12-31T23:5"
    )
    assert ci["metadata"]["cost_center"] == 7
    assert unit.file("ci").stat().st_mode & 0o777 == 0o640
    assert unit.chat(unit.value("web"), "gpt") == 200


def test_what_changes_is_changed_and_what_is_taken_away_is_gone(unit: Unit):
    usual(unit)
    unit.run()
    unit.team("research", tpm_limit=5)
    unit.user("anna", "all")
    unit.key("web", "all", "anna")
    unit.key("ci")
    assert "5 updated" in unit.run()
    assert NOTHING in unit.run()
    team = unit.row("teams", "research")
    assert (team["models"], team["max_budget"], team["tpm_limit"]) == ([], None, 5)
    assert unit.row("users", "anna")["teams"] == ["all"]
    assert unit.row("users", "anna")["max_budget"] is None
    web, ci = unit.row("keys", "web"), unit.row("keys", "ci")
    assert (web["team_id"], web["models"], web["rpm_limit"]) == ("all", [], None)
    assert (ci["expires"], ci["max_budget"], ci["allowed_routes"]) == (None, None, [])
    assert {*ci["metadata"]} == {"nixcfg"}


def test_what_is_changed_by_hand_is_changed_back(unit: Unit):
    usual(unit)
    unit.run()
    token = unit.row("keys", "ci")["token"]
    unit.api.post("/key/update", {"key": token, "max_budget": 500})
    unit.api.post("/team/update", {"team_id": "research", "models": ["claude"]})
    journal = unit.run()
    assert "key ci: updated: max_budget" in journal
    assert "team research: updated: models" in journal
    assert unit.row("keys", "ci")["max_budget"] == 5


def test_what_others_made_stays_byte_for_byte(unit: Unit):
    unit.api.post("/team/new", {"team_id": "theirs", "team_alias": "their team"})
    unit.api.post("/user/new", {"user_id": "eve", "auto_create_key": False, "teams": ["theirs"]})
    unit.api.post("/key/generate", {"key_alias": "their key", "team_id": "theirs", "max_budget": 1})
    unit.api.post("/key/generate", {"key_alias": "alone", "metadata": {"nixcfg": "no mark"}})

    def theirs() -> str:
        rows = unit.rows()
        foreign = (
            [row for row in rows.teams if row["team_id"] == "theirs"],
            [row for row in rows.users if row["user_id"] == "eve"],
            [row for row in rows.keys if row["key_alias"] in ("their key", "alone")],
        )
        assert [len(each) for each in foreign] == [1, 1, 2]
        return json.dumps(foreign, sort_keys=True)

    before = theirs()
    usual(unit)
    unit.run()
    unit.desired = {"prune": True, "teams": {}, "users": {}, "keys": {}}
    unit.run()
    assert theirs() == before
    rows = unit.rows()
    assert {row["key_alias"] for row in rows.keys} == {"their key", "alone"}
    assert [row["team_id"] for row in rows.teams] == ["theirs"]


def test_a_name_that_others_have_is_refused_until_it_is_adopted(unit: Unit):
    unit.api.post("/team/new", {"team_id": "0815", "team_alias": "research", "max_budget": 1})
    unit.api.post("/key/generate", {"key_alias": "web"})
    unit.team("research", max_budget=9)
    unit.key("web", "research")
    unit.key("ci")
    journal = unit.run(1)
    assert "team research: left alone" in journal
    assert "nixcfg access adopt research" in journal
    assert "key web: left alone" in journal
    assert "1 created" in journal
    assert unit.row("teams", "research")["max_budget"] == 1


def test_what_has_left_is_blocked_and_opened_again(unit: Unit):
    usual(unit)
    unit.run()
    value = unit.value("ci")
    assert unit.chat(value) == 200
    ci = unit.desired["keys"].pop("ci")
    del unit.desired["teams"]["all"]
    assert "2 blocked" in unit.run()
    assert unit.chat(value) in (401, 403)
    assert NOTHING in unit.run()
    unit.desired["keys"]["ci"] = ci
    assert "key ci: updated: blocked" in unit.run()
    assert unit.chat(value) == 200


def test_prune_takes_no_key_of_others_with_it(unit: Unit):
    usual(unit)
    unit.run()
    unit.api.post(
        "/key/generate", {"key_alias": "theirs", "team_id": "research", "user_id": "anna"}
    )
    unit.desired = {"prune": True, "teams": {}, "users": {}, "keys": {}}
    journal = unit.run()
    assert "team research: blocked: no longer in nixcfg.yaml; has key theirs" in journal
    assert "user anna: kept: would take key theirs" in journal
    assert [row["key_alias"] for row in unit.rows().keys] == ["theirs"]


def test_a_member_who_leaves_keeps_its_keys(unit: Unit):
    """LiteLLM deletes the keys of a member who leaves a team."""
    unit.team("one")
    unit.team("two")
    unit.user("anna", "one")
    unit.key("web", "one", "anna")
    unit.run()
    unit.user("anna", "two")
    unit.key("web", "two", "anna")
    unit.run()
    assert unit.row("users", "anna")["teams"] == ["two"]
    assert unit.chat(unit.value("web")) == 200
    # With a key in it, a member stays.
    unit.key("web", "one", "anna")
    unit.run()
    assert NOTHING in unit.run()
    assert set(unit.row("users", "anna")["teams"]) == {"one", "two"}


def test_a_new_value_takes_the_place_of_the_old_one(unit: Unit):
    unit.team("research")
    unit.key("web", "research", max_budget=100, budget_duration="30d", rpm_limit=600)
    unit.run()
    old = unit.value("web")
    assert unit.chat(old) == 200
    for _ in range(60):
        if unit.row("keys", "web")["spend"]:
            break
        time.sleep(0.5)
    before = unit.row("keys", "web")
    new = f"sk-{'5' * 40}"
    unit.file("web").write_text(f"{new}\n")
    assert "key web: given its new value" in unit.run()
    assert NOTHING in unit.run()
    after = unit.row("keys", "web")
    assert before["spend"] == pytest.approx(0.21)
    same = (
        "key_alias",
        "team_id",
        "spend",
        "max_budget",
        "budget_duration",
        "rpm_limit",
        "metadata",
    )
    assert [after[each] for each in same] == [before[each] for each in same]
    assert unit.chat(new) == 200
    assert unit.chat(old) == 401


def test_a_name_that_changes_keeps_the_key(unit: Unit):
    unit.key("old", max_budget=5)
    unit.run()
    token = unit.row("keys", "old")["token"]
    unit.file("old").rename(unit.file("new"))
    del unit.desired["keys"]["old"]
    unit.key("new", max_budget=5)
    assert "key new: updated: key_alias" in unit.run()
    assert unit.row("keys", "new")["token"] == token
    assert NOTHING in unit.run()


def test_a_value_that_is_no_key_stops_no_other(unit: Unit):
    for name in ("short", "words", "master", "twice", "good"):
        unit.key(name)
    unit.file("short").parent.mkdir()
    unit.file("short").write_text("sk-1234\n")
    unit.file("words").write_text("two words\n")
    unit.file("master").write_text(f"{MASTER_KEY}\n")
    unit.file("good").write_text(f"sk-{'7' * 40}\n")
    unit.file("twice").write_text(f"sk-{'7' * 40}\n")
    journal = unit.run(1)
    assert "1 created, 4 failed" in journal
    for name, why in {"short": "guessed", "words": "one word", "master": "master key"}.items():
        assert why in next(line for line in journal.splitlines() if f"key {name}:" in line)
    assert "its value is that of key twice" in journal or "that of key good" in journal
    assert "sk-" not in journal.replace("begin with sk-", "")


def test_killed_at_any_point_the_next_run_does_the_rest(unit: Unit):
    usual(unit)
    unit.run()
    for after in (1, 2, 3, 4):
        unit.team("research", models=["gpt", "plain"], max_budget=200 + after)
        unit.user("anna", "research" if after % 2 else "all", max_budget=after)
        unit.key("web", "research" if after % 2 else "all", "anna", rpm_limit=after)
        unit.file("ci").write_text(f"sk-{str(after) * 40}\n")
        before = len(unit.writes())
        process = unit.start()
        until = time.monotonic() + 60
        while process.poll() is None and len(unit.writes()) < before + after:
            assert time.monotonic() < until
        process.send_signal(signal.SIGKILL)
        process.communicate()
        unit.run()
        assert NOTHING in unit.run()
        ours = [row for row in unit.rows().keys if "nixcfg" in row["metadata"]]
        assert sorted(row["key_alias"] for row in ours) == ["ci", "web"]
        assert unit.row("keys", "web")["rpm_limit"] == after
        assert unit.chat(unit.value("ci")) == 200


def test_a_database_that_goes_and_comes_back(unit: Unit, postgres: Postgres):
    usual(unit)
    unit.run()
    unit.team("research", max_budget=9)
    postgres.shut()
    try:
        process = unit.start()
        time.sleep(5)
        assert process.poll() in (None, 75)
    finally:
        postgres.open()
    _, journal = process.communicate(timeout=300)
    if process.returncode == 75:  # it had begun to ask when the database went
        journal = unit.run()
    assert "team research: updated" in journal
    assert NOTHING in unit.run()


def test_no_value_is_anywhere_but_in_its_file(unit: Unit):
    usual(unit)
    unit.run()
    unit.file("ci").write_text(f"sk-{'6' * 40}\n")
    process = unit.start()
    shown = b""
    while process.poll() is None:
        for name in ("cmdline", "environ"):
            try:
                shown += Path(f"/proc/{process.pid}/{name}").read_bytes()
            except OSError:
                break
    _, journal = process.communicate()
    # And what LiteLLM says when it refuses a value.
    unit.key("other")
    unit.file("other").write_text(f"sk-{'6' * 40}\n")
    unit.journals += [journal, unit.run(1)]
    values = [unit.value(name).encode() for name in ("web", "ci", "other")] + [MASTER_KEY.encode()]
    searched = {
        "journal": "".join(unit.journals).encode(),
        "arguments": shown,
        "access.json": (unit.folder / "access.json").read_bytes(),
        "places.json": (unit.folder / "places.json").read_bytes(),
        "gateway": unit.live.log.read_bytes(),
    }
    for where, content in searched.items():
        for value in values:
            assert value not in content, where
            assert value[3:15] not in content, where
    # The same search finds them where they are.
    kept = b"".join(each.read_bytes() for each in (unit.folder / "credentials").iterdir())
    assert all(value in kept and value[3:15] in kept for value in values)
    assert b"access.py" in shown
