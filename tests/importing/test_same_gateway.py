"""Importing and rendering gives the gateway that was there before, as the real LiteLLM sees it."""

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from same import Pair, differences, environment, moved, nixcfg, pair, stand_ins

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SOURCES = HERE / "sources"

Ask = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]

LEAST_WILD = 20
LEAST_SHARE = 0.8


def judged(ask: Ask, pairs: list[Pair]) -> dict[str, list[str]]:
    """What is another after the import, by the source's name; "!" where LiteLLM loads neither."""
    answers = ask([question for each in pairs for question in each.questions])
    result = {}
    for each, before, after in zip(pairs, answers[::2], answers[1::2], strict=True):
        if "error" in before:
            result[each.name] = ["!", before["error"]]
        elif "error" in after:
            result[each.name] = [after["error"]]
        else:
            result[each.name] = differences(each, before, after)
    return result


def original(tmp_path: Path, *files: Path) -> list[Pair]:
    """The original's files imported together: each against the configuration of its name."""
    project = tmp_path / "project"
    code, _, err = nixcfg("import", *files, "--out", project, "--json")
    assert code == 0, err
    code, _, err = nixcfg("-C", project, "render")
    assert code == 0, err
    pairs = []
    for before in sorted((SOURCES / "original" / "configs").glob("*.yaml")):
        after = project / "rendered" / "litellm" / before.name
        env = environment([yaml.safe_load(path.read_text()) for path in (before, after)])
        pairs.append(Pair(before.name, before, after, env, {"notes": []}, moved(project)))
    return pairs


def test_the_original_configurations(ask: Ask, tmp_path: Path):
    pairs = original(tmp_path, *sorted((SOURCES / "original" / "configs").glob("*.yaml")))
    assert judged(ask, pairs) == {"claude.yaml": [], "gemini.yaml": [], "openai.yaml": []}


@pytest.mark.usefixtures("parser")
def test_the_original_docker_nix(ask: Ask, tmp_path: Path):
    """It names one of three configurations, by a variable: all three come along."""
    pairs = original(tmp_path, SOURCES / "original" / "nixos" / "docker.nix")
    assert judged(ask, pairs) == {"claude.yaml": [], "gemini.yaml": [], "openai.yaml": []}
    rendered = (tmp_path / "project" / "rendered" / "docker.nix").read_text()
    for line in (
        'modelConfig = lib.mkDefault "claude";',
        'backend = lib.mkDefault "docker";',
        'image = lib.mkDefault "ghcr.io/berriai/litellm:main-latest";',
        'listenAddress = lib.mkDefault "127.0.0.1";',
        "port = lib.mkDefault 4000;",
        'file = lib.mkDefault "/home/ada/dotfiles/secrets/anthropic_api_key.txt";',
        "workers = lib.mkDefault 2;",
    ):
        assert line in rendered


def test_the_configurations_that_the_original_once_had(ask: Ask, corpus: Path, tmp_path: Path):
    pairs = [pair(file, tmp_path / file.stem) for file in sorted((corpus / "seed").glob("*.yaml"))]
    refused = [each for each in pairs if isinstance(each, str)]
    assert not refused
    result = judged(ask, [each for each in pairs if isinstance(each, Pair)])
    assert result
    assert not {name: wrong for name, wrong in result.items() if wrong}


def test_a_compose_file(ask: Ask, tmp_path: Path):
    """One configuration of several vendors, with keys written out and code beside it."""
    made = pair(SOURCES / "compose" / "litellm" / "config.yaml", tmp_path)
    assert isinstance(made, Pair), made
    assert judged(ask, [made]) == {"config.yaml": []}


def test_public_configurations(ask: Ask, corpus: Path, tmp_path: Path):
    """What LiteLLM loads and nixcfg imports, but for those of which a setting that had no
    effect has one now, and those that need Python code; see `differences`."""
    files = sorted((corpus / "wild").glob("*.yaml"))[::2]  # all of them take half a minute
    made = [pair(file, tmp_path / file.stem) for file in files]
    pairs = [each for each in made if isinstance(each, Pair)]
    result = judged(ask, pairs)
    loaded = {name: wrong for name, wrong in result.items() if wrong[:1] != ["!"]}
    same = [name for name, wrong in loaded.items() if not wrong]
    others = {name: wrong for name, wrong in loaded.items() if wrong}
    assert len(same) >= LEAST_WILD, others
    assert len(same) >= LEAST_SHARE * len(loaded), others
    assert len(pairs) >= LEAST_SHARE * len(files), [each for each in made if isinstance(each, str)]


def test_the_judgement_sees_what_is_different(ask: Ask, tmp_path: Path):
    """A control: every part of it can fail."""
    made = pair(SOURCES / "compose" / "litellm" / "config.yaml", tmp_path)
    assert isinstance(made, Pair), made
    before, after = ask(made.questions)
    for part, key in (("router", "routing_strategy"), ("litellm", "drop_params")):
        other = copy.deepcopy(after)
        other[part][key] = "another"
        assert [key in each for each in differences(made, before, other)] == [True]
    other = copy.deepcopy(after)
    other["deployments"][0]["params"]["max_tokens"] = 1
    assert len(differences(made, before, other)) == 2
    other = copy.deepcopy(after)
    other["deployments"][0]["params"]["api_key"] = "another"
    assert differences(made, before, other)
    del other["deployments"][0]
    assert differences(made, before, other)


def test_stand_ins_are_what_is_imported(tmp_path: Path):
    stand_ins({"callbacks": ["prometheus", "a.b.c"], "other": "d.e"}, tmp_path)
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.py")] == ["a/b.py"]
    shutil.rmtree(tmp_path / "a")
