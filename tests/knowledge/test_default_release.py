"""Every place that names the default release names the one whose set is stored in full."""

from nixcfg import knowledge
from nixcfg.project import wiring
from tool import load


def test_every_place_names_the_default_release():
    assert list(load("follow").stale(knowledge.LITELLM_VERSION)) == []
    assert f"ghcr.io/berriai/litellm:v{knowledge.LITELLM_VERSION}" == wiring.DEFAULT_IMAGE


def test_the_page_about_all_sets_is_what_they_say():
    program = load("write_catalogues")
    assert program.PAGE.read_text(encoding="utf-8") == program.page()
