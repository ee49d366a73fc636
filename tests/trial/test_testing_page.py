"""What docs/testing.md shows: its cases pass, and a failure is printed as it says."""

import json
import re
from pathlib import Path

import pytest
from tested import broken, copy, run

from program import ROOT

pytest.importorskip("litellm", reason="LiteLLM is not installed: pip install 'nixcfg[proxy]'")
pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "testing.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(cases:\n.*?)```", PAGE, re.DOTALL)
FAILED = re.findall(r"```\n(tests/.*?)\n```", PAGE, re.DOTALL)


def test_the_first_example_passes_and_fails_as_shown(tmp_path: Path):
    project = copy("project", tmp_path / "right")
    (project / "tests" / "routing.yaml").write_text(EXAMPLES[0])
    done = run(project, "tests/routing.yaml")
    assert done.returncode == 0, done.stdout
    wrong = {"no fallback": ("openai", "[{gpt: [claude]}]", "[]")}
    project = broken("project", tmp_path / "wrong", wrong)
    (project / "tests" / "routing.yaml").write_text(EXAMPLES[0])
    done = run(project, "tests/routing.yaml")
    assert done.returncode == 1
    (shown,) = FAILED
    assert shown in done.stdout


def test_all_other_examples_pass(tmp_path: Path):
    project = copy("limits", tmp_path)
    others = EXAMPLES[1:]
    assert len(others) >= 2
    files = [f"tests/example-{number}.yaml" for number, _ in enumerate(others)]
    for file, text in zip(files, others, strict=True):
        (project / file).write_text(text)
    done = run(project, *files)
    assert done.returncode == 0, done.stdout


def test_each_key_is_explained():
    schema = json.loads((ROOT / "nixcfg" / "schema" / "case.schema.json").read_text())
    keys = {key for each in schema["$defs"].values() for key in each.get("properties", {})}
    steps = schema["$defs"]["case"]["properties"]["steps"]["items"]["properties"]
    missing = {key for key in {*keys, *steps} if f"`{key}`" not in PAGE and f"`{key}:" not in PAGE}
    assert missing - {"case", "name", "vendors", "request", "expect"} == set()
