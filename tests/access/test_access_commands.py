"""nixcfg access, in front of the real gateway."""

import getpass
import grp
import json
import os
from pathlib import Path

import pytest
import yaml
from in_process import Done, call
from reconciler import MASTER_KEY, Unit

pytestmark = pytest.mark.scale

PROVIDER = """model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4o}
  - model_name: plain
    litellm_params: {model: openai/gpt-4o-mini}
"""
ME, MINE = getpass.getuser(), grp.getgrgid(os.getegid()).gr_name


@pytest.fixture
def project(tmp_path: Path, unit: Unit) -> Path:
    del unit
    folder = tmp_path / "project"
    (folder / "providers").mkdir(parents=True)
    (folder / "providers" / "openai.yaml").write_text(PROVIDER)
    (tmp_path / "values").mkdir()
    (tmp_path / "master").write_text(f"{MASTER_KEY}\n")
    file = f"file: {tmp_path}/values"
    mine = f"owner: {ME}, group: {MINE}"
    (folder / "nixcfg.yaml").write_text(f"""database: local
teams:
  research: {{models: [gpt, plain], max_budget: 10}}
users:
  anna: {{team: research}}
keys:
  web: {{team: research, user: anna, models: [gpt], max_budget: 2, {file}/web, {mine}}}
  ci: {{{file}/ci, {mine}, expires: 2099-01-01}}
""")
    return folder


@pytest.fixture
def nixcfg(project: Path, unit: Unit):
    def run(*words: str, code: int = 0) -> Done:
        where = ("--url", unit.url, "--key-file", str(project.parent / "master"))
        done = call("-C", str(project), "access", *words, *where, cwd=project)
        assert done.returncode == code, done.stderr
        assert MASTER_KEY not in done.stdout + done.stderr
        return done

    return run


def test_a_plan_writes_nothing_and_apply_does_what_it_says(nixcfg, unit: Unit, project: Path):
    before = unit.writes()
    planned = json.loads(nixcfg("plan", "--json").stdout)["changes"]
    assert [(each["kind"], each["name"], each["action"]) for each in planned] == [
        ("team", "research", "create"),
        ("user", "anna", "create"),
        ("key", "web", "create"),
        ("key", "ci", "create"),
    ]
    assert unit.writes() == before
    assert not list((project.parent / "values").iterdir())
    assert "4 created" in nixcfg("apply").stderr
    assert json.loads(nixcfg("plan", "--json").stdout) == {"changes": []}
    assert "All is as nixcfg.yaml wants it." in nixcfg("--dry-run").stderr
    assert "nothing was written" in nixcfg("apply").stderr


def test_keys_and_spend_are_listed_without_a_value(nixcfg, unit: Unit, project: Path):
    nixcfg("apply")
    unit.api.post("/key/generate", {"key_alias": "theirs", "max_budget": 1})
    value = (project.parent / "values" / "web").read_text().strip()
    assert unit.chat(value, "gpt") == 200

    def spent() -> float:
        rows = json.loads(nixcfg("keys", "--json").stdout)["keys"]
        return {row["name"]: row["spend"] for row in rows}["web"]

    unit.until(lambda: spent() > 0)
    rows = {row["name"]: row for row in json.loads(nixcfg("keys", "--json").stdout)["keys"]}
    assert {name: row["managed"] for name, row in rows.items()} == {
        "web": True,
        "ci": True,
        "theirs": False,
    }
    assert (rows["web"]["team"], rows["web"]["state"], rows["web"]["left"]) == (
        "research",
        "active",
        pytest.approx(1.79),
    )
    assert rows["ci"]["expires"].startswith(("2099-01-01", "2098-12-31"))
    text = nixcfg("keys").stdout
    assert "$1.7900 of $2" in text

    unit.until(lambda: json.loads(nixcfg("spend", "--json").stdout)["models"])
    spend = json.loads(nixcfg("spend", "--json").stdout)
    assert spend["keys"][0]["name"] == "web"
    assert {row["name"]: row["left"] for row in spend["teams"]} == {"research": pytest.approx(9.79)}
    assert spend["models"][0]["spend"] > 0
    for said in (text, nixcfg("spend").stdout, json.dumps(rows)):
        assert value not in said


def test_what_is_adopted_is_looked_after(nixcfg, unit: Unit):
    unit.api.post("/team/new", {"team_id": "0815", "team_alias": "research", "max_budget": 1})
    refused = nixcfg("plan", code=1)
    assert "nixcfg access adopt research" in refused.stdout
    assert "team research is managed here now" in nixcfg("adopt", "research").stderr
    nixcfg("apply")
    assert unit.row("teams", "research")["max_budget"] == 10
    assert unit.row("keys", "web")["team_id"] == "0815"
    assert "nothing to take over" in nixcfg("adopt", "research", code=1).stderr
    assert "no team, user or key nobody" in nixcfg("adopt", "nobody", code=2).stderr


def test_a_wrong_master_key_is_said_so(nixcfg, project: Path):
    (project.parent / "master").write_text("sk-wrong-0123456789abcdef\n")
    said = nixcfg("keys", code=1).stderr
    assert "does not take this master key" in said
    assert "sk-wrong" not in said


def test_what_a_gateway_has_becomes_sections_of_nixcfg_yaml(unit: Unit, project: Path):
    team = {"team_id": "0815", "team_alias": "Their team", "models": ["gpt"], "max_budget": 7}
    unit.api.post("/team/new", {**team, "metadata": {"cost_center": 3}})
    unit.api.post(
        "/user/new", {"user_id": "eve@x.org", "auto_create_key": False, "teams": ["0815"]}
    )
    given = {"key_alias": "their key", "team_id": "0815", "rpm_limit": 5, "duration": "30d"}
    unit.api.post("/key/generate", {**given, "model_rpm_limit": {"gpt": 2}, "user_id": "eve@x.org"})
    where = ("--url", unit.url, "--key-file", str(project.parent / "master"))
    done = call("import", *where, cwd=project)
    assert done.returncode == 0, done.stderr
    text = (project / "nixcfg.yaml").read_text().partition("teams:")[0] + done.stdout
    (project / "nixcfg.yaml").write_text(text)
    found = yaml.safe_load(done.stdout)
    assert found["teams"] == {
        "Their-team": {"models": ["gpt"], "max_budget": 7, "metadata": {"cost_center": 3}}
    }
    assert found["users"] == {"eve-x-org": {"teams": ["Their-team"]}}
    key = found["keys"]["their-key"]
    assert {name: key[name] for name in ("team", "user", "rpm_limit", "model_rpm_limit")} == {
        "team": "Their-team",
        "user": "eve-x-org",
        "rpm_limit": 5,
        "model_rpm_limit": {"gpt": 2},
    }
    # What is printed is what validate takes.
    checked = call("-C", str(project), "validate", cwd=project)
    assert checked.returncode == 0, checked.stdout
