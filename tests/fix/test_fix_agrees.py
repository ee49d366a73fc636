"""`nixcfg validate` promises what `nixcfg fix` then does."""

import re
import shutil
from pathlib import Path

import pytest

from program import HERE, Run

PROJECTS = sorted(
    path.parent for kind in ("cases", "invalid") for path in (HERE / kind).glob("*/nixcfg.yaml")
)
BEGIN = "model_list:\n- model_name: m\n  litellm_params: {model: openai/gpt-4o}\n"
FILES = {
    "a setting that may not move": f"{BEGIN}litellm_settings: {{routing_strategy: 7}}\n",
    "a typo and a move": f"{BEGIN}litellm_settings: {{routing_stategy: least-busy, port: 3}}\n",
    "the same twice": f"{BEGIN}litellm_settings: &a {{allowed_fails: 1}}\nrouter_settings: *a\n",
    "a wrong provider": BEGIN.replace("openai/", "opnai/"),
    "an alias": "x-a: &a {api_key: '${A_KEY}'}\n" + BEGIN.replace("{model", "{<<: *a, model"),
}


def promised(text: str) -> tuple[int, int]:
    """What validate says that fix fixes, and --unsafe more."""
    last = text.strip().splitlines()[-1]
    safe = re.search(r"`nixcfg fix` fixes (\d+)", last)
    unsafe = re.search(r"--unsafe(?:` would fix)? (\d+)", last)
    return int(safe[1]) if safe else 0, int(unsafe[1]) if unsafe else 0


def done(text: str) -> tuple[int, int]:
    fixed = re.search(r"^(\d+) problems? fixed", text, re.MULTILINE)
    return int(fixed[1]) if fixed else 0, text.count("--unsafe would fix")


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_in_a_project(project: Path, tmp_path: Path, nixcfg: Run) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("expected"))
    said = promised(nixcfg("-C", folder, "validate").stdout)
    assert said == done(nixcfg("-C", folder, "fix").stderr)


@pytest.mark.parametrize("name", FILES)
def test_in_a_file(name: str, tmp_path: Path, nixcfg: Run) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(FILES[name])
    said = promised(nixcfg("validate", file).stdout)
    assert said == done(nixcfg("fix", file).stderr)


def test_what_is_included_is_not_promised(tmp_path: Path, nixcfg: Run) -> None:
    """`fix` looks at an included file, and leaves it as it is."""
    (tmp_path / "config.yaml").write_text("include: [more.yaml]\n" + BEGIN)
    (tmp_path / "more.yaml").write_text("litellm_settings: {routing_strategy: least-busy}\n")
    said = promised(nixcfg("validate", tmp_path / "config.yaml").stdout)
    assert said == done(nixcfg("fix", tmp_path / "config.yaml").stderr) == (0, 0)
