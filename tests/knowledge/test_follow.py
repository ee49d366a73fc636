"""tools/follow.py by its parts: what it rewrites, what it misses, what it leaves to a person."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from nixcfg import knowledge
from program import ROOT
from tool import load

follow = load("follow")
NOW, NEXT = knowledge.LITELLM_VERSION, "9.8.7"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the program rewrites, and those that are made of them, in another place."""
    for name in ("pyproject.toml", "CHANGELOG.md", *follow.WRITTEN, *follow.MADE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(follow, "ROOT", tmp_path)
    return tmp_path


def test_every_place_that_is_written_by_hand_is_renamed(clone: Path):
    follow.rename(NOW, NEXT, ["uvicorn<1", "litellm-enterprise==0.1.83.post1"])
    left = {line.partition(":")[0] for line in follow.stale(NEXT)}
    assert left == set(follow.MADE)
    project = (clone / "pyproject.toml").read_text()
    wanted = [f"litellm=={NEXT}", "uvicorn<1", "litellm-enterprise==0.1.83.*"]
    extra = "".join(f"  {json.dumps(each)},\n" for each in wanted)
    assert f"proxy = [\n{extra}]\n" in project
    assert (
        f"- The default image is LiteLLM {NEXT}; it was {NOW}.\n"
        in (clone / "CHANGELOG.md").read_text()
    )


@pytest.mark.parametrize("file", [*follow.WRITTEN, *follow.MADE])
def test_a_place_that_was_forgotten_is_named(clone: Path, file: str):
    assert list(follow.stale(NOW)) == []
    path = clone / file
    text = path.read_text()
    path.write_text(text.replace(NOW, NEXT, 1))
    (found,) = follow.stale(NOW)
    assert found.startswith(f"{file}: ")


LOG = """# Changelog

## 0.2.0 (unreleased)

- One thing,
  in two lines.
{said}- Another.

## 0.1.0

- The default image is LiteLLM 1.0.0; it was 0.9.0.
"""


@pytest.mark.parametrize("said", ["", "- The default image is LiteLLM 1.1.0, long\n  kept.\n"])
def test_the_changelog_says_it_once(said: str):
    found = follow.noted(LOG.format(said=said), "1.1.0", "1.2.0")
    newest, oldest = found.split("## 0.1.0")
    assert newest.count("default image") == 1
    assert "- The default image is LiteLLM 1.2.0; it was 1.1.0.\n" in newest
    assert "kept" not in newest
    assert "- One thing,\n  in two lines.\n" in newest
    assert oldest == LOG.split("## 0.1.0")[1]


@pytest.mark.parametrize(
    ("release", "older"), [("1.109.5", "1.108.14"), ("1.108.9", "1.108.7"), ("1.0.0", "1.104.9")]
)
def test_the_set_that_a_new_one_is_held_against(release: str, older: str):
    known = ["1.110.2", "1.104.9", "1.108.14", "1.108.7"]
    assert follow.nearest_older(release, known) == older


def test_a_stored_set_is_unpacked_as_it_was_given(tmp_path: Path):
    whole = follow.store_knowledge.stored()[NOW]
    follow.unpack(whole, tmp_path / "set")
    assert follow.store_knowledge.given(tmp_path / "set") == whole


def test_what_a_person_decides():
    before: dict[str, Any] = follow.store_knowledge.stored()[NOW]
    assert list(follow.decisions(before, before)) == []
    after = copy.deepcopy(before)
    after["behaviour"]["fallback_text"] = "odd"
    after["refused"]["refused"]["router_settings"]["brand_new"] = ["text"]
    after["litellm"]["sections"]["router_settings"]["keys"]["brand_new"] = {"type": "int"}
    found = list(follow.decisions(before, after))
    assert len(found) == 3
    assert found[0].startswith("fallback_text was stops and is odd: do the rules")
    assert "router_settings: values of brand_new now stop LiteLLM" in found
    assert "router_settings: describe brand_new in nixcfg/knowledge/descriptions.json" in found


def test_every_program_that_it_runs_is_there():
    named = [word for step in (*follow.REMAKE, *follow.PAGES) for word in step if "/" in word]
    named += [f"tools/{each}.py" for each in follow.MEASURE] + list(follow.SETS)
    assert [each for each in named if not (ROOT / each).exists()] == []
