"""What is told, in every format: valid against its schema, stable, and without any key."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rules_support import by_itself, in_project, write

from nixcfg.keys.mask import masked
from nixcfg.problems import FORMATS, pages, report
from nixcfg.problems.plain import as_github, as_json
from nixcfg.problems.problem import Problem, Severity, Span
from nixcfg.problems.sarif import as_sarif
from nixcfg.problems.text import as_text
from nixcfg.rules import registry
from program import Run

HERE = Path(__file__).parent
KEY = "sk-proj-Abcdefghij0123456789klmnopqrst"
PROVIDER = f"""\
model_list:
  - model_name: a
    litellm_params: {{model: openai/gpt-4o, api_key: {KEY}, aip_key: {KEY}}}
  - model_name: a
    litellm_params: {{model: openai/gpt-4o, api_key: {KEY}, api_base: "http://u:{KEY}@h/v1"}}
  - model_name: b
    litellm_params:
      model: {KEY}
      api_key: [{KEY}]
      password: "{KEY} os.environ/X"
environment_variables:
  TOKEN: {KEY}
  OTHER_SECRET: short-one
litellm_settings:
  routing_strategy: least-busy
  api_key: {KEY}
general_settings:
  master_key: {KEY}
  master_key: hunter2-hunter2
  database_url: "postgresql://user:{KEY}@host/db"
router_settings:
  redis_password: {KEY}
"""
PROJECT = {"nixcfg.yaml": "model_config: all\n", "providers/a b.yaml": "x: 1\n"}

JSON_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["files", "problems"],
    "additionalProperties": False,
    "properties": {
        "files": {"type": "integer", "minimum": 0},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "severity", "file", "line", "column", "message", "help"],
                "additionalProperties": False,
                "properties": {
                    "code": {"type": "string", "pattern": "^NX[0-9]{3}$"},
                    "severity": {"enum": ["error", "warning", "note"]},
                    "file": {"type": "string"},
                    "line": {"type": "integer", "minimum": 1},
                    "column": {"type": "integer", "minimum": 1},
                    "message": {"type": "string", "minLength": 1},
                    "help": {"type": "string"},
                },
            },
        },
    },
}


def every_problem(folder: Path) -> list[Problem]:
    """The findings of all bad examples, under odd file names too."""
    found: list[Problem] = []
    for number, rule in enumerate(registry.RULES.values()):
        bad = pages.read(rule.code).bad
        files = {"config.yaml": bad} if isinstance(bad, str) else bad
        check = in_project if "nixcfg.yaml" in files else by_itself
        found += check(folder / str(number), files).problems
    odd = Problem(registry.RULES["NX001"], "ä b/%,:\n\udce9.yaml", Span(1, 1), "odd, % : \r\n name")
    return [*found, odd]


def test_sarif_is_valid(tmp_path: Path):
    problems = every_problem(tmp_path)
    told = json.loads(as_sarif(problems))
    schema = json.loads((HERE / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(told)
    [run] = told["runs"]
    listed = run["tool"]["driver"]["rules"]
    assert {rule["id"] for rule in listed} == set(registry.RULES)
    assert len(run["results"]) == len(problems)
    for result, problem in zip(run["results"], problems, strict=True):
        assert listed[result["ruleIndex"]]["id"] == result["ruleId"] == problem.code
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["endColumn"] - region["startColumn"] == problem.span.length


def test_json_is_valid(tmp_path: Path):
    told = json.loads(as_json(every_problem(tmp_path), 7))
    jsonschema.Draft202012Validator(JSON_SCHEMA).validate(told)
    assert told["files"] == 7


def test_workflow_commands_are_one_line_each(tmp_path: Path):
    problems = every_problem(tmp_path)
    lines = as_github(problems).split("\n")
    assert len(lines) == len(problems)
    for line, problem in zip(lines, problems, strict=True):
        level = "notice" if problem.severity is Severity.NOTE else problem.severity
        assert line.startswith(f"::{level} file=")
        assert f",line={problem.span.line},col={problem.span.column}," in line
    assert "file=ä b/%25%2C%3A%0A\udce9.yaml," in lines[-1]
    assert lines[-1].endswith("::odd, %25 : %0D%0A name")


@pytest.mark.parametrize("form", FORMATS)
def test_no_key_is_in_any_output(form: str, tmp_path: Path):
    for check, files in (
        (in_project, {"nixcfg.yaml": "model_config: all\n", "providers/a.yaml": PROVIDER}),
        (by_itself, {"config.yaml": PROVIDER}),
    ):
        told = check(tmp_path / check.__name__, files)
        assert len({p.code for p in told.problems}) > 6
        text = report(form, told.problems, told.files)
        for secret in (KEY, KEY[8:30], "hunter2", "short-one"):
            assert secret not in text, (check.__name__, form)


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("api_key: abc", "abc"),
        ('  "api_key": "two words",', "two words"),
        ("{model: x, api_key: 'it}'}", "it}"),
        ("password = hunter2 # mine", "hunter2"),
        ("redis_password: 12345", "12345"),
        ("Authorization: Bearer abcdefghij", "abcdefghij"),
        ("url: postgresql://user:pa-ss@host/db", "pa-ss"),
        ("- sk-ant-api03-aaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaa"),
        ("- AIzaSyA1234567890abcdefghijk", "SyA1234567890abcdefghijk"),
        ("value: 0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
    ],
)
def test_what_may_be_a_key_is_masked(line: str, hidden: str):
    text = masked(line, source=True)
    assert hidden not in text
    assert len(text) == len(line)


@pytest.mark.parametrize(
    "line",
    [
        "api_key: os.environ/OPENAI_API_KEY",
        "OPENAI_API_KEY: ${OPENAI_API_KEY}",
        "api_key: none",
        "OPENAI_API_KEY: /etc/nixcfg/secrets/openai.txt",
        "KEY: config.sops.secrets.key.path",
        "max_tokens: 4096",
        "model: meta-llama/Llama-3.3-70B-Instruct-Turbo-Free",
        "image: ghcr.io/berriai/litellm@sha256:0123456789abcdef0123456789abcdef",
        "master_key_file: /run/key",
        "credential_name: team",
    ],
)
def test_what_is_no_key_is_shown(line: str):
    assert masked(line, source=True) == line


def test_carets_stand_under_wide_characters(tmp_path: Path):
    text = 'model_list:\n  - {model_name: "漢字é", litellm_params: {model: antropic/x}}\n'
    told = by_itself(tmp_path, {"config.yaml": text})
    [problem] = [p for p in told.problems if p.code == "NX402"]
    shown = as_text([problem], 1).split("\n")
    # Two wide characters take four cells, so the caret stands two further right.
    assert shown[2].index("^") == shown[1].index("antropic") + 2
    assert shown[2].count("^") == len("antropic/x")


def test_order_is_by_file_and_place(tmp_path: Path):
    files = {
        "nixcfg.yaml": "model_config: all\n",
        **{f"providers/{name}.yaml": PROVIDER for name in "cab"},
    }
    told = in_project(tmp_path, files).problems
    assert list(told) == sorted(told, key=Problem.sort_key)
    assert [p.file for p in told] == sorted(p.file for p in told)


def test_command_line(nixcfg: Run, tmp_path: Path):
    warns = "litellm_settings: {drop_parms: true}\ngeneral_settings: {master_key: os.environ/K}\n"
    model = "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n"
    write(tmp_path, {"warns.yaml": model + warns, "fails.yaml": "model_list: 1\n"})
    assert nixcfg("-C", tmp_path, "validate", "warns.yaml").returncode == 0
    assert nixcfg("-C", tmp_path, "validate", "--strict", "warns.yaml").returncode == 1
    both = nixcfg("-C", tmp_path, "validate", "--format", "json", "warns.yaml", "fails.yaml")
    assert both.returncode == 1
    told = json.loads(both.stdout)
    assert told["files"] == 2
    assert {p["file"] for p in told["problems"]} == {"warns.yaml", "fails.yaml"}
    assert both.stderr == ""
    missing = nixcfg("-C", tmp_path, "validate", "absent.yaml")
    assert missing.returncode == 1
    assert "absent.yaml:1:1: error[NX001]" in missing.stdout


def test_files_of_a_project_are_checked_as_such(nixcfg: Run, tmp_path: Path):
    declares = (
        "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n"
        "environment_variables: {OPENAI_API_KEY: '${OPENAI_API_KEY}'}\n"
    )
    write(tmp_path, {"nixcfg.yaml": "port: 0\n", "providers/a.yaml": declares})
    fine = nixcfg("validate", tmp_path / "providers" / "a.yaml")
    assert fine.returncode == 0, fine.stdout
    assert "no problems" in fine.stdout
    assert nixcfg("validate", tmp_path / "nixcfg.yaml").returncode == 1


def test_explain(nixcfg: Run):
    listed = nixcfg("explain")
    assert listed.returncode == 0
    assert [line[:5] for line in listed.stdout.splitlines()] == list(registry.RULES)
    one = nixcfg("explain", "nx201")
    assert one.returncode == 0
    assert one.stdout.startswith("NX201: ")
    assert "least-busy" in one.stdout
    wrong = nixcfg("explain", "NX999")
    assert wrong.returncode == 2
    assert "NX999" in wrong.stderr
