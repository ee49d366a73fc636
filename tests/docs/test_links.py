"""Every link of a page to a file leads to one."""

import re
from pathlib import Path

import pytest

from program import ROOT

PAGES = [ROOT / "llms.txt", *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
_LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    lost = [
        link
        for link in _LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert not lost


def test_every_page_is_in_the_index_for_people_and_in_the_one_for_programs() -> None:
    for index in (ROOT / "docs" / "index.md", ROOT / "llms.txt"):
        named = {(index.parent / link).resolve() for link in _LINK.findall(index.read_text())}
        missing = {
            page.name for page in (ROOT / "docs").glob("*.md") if page.resolve() not in named
        } - {"index.md", "adding-a-rule.md", "corpus.md", "coverage.md"}
        assert not missing, index
