"""docs/nixcfg-yaml.md is what the schema says."""

import json

import tool
from program import ROOT

PAGE = tool.load("project_page")


def test_the_page_is_the_one_that_the_schema_gives():
    written = (ROOT / "docs" / "nixcfg-yaml.md").read_text(encoding="utf-8")
    assert written == PAGE.page(), "run python tools/project_page.py"


def test_every_key_has_a_row_that_says_what_it_does():
    schema = json.loads(PAGE.SCHEMA.read_text(encoding="utf-8"))
    rows = {
        cells[1].strip(): cells[-2].strip()
        for cells in (line.split("|") for line in PAGE.page().splitlines() if line[:3] == "| `")
    }
    assert all(rows[f"`{key}`"] for key in schema["properties"])
    assert rows["`secrets.NAME.optional`"]
