"""Files that are not what a command is for, and YAML that breaks off: where it says it began."""

import json
import shutil
from pathlib import Path

import pytest

from nixcfg.yamltext import reader
from program import HERE, Run

CONFIG = "model_list:\n- model_name: m\n  litellm_params: {model: openai/gpt-4o}\n"
COMPOSE = "services:\n  litellm:\n    image: ghcr.io/berriai/litellm:v1.106.2\n"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('a: 1\nb: "x\nc: 3\nd: 4\n', 2, 4),
        ("a: 1\nb: 'x\nc: 3\n", 2, 4),
        ('b: "x\nc: "y"\n', 1, 4),
        ("b: 'x\nc: it's\n", 1, 4),
        ('b: "x\n---\nc: y"\n', 1, 4),
        ('a:\n- "one\n- two\n', 2, 3),
        ('a: {b: "c}\n', 1, 8),
        ("a: [1, 2\nb: 3\n", 1, 4),
        ("a:\n- {b: [1]\nc: 3\n", 2, 3),
        ("a: [\n", 1, 4),
        ("a: {b: {c: 1}\n", 1, 4),
    ],
)
def test_what_is_not_closed_is_named_where_it_opens(text: str, line: int, column: int) -> None:
    (problem,) = reader.parse(text, "config.yaml").problems
    assert problem.code == "NX003"
    assert (problem.span.line, problem.span.column) == (line, column)
    assert "opens here" in problem.message
    assert problem.line_text


@pytest.mark.parametrize(
    "text", ['a: "x\n  y"\nb: 1\n   c: 2\n', "a: [1,\n  2]\nb: 1\n   c: 2\n", "a: b: c\n"]
)
def test_other_mistakes_are_where_they_are(text: str) -> None:
    (problem,) = reader.parse(text, "config.yaml").problems
    assert "opens here" not in problem.message
    assert problem.span.line == text.count("\n")


def test_an_unclosed_key_is_not_shown(tmp_path: Path, nixcfg: Run) -> None:
    secret = "sk-proj-" + "aB3" * 20
    (tmp_path / "config.yaml").write_text(f'{CONFIG}  api_key: "{secret}\n')
    done = nixcfg("validate", "config.yaml", cwd=tmp_path)
    assert "config.yaml:4:12" in done.stdout
    assert secret not in done.stdout


@pytest.mark.parametrize(("name", "text"), [("compose.yaml", COMPOSE), ("docker.nix", "{ }\n")])
@pytest.mark.parametrize("command", ["validate", "fix"])
def test_what_import_reads_leads_there(
    name: str, text: str, command: str, tmp_path: Path, nixcfg: Run
) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = nixcfg(command, name, "config.yaml", cwd=tmp_path)
    shown = done.stdout + done.stderr
    assert done.returncode == 1
    assert f"{name}:1:1: error[NX016]" in shown
    assert "nixcfg import" in shown
    assert "NX401" not in shown
    assert (tmp_path / name).read_text() == text


def test_a_folder_is_looked_into(tmp_path: Path, nixcfg: Run) -> None:
    (tmp_path / "one.yaml").write_text(CONFIG.replace("openai/", "opnai/"))
    (tmp_path / "two.yml").write_text(CONFIG)
    (tmp_path / "broken.yaml").write_text("a: [\n")
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / ".draft.yaml").write_text("model_list: 3\n")
    found = json.loads(nixcfg("validate", tmp_path, "--format", "json", cwd=tmp_path).stdout)
    assert {each["file"] for each in found["problems"] if each["severity"] == "error"} <= {
        str(tmp_path / "one.yaml"),
        str(tmp_path / "broken.yaml"),
    }
    assert found["files"] == 3
    assert nixcfg("fix", ".", "--unsafe", cwd=tmp_path).returncode == 1
    assert "openai/gpt-4o" in (tmp_path / "one.yaml").read_text()


@pytest.mark.parametrize("folder", [".", "providers"])
def test_a_folder_of_a_project_is_checked_as_part_of_it(
    folder: str, tmp_path: Path, nixcfg: Run
) -> None:
    shutil.copytree(HERE / "cases" / "original", tmp_path / "project")
    done = nixcfg("validate", folder, "--format", "json", cwd=tmp_path / "project")
    found = {each["file"] for each in json.loads(done.stdout)["problems"]}
    assert found == {"providers/claude.yaml", "providers/gemini.yaml", "providers/openai.yaml"}


def test_a_folder_with_nothing_in_it_is_reported_as_one(tmp_path: Path, nixcfg: Run) -> None:
    (tmp_path / "notes.yaml").write_text("a: 1\n")
    done = nixcfg("validate", tmp_path)
    assert done.returncode == 1
    assert "NX001" in done.stdout
    assert "name one that is in it" in done.stdout


@pytest.mark.parametrize("command", ["import", "validate"])
def test_a_file_that_is_missing_is_called_so(command: str, tmp_path: Path, nixcfg: Run) -> None:
    """And no project is offered in its place."""
    done = nixcfg(command, "missing.yaml", cwd=tmp_path)
    printed = done.stdout + done.stderr
    assert done.returncode == 1
    assert "missing.yaml:1:1: error[NX001]: cannot be read: no such file or directory" in printed
    assert "Check its name and its folder" in printed
    assert "nixcfg init" not in printed


def test_who_asks_without_a_gateway_hears_of_the_mock(tmp_path: Path, nixcfg: Run) -> None:
    shutil.copytree(HERE / "cases" / "minimal", tmp_path / "project")
    options = ("--key-file", tmp_path / "no-key")
    done = nixcfg("-C", tmp_path / "project", "ask", "Hello", *options)
    assert done.returncode == 1
    assert "no-key is missing" in done.stderr
    assert "Without a gateway: nixcfg ask --mock" in done.stderr
