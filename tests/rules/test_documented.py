"""docs/documented.md, held against the installed LiteLLM."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rules_support import ROOT, Oracle, by_itself

PAGE = (ROOT / "docs" / "documented.md").read_text(encoding="utf-8")
SETTINGS = [
    (name, place)
    for name, place in re.findall(r"(?m)^\| `(\w+)` \| ([\w ]+) \| .+ \|$", PAGE)
    if place in ("litellm_settings", "router_settings", "general_settings", "top level")
]
VARIABLES = re.findall(r"(?m)^\| `(\w+)` \| [^|]+ \|$", PAGE)
VALUES: dict[str, Any] = {
    "allowed_fails": 5,
    "cooldown_time": 60,
    "master_key": "os.environ/LITELLM_MASTER_KEY",
    "database_url": "os.environ/DATABASE_URL",
    "callbacks": ["prometheus"],
    "cache_params": {"type": "local"},
    "default_vertex_config": {"vertex_location": "europe-west4"},
    "default_litellm_params": {"timeout": 5},
    "litellm_jwtauth": {"admin_jwt_scope": "x"},
    "search_tools": [],
    "router_general_settings": {},
}


def text(name: str, place: str) -> str:
    entry = {
        "model_name": "m",
        "litellm_params": {"model": "openai/gpt-4.1", "api_key": "none"},
    }
    value = VALUES.get(name, True)
    given = {name: value} if place == "top level" else {place: {name: value}}
    return json.dumps({"model_list": [entry], **given})


def test_the_tables_are_read():
    assert len(SETTINGS) == 35
    assert len(VARIABLES) == 20


@pytest.mark.parametrize(("name", "place"), SETTINGS)
def test_nixcfg_reports_it(tmp_path: Path, name: str, place: str):
    found = by_itself(tmp_path, {"config.yaml": text(name, place)}).problems
    assert {"NX201", "NX203", "NX205"} & {p.code for p in found}, found


@pytest.mark.oracle
def test_litellm_says_nothing(oracle: type[Oracle]):
    answers = oracle.ask([{"text": text(*each)} for each in SETTINGS])
    for (name, place), answer in zip(SETTINGS, answers, strict=True):
        warned = any(name in line for line in answer["warnings"])  # type: ignore[attr-defined]
        assert answer["error"] is None, (name, answer["error"])
        assert not warned or place in ("router_settings", "top level"), name


@pytest.mark.oracle
def test_no_code_reads_the_variable():
    found = importlib.util.find_spec("litellm")
    if not found or not found.origin:
        pytest.skip("litellm[proxy] is not installed (pip install nixcfg[proxy])")
    packages = Path(found.origin).parents[1]
    words = set()
    for package in ("litellm", "litellm_enterprise", "litellm_proxy_extras"):
        for file in (packages / package).rglob("*.py"):
            words |= set(re.findall(r"\w+", file.read_text(encoding="utf-8")))
    assert words.isdisjoint(VARIABLES)
