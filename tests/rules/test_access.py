"""Teams, users and keys: what is found beyond the examples of the pages."""

from pathlib import Path

import pytest

from nixcfg import check
from nixcfg.project.find import read_project

PROVIDER = """model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4o}
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4-5}
    model_info: {access_groups: [good]}
  - model_name: groq/*
    litellm_params: {model: groq/*}
router_settings:
  model_group_alias: {best: gpt}
general_settings: {maximum_spend_logs_retention_period: 90d}
"""


def found(folder: Path, text: str, provider: str = PROVIDER) -> list[tuple[str, int, str]]:
    """The code, line and message of each finding about nixcfg.yaml."""
    (folder / "providers").mkdir()
    (folder / "providers" / "some.yaml").write_text(provider)
    (folder / "nixcfg.yaml").write_text(text)
    problems = check.validate(read_project(folder)).problems
    return [(p.code, p.span.line, p.message) for p in problems if p.file == "nixcfg.yaml"]


GOOD = """database: local
teams:
  all: {}
  research: {models: [gpt, good, "groq/*"], max_budget: 200, budget_duration: 30d}
users:
  anna: {team: research, teams: [all], email: a@example.org, models: [best]}
  bob: {user_role: internal_user}
keys:
  one: {team: research, user: anna, models: [gpt, groq/llama-3.3-70b], max_budget: 200}
  two: {expires: "2027-01-31T18:00:00+02:00", blocked: true, allowed_routes: [llm_api_routes]}
  three: {expires: 2027-01-31, models: [all-team-models], metadata: {a: {b: [1]}}}
"""


def test_what_litellm_takes_is_not_found(tmp_path: Path):
    assert found(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("one: {max_budget: 200 USD}", "NX204", "must be a number"),
        ('one: {max_budget: "$200"}', "NX204", "must be a number"),
        ("one: {max_budget: -1}", "NX533", "cannot be a limit"),
        ("one: {max_budget: .inf}", "NX533", "cannot be a limit"),
        ("one: {rpm_limit: many}", "NX204", "must be a whole number"),
        ("one: {rpm_limit: -2}", "NX533", "cannot be a limit"),
        ("one: {models: gpt}", "NX204", "must be a list"),
        ("one: {blocked: 'no'}", "NX204", "must be true or false"),
        ("one: {budget_duration: 30 days}", "NX533", "is no time"),
        ("one: {budget_duration: 0d}", "NX533", "is no time"),
        ("one: {budget_duration: ''}", "NX533", "is no time"),
        ("one: {budget_duration: 30}", "NX204", "must be text"),
        ("one: {expires: 30d}", "NX533", "is no date"),
        ("one: {expires: 2027}", "NX533", "is no date"),
        ("one: {duration: 30d}", "NX531", "cannot be given here"),
        ("one: {key: sk-abc}", "NX531", "cannot be given here"),
        ("one: {team_id: research}", "NX531", "cannot be given here"),
        ("one: {rpm_limits: 3}", "NX531", "has no rpm_limits for a key"),
        ("one: {tpm_limit_type: strict}", "NX208", "cannot be strict"),
        ("one: {tags: [a]}", "NX532", "refuses tags of a key"),
        ("one: {model_max_budget: {gpt: 1}}", "NX532", "refuses model_max_budget"),
        ("one: {team: nobody}", "NX534", "there is no team nobody"),
        ("one: {user: nobody}", "NX534", "there is no user nobody"),
        ("one: {models: [gpt-5]}", "NX536", "no provider offers gpt-5"),
        ("one: {team: research, models: [claude]}", "NX535", "may not use claude"),
        ("one: {team: research, max_budget: 201}", "NX535", "above that of team research"),
        ("one: {file: keys/one}", "NX104", ""),
        ("one: {mode: 640}", "NX103", ""),
        ("one: {owner: Root User}", "NX104", ""),
        ("o/ne: {}", "NX104", ""),
        ("one:", "NX103", ""),
    ],
)
def test_each_mistake_of_a_key(line: str, code: str, message: str, tmp_path: Path):
    text = "database: local\nteams: {research: {models: [gpt], max_budget: 200}}\nkeys:\n  "
    problems = found(tmp_path, f"{text}{line}\n")
    assert [(each, at) for each, at, _ in problems] == [(code, 4)], problems
    assert message in problems[0][2]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("teams: {a: {key_alias: x}}", "NX531"),
        ("teams: {a: {guardrails: [x]}}", "NX532"),
        ("teams: {a: {organization_id: x}}", "NX532"),
        ("teams: {a: {team_member_budget: x}}", "NX204"),
        ("users: {a: {user_role: boss}}", "NX208"),
        ("users: {a: {guardrails: [x]}}", "NX531"),
        ("users: {a: {password: x}}", "NX531"),
        ("users: {a: {teams: [b]}}", "NX534"),
        ("users: {a: {models: [gtp]}}", "NX536"),
        ("prune: perhaps", "NX103"),
    ],
)
def test_each_mistake_of_a_team_and_a_user(line: str, code: str, tmp_path: Path):
    problems = found(tmp_path, f"database: local\n{line}\n")
    assert [(each, at) for each, at, _ in problems] == [(code, 2)], problems


def test_a_file_in_the_project_or_of_another_key(tmp_path: Path):
    inside = tmp_path / "keys" / "one"
    problems = found(
        tmp_path,
        f"""database: local
master_key_file: /etc/keys/master
keys:
  one: {{file: {inside}}}
  two: {{file: /etc/keys/master}}
  three: {{file: /etc/nixcfg/secrets/openai_api_key.txt}}
  four: {{file: {tmp_path}-beside/one}}
""",
    )
    assert [(code, line) for code, line, _ in problems] == [("NX537", n) for n in (4, 5, 6)]
    assert "own folder" in problems[0][2]
    assert "the master key" in problems[1][2]
    assert "OPENAI_API_KEY" in problems[2][2]


def test_models_may_come_from_the_database(tmp_path: Path):
    text = (
        "database: local\ngeneral_settings: {store_model_in_db: true}\nkeys: {a: {models: [x]}}\n"
    )
    assert found(tmp_path, text) == []


def test_a_model_of_another_profile_is_not_loaded(tmp_path: Path):
    text = "database: local\nmodel_config: none\nprofiles: {none: [other]}\n"
    text += "keys: {a: {models: [gpt]}}\n"
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "other.yaml").write_text(PROVIDER.replace("gpt", "o"))
    (tmp_path / "providers" / "some.yaml").write_text(PROVIDER)
    (tmp_path / "nixcfg.yaml").write_text(text)
    problems = check.validate(read_project(tmp_path)).problems
    assert "gpt is not in the configuration that is loaded" in [
        p.message for p in problems if p.code == "NX536"
    ]


def test_only_hosts_with_a_database_count(tmp_path: Path):
    text = "keys: {a: {}}\nhosts: {alpha: {}, beta: {database: local}}\n"
    assert found(tmp_path, text) == []


def test_a_free_model_may_have_a_budget(tmp_path: Path):
    own = "{model: hosted_vllm/own, api_base: 'http://10.0.0.2:8000/v1'"
    provider = "model_list:\n" + "".join(
        f"  - model_name: {name}\n    litellm_params: {own}{price}}}\n"
        for name, price in (("free", ", input_cost_per_token: 0"), ("unknown", ""))
    )
    provider += "general_settings: {disable_spend_logs: true}\n"
    text = "database: local\nkeys:\n  a: {max_budget: 1, models: [free]}\n  b: {max_budget: 1}\n"
    assert found(tmp_path, text, provider) == [
        ("NX538", 4, "LiteLLM knows no price of unknown, so this budget counts nothing there")
    ]
