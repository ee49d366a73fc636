"""Each cell of docs/validators.md, of nixcfg and of the real LiteLLM."""

from importlib.metadata import version
from pathlib import Path

import pytest
from rules_support import Oracle

from tool import load

TOOL = load("compare_validators")


def cells() -> dict[str, list[str]]:
    """The row of each mistake, by what it says the mistake is."""
    text = TOOL.PAGE.read_text(encoding="utf-8").partition("| Mistake |")[2]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]
    return {row[0]: row[1:] for row in rows}


def what(file: Path) -> str:
    return str(file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").rstrip("."))


def test_the_clean_file_is_clean():
    assert TOOL.problems(TOOL.PLANTED / "clean.yaml") == []


def test_every_file_has_its_row():
    assert sorted(cells()) == sorted(map(what, TOOL.files()))


@pytest.mark.parametrize("file", TOOL.files(), ids=lambda file: file.stem)
def test_the_cell_of_nixcfg(file: Path):
    found = ", ".join(TOOL.codes(file)) or "nothing"
    assert cells()[what(file)][0] == found, "run python tools/compare_validators.py"


@pytest.mark.oracle
def test_the_page_is_what_litellm_does(oracle: type[Oracle]):
    assert oracle
    text = TOOL.PAGE.read_text(encoding="utf-8")
    assert text == TOOL.page(list(TOOL.rows()), version("litellm"))
    (clean,) = TOOL.asked([TOOL.PLANTED / "clean.yaml"])
    assert TOOL.does(clean) == "starts"
