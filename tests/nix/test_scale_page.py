"""The Nix blocks of docs/scale.md: each evaluates, with nothing to complain of."""

import re
from pathlib import Path

import pytest
from evaluation import Case, evaluate

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
SECTIONS = re.findall(
    r"^## (A database|Redis|Several instances|Metrics)\n(.*?)(?=^## |\Z)",
    PAGE.read_text(),
    re.MULTILINE | re.DOTALL,
)
DOCUMENTED = {
    f"{section.split()[-1]}-{number}": block
    for section, text in SECTIONS
    for number, block in enumerate(
        re.findall(r"^```nix\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    )
}


@pytest.fixture(scope="module")
def evaluated(nix, tmp_path_factory) -> dict[str, Case]:
    """Every case of this file, evaluated."""
    cases = {name: [text.strip()[1:-1]] for name, text in DOCUMENTED.items()}
    return evaluate(nix, tmp_path_factory.mktemp("page"), cases)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documentation_shows_what_works(evaluated, name):
    assert evaluated[name]["assertions"] == []
    assert evaluated[name]["warnings"] == []


def test_documentation_shows_every_kind():
    assert {name.split("-")[0] for name in DOCUMENTED} == {
        "database",
        "Redis",
        "instances",
        "Metrics",
    }
