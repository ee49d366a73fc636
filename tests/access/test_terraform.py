"""Teams, users and keys out of files of Terraform's LiteLLM provider."""

from pathlib import Path

import yaml
from in_process import call

SOURCE = """
variable "models" {}
resource "litellm_team" "research" {
  team_alias      = "Research team"
  models          = ["gpt", "claude"]
  max_budget      = 200.5
  metadata        = { cost_center = "7", "a b" = true }
}
resource "litellm_user" "anna" {
  user_id    = "anna"
  user_email = "anna@example.org"
}
resource "litellm_team_member" "anna" {
  team_id = litellm_team.research.id
  user_id = litellm_user.anna.id
  role    = "user"
}
resource "litellm_key" "web" {
  key_alias = "open-webui"
  team_id   = litellm_team.research.id
  user_id   = "anna"
  models    = concat(["gpt"], var.models)
  key       = "sk-the-value-of-the-key"
  rpm_limit = 60
}
resource "litellm_model" "gpt" { model_name = "gpt" }
resource "aws_instance" "other" { ami = "x" }
"""


def test_literals_and_references_are_carried_over_and_no_value_is(tmp_path: Path):
    (tmp_path / "main.tf").write_text(SOURCE)
    done = call("import", "main.tf", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout) == {
        "teams": {
            "Research-team": {
                "models": ["gpt", "claude"],
                "max_budget": 200.5,
                "metadata": {"cost_center": "7", "a b": True},
            }
        },
        "users": {"anna": {"user_email": "anna@example.org", "teams": ["Research-team"]}},
        "keys": {"open-webui": {"team": "Research-team", "user": "anna", "rpm_limit": 60}},
    }
    for said in (
        "keys web: models is computed; write it yourself",
        "keys web: key is nothing that nixcfg.yaml says",
        "litellm_model.gpt: is no team, user or key",
    ):
        assert said in done.stderr
    assert "sk-the-value" not in done.stdout + done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["main.tf"]


def test_what_is_no_hcl_is_said_so(tmp_path: Path):
    (tmp_path / "main.tf").write_text('resource "litellm_key" {{{')
    done = call("import", "main.tf", cwd=tmp_path)
    assert done.returncode == 1
    assert "is no HCL" in done.stderr
    done = call("import", "absent.tf", cwd=tmp_path)
    assert "No such file" in done.stderr
    done = call("import", cwd=tmp_path)
    assert done.returncode == 2
