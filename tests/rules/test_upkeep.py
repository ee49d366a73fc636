"""What a database keeps, and where a Redis is said to be: in a file alone and in a project."""

from pathlib import Path
from typing import Any

import pytest
from rules_support import Oracle, by_itself, in_project

MODEL = """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o}
"""
PROJECT = "model_config: all\n"


def places(report: Any, code: str) -> list[tuple[str, int]]:
    return [(p.file, p.span.line) for p in report.problems if p.code == code]


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("general_settings: {database_url: os.environ/DATABASE_URL}", 4),
        ("environment_variables: {DATABASE_URL: 'postgresql://db.test/x'}", 4),
        ("general_settings: {database_url: x, disable_spend_logs: true}", 0),
        ("general_settings: {database_url: x, store_model_in_db: true}", 0),
        ("general_settings: {database_url: x, maximum_spend_logs_retention_period: 30d}", 0),
        ("general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}", 0),
    ],
)
def test_rows_that_no_one_deletes(settings: str, line: int, tmp_path: Path):
    report = by_itself(tmp_path, {"config.yaml": f"{MODEL}{settings}\n"})
    assert places(report, "NX231") == ([("config.yaml", line)] if line else [])


@pytest.mark.parametrize(
    ("own", "providers", "line"),
    [
        ("", "", 2),
        ("general_settings: {maximum_spend_logs_retention_period: 30d}\n", "", 0),
        ("", "general_settings: {maximum_spend_logs_retention_period: 30d}\n", 0),
        ("", "litellm_settings: {maximum_spend_logs_retention_period: 30d}\n", 0),
        ("", "general_settings: {store_model_in_db: true}\n", 0),
        ("environment: {STORE_MODEL_IN_DB: 'true'}\n", "", 0),
    ],
)
def test_rows_in_the_database_of_a_project(own: str, providers: str, line: int, tmp_path: Path):
    files = {
        "nixcfg.yaml": f"{PROJECT}database: local\n{own}",
        "providers/a.yaml": MODEL + providers,
    }
    report = in_project(tmp_path, files)
    assert places(report, "NX231") == ([("nixcfg.yaml", line)] if line else [])


URL_IN_VARIABLE = f"""\
{MODEL}environment_variables: {{REDIS_HOST: "redis://redis.test"}}
litellm_settings: {{cache: true}}
"""


def test_a_url_in_the_variable(tmp_path: Path):
    assert places(by_itself(tmp_path, {"config.yaml": URL_IN_VARIABLE}), "NX230") == [
        ("config.yaml", 4)
    ]


@pytest.mark.oracle
def test_the_client_takes_the_variable_for_the_name_of_a_host(oracle: type[Oracle]):
    named = URL_IN_VARIABLE.replace("redis://redis.test", "redis.test")
    answers: list[Any] = [*oracle.ask([{"text": URL_IN_VARIABLE}, {"text": named}])]
    bad, good = answers
    assert "redis://redis.test" in bad["hosts"]
    assert "redis.test" in good["hosts"]


def test_a_url_in_a_variable_of_the_project(tmp_path: Path):
    files = {
        "nixcfg.yaml": f"{PROJECT}environment:\n  CACHE_HOST: redis://redis.test\n",
        "providers/a.yaml": MODEL
        + "litellm_settings:\n  cache: true\n  cache_params:\n    type: redis\n"
        "    host: os.environ/CACHE_HOST\n",
    }
    assert places(in_project(tmp_path, files), "NX230") == [("providers/a.yaml", 8)]
    files["nixcfg.yaml"] = files["nixcfg.yaml"].replace("CACHE_HOST", "REDIS_HOST")
    assert places(in_project(tmp_path / "own", files), "NX230") == [("nixcfg.yaml", 3)]
