"""The pages and data made from the rules and from LiteLLM are what they would be today."""

import json
import random

import pytest
from rules_support import ROOT, Oracle

from nixcfg.knowledge.fates import Fates
from tool import load

DATA = ROOT / "nixcfg" / "knowledge"


def test_index_of_the_rules_is_up_to_date():
    tool = load("write_rules_index")
    hint = "run python tools/write_rules_index.py"
    assert tool.INDEX.read_text(encoding="utf-8") == tool.index(), hint


def test_the_page_on_catalogues_is_up_to_date():
    tool = load("write_catalogues")
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), (
        "run python tools/write_catalogues.py"
    )


@pytest.mark.oracle
def test_vendor_params_are_those_of_the_installed_litellm(oracle: type[Oracle]):
    data = json.loads((DATA / "vendor_params.json").read_text(encoding="utf-8"))
    assert oracle
    assert load("measure_params").measured(DATA) == data, "run tools/measure_params.py"


@pytest.mark.oracle
def test_fates_are_those_of_the_installed_litellm(oracle: type[Oracle]):
    """Of the names that go another way somewhere, on three roads of some two hundred."""
    data = json.loads((DATA / "fates.json").read_text(encoding="utf-8"))
    assert oracle
    fates = Fates(data)
    asked = load("measure_fates").sampled(DATA, "openai/chat", "gemini/chat", "groq/chat")
    for road, found in asked.items():
        provider, mode = road.split("/")
        seen = {name: fate for fate, names in found["apart"].items() for name in names}
        assert data["roads"][provider][mode]["usual"] == found["usual"]
        for name in {*seen, "flavour"}:
            expected = seen.get(name, found["usual"])
            if expected == "sent" != found["usual"]:
                expected = "own"  # it is sent where others are not
            told = fates.of(provider, mode, "model", name.replace("*", "flavour"))
            assert told == expected, (road, name, "run tools/measure_fates.py")


@pytest.mark.oracle
def test_variables_are_those_of_the_installed_litellm(oracle: type[Oracle]):
    data = json.loads((DATA / "variables.json").read_text(encoding="utf-8"))
    assert oracle
    assert load("measure_variables").measured() == data, "run tools/measure_variables.py"


@pytest.mark.oracle
def test_refusals_are_those_of_the_installed_litellm(oracle: type[Oracle]):
    """A sample of 150 of the 3,000 questions; tools/measure_refusals.py asks all of them."""
    measure = load("measure_refusals")
    data = json.loads((DATA / "refused.json").read_text(encoding="utf-8"))
    known = measure.settings(DATA)
    asked = random.Random(1).sample(measure.questions(known), 150)
    assert oracle
    for (section, key, kind), error in zip(asked, measure.ask(asked), strict=True):
        is_known = kind in data["refused"].get(section, {}).get(key, ())
        if key in data["licence"].get(section, ()):
            continue
        types = frozenset(known[section][key]["type"].split("|"))
        assert measure.is_refused(types, kind, error) is is_known, (section, key, kind, error)
