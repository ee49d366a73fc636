"""What `nixcfg upgrade` says of two releases, against what the two real ones do.

The default release is installed beside nixcfg; NIXCFG_LITELLM_VENV names an environment with
another (tools/learn/environment.py makes one). NIXCFG_CORPUS names a folder of configurations.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from nixcfg import check, knowledge
from nixcfg.problems import pages
from nixcfg.project.find import read_project
from nixcfg.project.standalone import read_configuration
from nixcfg.upgrade.change import upgrade
from nixcfg.upgrade.compare import Effect, differences
from program import ROOT

pytestmark = pytest.mark.oracle

FILES_OF_CORPUS = 20
# What only the machine decides: packages, a Redis, variables, a licence.
SURROUNDINGS = (
    "mport",
    "No module",
    "edis",
    "environment",
    "nterprise",
    "pip install",
    "No such file",
)


@dataclass(frozen=True)
class Outcome:
    """What a real LiteLLM does with a file: the error that it stops with, else what it serves."""

    error: str | None
    served: int

    def is_worse_than(self, other: "Outcome") -> bool:
        if (self.error is None) != (other.error is None):
            return self.error is not None
        return self.served < other.served


def installed(python: Path) -> str:
    program = "from importlib.metadata import version; print(version('litellm'))"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def pythons() -> dict[str, Path]:
    """By release, oldest first."""
    folder = os.environ.get("NIXCFG_LITELLM_VENV")
    if not folder:
        pytest.skip("NIXCFG_LITELLM_VENV names no environment with another LiteLLM")
    found = {installed(each): each for each in (Path(sys.executable), Path(folder, "bin/python"))}
    if len(found) < 2 or not found.keys() <= {*knowledge.known()}:
        pytest.skip(f"two known releases are needed, and here is {', '.join(found)}")
    return {each: found[each] for each in knowledge.known() if each in found}


def outcomes(python: Path, texts: list[str]) -> list[Outcome]:
    done = subprocess.run(
        [python, ROOT / "tools" / "oracle.py"],
        input=json.dumps([{"text": text} for text in texts]),
        capture_output=True,
        text=True,
        timeout=1800,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [Outcome(each["error"], int(each.get("loaded", 0))) for each in answers]


def examples() -> dict[str, str]:
    """The examples of the rules that are one LiteLLM file."""
    found = {}
    for code in pages.codes():
        page = pages.read(code)
        for kind, example in (("bad", page.bad), ("good", page.good)):
            # A byte that is no UTF-8 stands there as a lone surrogate, which JSON would change.
            if isinstance(example, str) and not any("\ud800" <= c <= "\udfff" for c in example):
                found[f"{code} {kind}"] = example
    return found


def corpus() -> dict[str, str]:
    folder = Path(os.environ.get("NIXCFG_CORPUS") or ROOT.parent / "shared" / "corpus")
    files = [*sorted((folder / "wild").glob("*.yaml")), *sorted((folder / "official").glob("*"))]
    every = files[:: max(1, len(files) // FILES_OF_CORPUS)][:FILES_OF_CORPUS]
    return {each.name: each.read_text(encoding="utf-8", errors="replace") for each in every}


@dataclass(frozen=True)
class Said:
    """The effects that are told at all, and those that are told of an error."""

    effects: set[Effect]
    grave: set[Effect]
    is_broken: bool


def predicted(text: str, folder: Path, old: str, new: str) -> Said:
    folder.mkdir()
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    before, after = (
        check.standalone([read_configuration(path, path.name)], None, knowledge.choose(each))
        for each in (old, new)
    )
    found = differences(before, after, old, new)
    errors = {
        effect: {p.code for p in report.problems if p.is_error}
        for effect, report in ((Effect.GAIN, before), (Effect.LOSS, after))
    }
    grave = {each.effect for each in found if each.code in errors.get(each.effect, ())}
    # What is an error under both is no difference, whatever becomes of it.
    is_broken = bool(errors[Effect.GAIN] & errors[Effect.LOSS])
    return Said({each.effect for each in found}, grave, is_broken)


@pytest.mark.parametrize("source", [examples, corpus], ids=["examples", "corpus"])
def test_files_are_said_to_gain_and_to_lose_what_they_do(
    source: object, pythons: dict[str, Path], tmp_path: Path
):
    texts = source()  # type: ignore[operator]
    if not texts:
        pytest.skip("no corpus of real configurations here; NIXCFG_CORPUS may name one")
    old, new = pythons
    real = [outcomes(python, list(texts.values())) for python in pythons.values()]
    unsaid, untrue, changed = {}, {}, 0
    for number, ((name, text), before, after) in enumerate(zip(texts.items(), *real, strict=True)):
        said = predicted(text, tmp_path / str(number), old, new)
        why = f"{before.error or ''}{after.error or ''}"
        wanted = {
            effect
            for effect, is_true in (
                (Effect.LOSS, after.is_worse_than(before)),
                (Effect.GAIN, before.is_worse_than(after)),
            )
            if is_true
        }
        changed += bool(wanted)
        by_itself = any(word in why for word in SURROUNDINGS)
        if wanted - said.effects and not said.is_broken and not by_itself:
            unsaid[name] = (wanted - said.effects, before, after)
        if said.grave - wanted:
            untrue[name] = (said.grave - wanted, before, after)
    assert unsaid == {}
    assert untrue == {}
    assert changed or source is corpus


def test_the_root_project_is_served_by_both_as_said(pythons: dict[str, Path]):
    old, new = pythons
    sources = read_project(ROOT)
    reports = [upgrade(sources, each, check.dt.date(1970, 1, 1)).report for each in pythons]
    assert not [each for each in differences(*reports, old, new) if each.effect is Effect.LOSS]
    for python, report in zip(pythons.values(), reports, strict=True):
        assert report.project is not None
        configs = report.project.machine.configs
        served = outcomes(python, [json.dumps(each.litellm) for each in configs])
        assert [(each.error, each.served) for each in served] == [
            (None, len(each.litellm["model_list"])) for each in configs
        ]
