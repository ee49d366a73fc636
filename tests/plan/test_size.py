"""What so many users need: `nixcfg plan --users`, and its other name, `nixcfg size`."""

import json
from pathlib import Path

import pytest
import yaml

from nixcfg.plan.measured import measured
from nixcfg.plan.size import FULL, BadAnswerError, Carried, busiest, carried, size
from program import ROOT, Run

WORKER = Carried("what people ask", 20.0, 340.0)
MODEL = "model_list:\n  - {model_name: gpt, litellm_params: {model: openai/gpt-4o}}\n"


def _answer(kind: str, result: object) -> str:
    """As Prometheus' HTTP API gives it (prometheus.io, HTTP API, expression query results)."""
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


@pytest.fixture
def project(tmp_path: Path):
    def make(text: str = "") -> Path:
        folder = tmp_path / "gateway"
        (folder / "providers").mkdir(parents=True, exist_ok=True)
        (folder / "providers" / "openai.yaml").write_text(MODEL)
        (folder / "nixcfg.yaml").write_text(f"model_config: all\n{text}")
        return folder

    return make


@pytest.mark.parametrize("database", [True, False])
@pytest.mark.parametrize("rate", [0.1, 9.9, 10, 10.1, 79, 81, 500, 5000])
def test_one_of_several_may_restart_and_the_others_carry_all(rate: float, database: bool) -> None:
    wanted = size(rate, WORKER, database=database)
    assert wanted.cores * WORKER.rate * FULL >= rate
    if wanted.instances > 1:
        left = (wanted.instances - 1) * wanted.workers
        assert left * WORKER.rate >= rate
    assert (wanted.instances - 1) * wanted.workers * WORKER.rate * FULL < rate
    assert wanted.memory == wanted.cores * WORKER.memory
    assert wanted.connections == wanted.cores * 10 * database


def test_the_measurement_has_what_is_typical() -> None:
    for database in (True, False):
        worker = carried(measured(), database=database)
        assert 1 < worker.rate < 1000
        assert 100 < worker.memory < 2000


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("8", 8),
        ("0.5\n", 0.5),
        (_answer("scalar", [1764400000.0, "12.5"]), 12.5),
        (_answer("vector", [{"metric": {}, "value": [1, "3"]}]), 3),
        (_answer("vector", [{"value": [1, "3"]}, {"value": [1, "4"]}]), 7),
        (_answer("matrix", [{"values": [[1, "3"], [2, "9"]]}, {"values": [[1, "4"]]}]), 9),
    ],
)
def test_requests_are_a_number_or_what_prometheus_answers(text: str, rate: float) -> None:
    assert busiest(text) == rate


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "neither a number nor"),
        ("eight", "neither a number nor"),
        ("0", "not a number above 0"),
        ("-3", "not a number above 0"),
        ("NaN", "not a number above 0"),
        ("true", "not the form"),
        ("[1, 2]", "not the form"),
        (_answer("vector", []), "found nothing"),
        (_answer("vector", [{"value": [1, "NaN"]}]), "not a number above 0"),
        (_answer("vector", [{"metric": {}}]), "not the form"),
        (json.dumps({"status": "error", "error": "parse error"}), "parse error"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(BadAnswerError, match=said):
        busiest(text)


def test_the_lines_for_it_are_those_that_nixcfg_yaml_lacks(project, nixcfg: Run) -> None:
    folder = project()
    asked = ("-C", str(folder), "plan", "--users", "5000")
    shown = nixcfg(*asked)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.partition("In nixcfg.yaml:\n")[2]
    said = yaml.safe_load(lines)
    assert said["instances"] > 1
    assert said["redis"] == "local"
    project(lines.replace("  ", ""))
    again = nixcfg(*asked)
    assert "nixcfg.yaml has that." in again.stdout
    assert again.stdout.partition("In nixcfg.yaml:")[0].startswith(shown.stdout.partition("In ")[0])


def test_the_page_shows_what_is_printed(project, nixcfg: Run) -> None:
    page = (ROOT / "docs" / "scale.md").read_text()
    asked, _, shown = page.partition("$ nixcfg ")[2].partition("\n```")[0].partition("\n")
    folder = project("database: local\n")
    assert nixcfg("-C", str(folder), *asked.split()).stdout == f"{shown}\n"


def test_more_than_a_machine_is_said(project, nixcfg: Run) -> None:
    shown = nixcfg("-C", str(project()), "size", "--requests", "5000")
    assert "several machines" in shown.stderr


def test_a_few_users_need_one_instance_and_hear_what_it_loses(project, nixcfg: Run) -> None:
    shown = nixcfg("-C", str(project()), "size", "--users", "3")
    assert "1, with 1 worker\n" in shown.stdout
    assert "nixcfg.yaml has that." in shown.stdout
    assert "instances: 2" in shown.stderr
    assert "to PostgreSQL" not in shown.stdout


def test_with_a_database_connections_are_counted(project, nixcfg: Run) -> None:
    folder = project("database: local\nredis: local\n")
    data = json.loads(nixcfg("-C", str(folder), "size", "--requests", "40", "--json").stdout)
    assert data["connections"] == 10 * data["cores"] > 0
    assert data["cores"] == data["instances"] * data["workers"]
    assert data["by"]["what"] == measured()["typical"]["database"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["size"], "say how much is asked"),
        (["plan", "--users", "5", "--requests", "5"], "choose one"),
        (["plan", "--users", "0"], "--users"),
        (["plan", "--requests", "many"], "neither a number nor"),
        (["plan", "--requests", ""], "'': it is neither a number nor"),
    ],
)
def test_wrong_usage_is_said(project, arguments: list[str], said: str, nixcfg: Run) -> None:
    done = nixcfg("-C", str(project()), *arguments)
    assert done.returncode == 2
    assert said in done.stderr
