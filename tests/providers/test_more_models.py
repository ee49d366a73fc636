"""add-model and rename: what is there changes, with its comments, all of it or nothing."""

from pathlib import Path

import pytest
import yaml
from roster import Run, Snapshot, text

from nixcfg import check
from nixcfg.disk.files import plan
from nixcfg.project.find import read_project
from nixcfg.providers.rename import rename_provider

BOX = """\
# Our box.

model_list:
  # The large one.
  - model_name: large # what clients ask for
    litellm_params:
      model: openai/qwen3 # what answers
      api_base: http://box.lan:8000/v1
      api_key: os.environ/BOX_API_KEY
      temperature: 0.2

  # The small one.
  - model_name: small
    litellm_params:
      model: openai/phi4
      api_base: http://box.lan:8000/v1
      api_key: os.environ/BOX_API_KEY

environment_variables:
  BOX_API_KEY: ${BOX_API_KEY}

router_settings:
  fallbacks:
    - large: [small, claude-sonnet] # when it is busy
  model_group_alias: {big: large}
"""

PROJECT = """\
# Ours.
model_config: both # the usual
profiles:
  both: [claude, box] # all we have
  # Alone.
  alone: [box]
litellm_settings:
  default_fallbacks:
    - small # always there
hosts:
  alpha: {model_config: box}
"""


@pytest.fixture
def ours(project: Path) -> Path:
    (project / "providers" / "box.yaml").write_text(BOX)
    (project / "nixcfg.yaml").write_text(PROJECT)
    return project


def test_a_model_is_reached_as_the_others_are(ours: Path, run: Run) -> None:
    done = run("add-model", "box", "llama3.3", "--alias", "middle")
    assert done.stdout == "update providers/box.yaml\n"
    assert "middle: openai/llama3.3" in done.stderr
    assert "Next: nixcfg render" in done.stderr
    added = (
        "\n  - model_name: middle\n    litellm_params:\n      model: openai/llama3.3\n"
        "      api_base: http://box.lan:8000/v1\n      api_key: os.environ/BOX_API_KEY\n"
    )
    assert text(ours, "box") == BOX.replace("\n\nenvironment", f"\n{added}\nenvironment", 1)
    run("validate")


def test_several_models_at_once_and_with_their_prefix(ours: Path, run: Run) -> None:
    run("add-model", "claude", "anthropic/claude-haiku-5-5", "claude-opus-5-5")
    entries = yaml.safe_load(text(ours, "claude"))["model_list"]
    assert [e["litellm_params"] for e in entries[1:]] == [
        {"model": "anthropic/claude-haiku-5-5"},
        {"model": "anthropic/claude-opus-5-5"},
    ]
    assert "# what clients ask for" in text(ours, "claude")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("box", "qwen4", "--alias", "small"), "box offers small already"),
        (("box", "x", "--alias", "claude-sonnet"), "claude offers claude-sonnet already"),
        (("box", "x", "y", "--alias", "z"), "as many --alias"),
        (("claud", "x"), "did you mean claude?"),
        (("box",), "Missing argument"),
        (("box", "a/x", "b/x", "--alias", "q", "--alias", "q"), "two models"),
    ],
)
def test_a_model_that_cannot_be_added_changes_nothing(
    arguments: tuple[str, ...], reason: str, ours: Path, run: Run, snapshot: Snapshot
) -> None:
    before = snapshot(ours)
    assert reason in run("add-model", *arguments, fails=True).stderr
    assert snapshot(ours) == before


FORMS = {
    "brackets": "model_list: [{model_name: a, litellm_params: {model: groq/x}}] # one\n",
    "indented": "model_list:\n    - model_name: a\n      litellm_params:\n        model: groq/x\n",
    "flush": "model_list:\n- {model_name: a, litellm_params: {model: groq/x}} # one\n",
    "last": "model_list:\n  - litellm_params: {model: groq/x}\n    model_name: a",
    "windows": "# our\nmodel_list:\n- model_name: a\n  litellm_params:\n    model: groq/x\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_keeps_its_form(form: str, ours: Path, run: Run) -> None:
    file = ours / "providers" / "odd.yaml"
    old = FORMS[form].replace("\n", "\r\n" if form == "windows" else "\n")
    file.write_bytes(old.encode())
    run("add-model", "odd", "openai/gpt-oss-20b", "--alias", "b")
    after = file.read_bytes().decode()
    entries = yaml.safe_load(after)["model_list"]
    assert entries[1] == {
        "model_name": "b",
        "litellm_params": {"model": "groq/openai/gpt-oss-20b"},
    }
    old = old.rstrip("\r\n")
    kept = [line for line in old.splitlines() if line in after]
    assert form == "brackets" or len(kept) == len(old.splitlines())
    assert after.count("#") == old.count("#")
    assert ("\r\n" in after) == (form == "windows")
    assert after.count("\n") == after.count("\r\n") or form != "windows"


TWO_WAYS = """\
model_list:
  - {model_name: a, litellm_params: {model: azure/x, api_base: https://a.com}}
  - {model_name: b, litellm_params: {model: azure/y, api_base: https://b.com}}
"""
SHARED = "model_list: &a [{model_name: a, litellm_params: {model: groq/x}}]\nother: *a\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (TWO_WAYS, "differ in api_base"),
        (SHARED, "other values too"),
        ("model_list: []\n", "no "),
    ],
)
def test_what_has_no_one_way_is_left_to_a_person(
    content: str, reason: str, ours: Path, run: Run, snapshot: Snapshot
) -> None:
    (ours / "providers" / "odd.yaml").write_text(content)
    before = snapshot(ours)
    assert reason in run("add-model", "odd", "z", fails=True).stderr
    assert snapshot(ours) == before


def test_a_model_is_renamed_wherever_it_is_named(ours: Path, run: Run) -> None:
    done = run("rename", "small", "tiny")
    assert "Clients have to ask for tiny now." in done.stderr
    box = BOX.replace("model_name: small", "model_name: tiny").replace("[small,", "[tiny,")
    assert text(ours, "box") == box
    project = PROJECT.replace("- small # always", "- tiny # always")
    assert (ours / "nixcfg.yaml").read_text() == project
    run("rename", "large", "huge")
    box = box.replace("model_name: large", "model_name: huge").replace("- large:", "- huge:")
    assert text(ours, "box") == box.replace("{big: large}", "{big: huge}")
    run("rename", "big", "giant")
    assert "{giant: huge}" in text(ours, "box")
    run("validate")


ACCESS = """\
model_config: all
database: local
teams:
  large: {models: [large, small]} # the team
users:
  anna: {team: large, models: [large]}
keys:
  models: {team: large, models: [large], aliases: {gpt-4: large}}
  ci:
    models:
      - large # for tests
    model_rpm_limit: {large: 10}
"""


def test_who_may_use_a_model_follows_its_name(ours: Path, run: Run) -> None:
    (ours / "nixcfg.yaml").write_text(ACCESS)
    before = run("validate").stdout
    run("rename", "large", "huge")
    after = ACCESS.replace("models: [large", "models: [huge").replace("- large #", "- huge #")
    after = after.replace("gpt-4: large", "gpt-4: huge").replace("{large: 10", "{huge: 10")
    assert (ours / "nixcfg.yaml").read_text() == after
    assert run("validate").stdout == before.replace("large", "huge")


@pytest.mark.parametrize("name", ["model", "models", "fallbacks", "model_name", "router_settings"])
def test_a_model_may_be_called_like_a_setting(name: str, ours: Path, run: Run) -> None:
    run("rename", "small", name)
    named = BOX.replace("model_name: small", f"model_name: {name}").replace("[small,", f"[{name},")
    assert text(ours, "box") == named
    run("rename", name, "small")
    assert text(ours, "box") == BOX
    assert (ours / "nixcfg.yaml").read_text() == PROJECT


def test_only_names_are_renamed(ours: Path, run: Run) -> None:
    """A model of a vendor, a setting and a provider may be called like what clients ask for."""
    run("rename", "small", "phi4")
    run("rename", "phi4", "openai")
    run("rename", "openai", "temperature")
    assert "model: openai/phi4\n" in text(ours, "box")
    assert "temperature: 0.2" in text(ours, "box")
    run("validate")


def test_a_provider_is_renamed_with_its_file(ours: Path, run: Run) -> None:
    done = run("rename", "box", "cellar")
    assert done.stdout.splitlines() == [
        "create providers/cellar.yaml",
        "update nixcfg.yaml",
        "remove providers/box.yaml",
    ]
    assert text(ours, "cellar") == BOX
    after = PROJECT.replace("[claude, box]", "[claude, cellar]").replace("[box]", "[cellar]")
    assert (ours / "nixcfg.yaml").read_text() == after.replace(
        "model_config: box", "model_config: cellar"
    )
    run("validate")


def test_the_project_is_valid_after_every_step_of_a_rename(ours: Path) -> None:
    import datetime as dt

    day = dt.date(2026, 11, 23)
    amendment = rename_provider(read_project(ours), "box", "cellar", day)
    for change in plan(ours, amendment.texts):
        target = ours / change.path
        target.write_bytes(change.new) if change.new is not None else target.unlink()
        report = check.validate(read_project(ours), day)
        assert report.is_valid, [problem.message for problem in report.problems]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("smal", "x"), "Did you mean small?"),
        (("nothing-like-it", "x"), "There are"),
        (("cluade", "x"), "Did you mean claude?"),
        (("small", "large"), "offers large already"),
        (("small", "a*"), "cannot be the name"),
        (("small", " "), "cannot be the name"),
        (("box", "claude"), "exists already"),
        (("box", "both"), "is a profile"),
        (("box", "all"), "is built in"),
        (("box", "../x"), "cannot be a name"),
        (("box", "x", "--model"), "no model is called box"),
        (("small", "x", "--provider"), "there is no providers/small.yaml"),
    ],
)
def test_what_cannot_be_renamed_changes_nothing(
    arguments: tuple[str, ...], reason: str, ours: Path, run: Run, snapshot: Snapshot
) -> None:
    before = snapshot(ours)
    assert reason in run("rename", *arguments, fails=True).stderr
    assert snapshot(ours) == before


def test_a_name_of_both_has_to_be_told_apart(ours: Path, run: Run, snapshot: Snapshot) -> None:
    run("rename", "small", "box", "--model")
    before = snapshot(ours)
    assert "add --provider or --model" in run("rename", "box", "x", fails=True).stderr
    assert snapshot(ours) == before
    run("rename", "box", "cellar", "--provider")
    assert "model_name: box" in text(ours, "cellar")


def test_use_makes_a_profile_by_command(ours: Path, run: Run, snapshot: Snapshot) -> None:
    before = snapshot(ours)
    assert "--profile NAME" in run("use", "box", "claude", fails=True).stderr
    assert "there is no provider nope" in run("use", "box", "nope", fails=True).stderr
    assert "is box; choose another" in run(
        "use", "claude", "box", "--profile", "alone", fails=True
    ).stderr.replace("the profile alone ", "")
    assert snapshot(ours) == before
    run("use", "claude", "box")  # as `both` has them
    run("use", "box", "claude", "--profile", "turned")
    after = PROJECT.replace("model_config: both #", "model_config: turned #")
    assert (ours / "nixcfg.yaml").read_text() == after.replace(
        "  alone: [box]\n", "  alone: [box]\n  turned: [box, claude]\n"
    )


def test_next_says_what_the_container_does_not_load(ours: Path, run: Run) -> None:
    done = run("add-provider", "groq")
    assert "nixcfg use all   (the container loads both, without groq)" not in done.stderr
    assert "nixcfg use all --host alpha" in done.stderr
    (ours / "nixcfg.yaml").write_text("model_config: claude\n")
    done = run("add-provider", "mistral")
    assert "nixcfg use all   (the container loads claude, without mistral)" in done.stderr
