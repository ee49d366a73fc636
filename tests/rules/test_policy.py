"""Ignore comments, severities of a project, and what LiteLLM files alone bring with them."""

import json
from pathlib import Path

import pytest
from rules_support import by_itself, in_project

from nixcfg import rules
from nixcfg.problems.problem import Severity

MODEL = "model_list:\n  - model_name: a\n    litellm_params: {model: openai/gpt-4o}\n"
MASTER = "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n"


def codes(report: object) -> list[str]:
    return [problem.code for problem in report.problems]  # type: ignore[attr-defined]


def project_of(text: str, own: str = "model_config: all\n") -> dict[str, str]:
    return {"nixcfg.yaml": own, "providers/a.yaml": text}


@pytest.mark.parametrize(
    "comment",
    [
        "# nixcfg: ignore NX203",
        "#nixcfg:ignore NX203",
        "# nixcfg: ignore NX411, NX203",
        "# nixcfg: ignore nx203 NX411",
        "# a reason; # nixcfg: ignore NX203",
    ],
)
def test_a_comment_silences_its_line(comment: str, tmp_path: Path):
    text = f"{MODEL}litellm_settings:\n  drop_parms: true  {comment}\n  drop_prams: true\n"
    found = in_project(tmp_path, project_of(text))
    assert [(p.code, p.span.line) for p in found.problems if p.code == "NX203"] == [("NX203", 6)]
    needless = [p for p in found.problems if p.code == "NX013"]
    assert len(needless) == ("411" in comment)
    assert codes(by_itself(tmp_path / "alone", {"config.yaml": text})).count("NX203") == 1


def test_a_comment_in_a_value_is_none(tmp_path: Path):
    text = MODEL + 'litellm_settings:\n  drop_parms: "x#nixcfg: ignore NX203"\n'
    assert "NX203" in codes(in_project(tmp_path, project_of(text)))


def test_what_leaves_nothing_to_render_cannot_be_ignored(tmp_path: Path):
    text = "model_list: 1  # nixcfg: ignore NX103\n"
    found = in_project(tmp_path / "project", project_of(text))
    assert "NX103" in codes(found)
    assert "NX013" in codes(found)
    assert not found.is_valid
    assert "NX103" not in codes(by_itself(tmp_path / "alone", {"config.yaml": text}))


def test_severities(tmp_path: Path):
    text = f"{MODEL}litellm_settings: {{drop_parms: true}}\n"
    for wanted, expected in (("error", "error"), ("note", "note"), ("'off'", None), ("off", None)):
        own = f"severities: {{NX203: {wanted}}}\n"
        found = in_project(tmp_path / wanted.strip("'"), project_of(text, own))
        assert [p.severity.value for p in found.problems] == ([expected] if expected else [])
        assert found.is_valid is (expected != "error")
        assert (found.project is None) is (expected == "error")


@pytest.mark.parametrize(
    ("own", "code", "column"),
    [
        ("severities: {NX999: off}\n", "NX507", 14),
        ("severities: {NX103: off}\n", "NX507", 14),
        ("severities: {NX507: off}\n", "NX507", 14),
        ("severities: {NX203: loud}\n", "NX104", 21),
        ("severities: {NX203: true}\n", "NX104", 21),
    ],
)
def test_severities_that_cannot_be(own: str, code: str, column: int, tmp_path: Path):
    [problem] = in_project(tmp_path, project_of(MODEL, own)).problems
    assert (problem.code, problem.span.column) == (code, column)
    assert problem.is_error


def test_include_is_followed(tmp_path: Path):
    files = {
        "config.yaml": f"include: [models/a.yaml]\n{MASTER}"
        "router_settings: {fallbacks: [{a: [b]}]}\n",
        "models/a.yaml": f"include: [b.yaml]\n{MODEL}",
        "models/b.yaml": "model_list:\n  - model_name: b\n    litellm_params: {model: nope/x}\n",
    }
    found = by_itself(tmp_path, files)
    assert found.files == 3
    [problem] = found.problems
    assert (problem.code, problem.file) == ("NX402", "models/b.yaml")


def test_include_of_itself_ends(tmp_path: Path):
    found = by_itself(tmp_path, {"config.yaml": f"include: [config.yaml]\n{MODEL}{MASTER}"})
    assert found.files == 1
    assert found.problems == ()


def test_include_that_leads_nowhere(tmp_path: Path):
    text = f"include: [gone.yaml, '', \"a\\0b\", 5]\n{MODEL}{MASTER}"
    found = by_itself(tmp_path, {"config.yaml": text})
    assert "NX014" in codes(found)
    problem = next(p for p in found.problems if p.code == "NX014")
    assert (problem.span.line, problem.span.column) == (1, 11)


def test_custom_code_beside_the_file(tmp_path: Path):
    settings = (
        "master_key: os.environ/K, custom_auth: mine.check, custom_auth_run_common_checks: on"
    )
    text = f"{MODEL}general_settings: {{{settings}}}\n"
    assert codes(by_itself(tmp_path, {"config.yaml": text})) == ["NX217"]
    assert by_itself(tmp_path, {"config.yaml": text, "mine.py": ""}).problems == ()


def test_what_litellm_accepts_is_no_error_alone(tmp_path: Path):
    accepted = [
        MODEL + "router_settings: [a]\n",
        MODEL + "router_settings: {timeout: 1}\nrouter_settings: {timeout: 2}\n",
        "model_list:\n  - model_name: ''\n    litellm_params: {model: openai/gpt-4o}\n",
        "model_list:\n",
        MODEL + "environment_variables: {A-B: 1, C: {x: 1}}\n",
        MODEL + "x-defaults: &d {a: 1}\nshared: &s {b: 1}\n",
    ]
    for number, text in enumerate(accepted):
        found = by_itself(tmp_path / str(number), {"config.yaml": text})
        assert found.is_valid, found.problems


def test_one_mistake_hides_no_other(tmp_path: Path):
    params = "{model: nope/x, rpm: ten, aip_key: d}"
    text = f"model_list:\n  - model_name: 5\n    litellm_params: {params}\n"
    found = set(codes(in_project(tmp_path, project_of(text))))
    assert {"NX103", "NX402", "NX404", "NX403"} <= found


def test_an_alias_tells_a_problem_once(tmp_path: Path):
    text = (
        "model_list:\n  - model_name: a\n    litellm_params: &p {model: openai/gpt-4o, rpm: ten}\n"
        "  - {model_name: b, litellm_params: *p}\n"
    )
    found = codes(in_project(tmp_path, project_of(text)))
    assert found.count("NX404") == 1


def test_schema_and_rules_agree_on_severities():
    schema = json.loads(
        (Path(rules.__file__).parents[1] / "schema" / "project.schema.json").read_text("utf-8")
    )
    words = schema["properties"]["severities"]["additionalProperties"]["enum"]
    assert set(words) == {*Severity, "off", False}
