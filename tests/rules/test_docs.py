"""The pages and data made from the rules and from LiteLLM are what they would be today."""

import json
import random
from pathlib import Path

import pytest
from rules_support import ROOT, Oracle

from nixcfg import knowledge
from tool import load


def test_index_of_the_rules_is_up_to_date():
    tool = load("write_rules_index")
    hint = "run python tools/write_rules_index.py"
    assert tool.INDEX.read_text(encoding="utf-8") == tool.index(), hint


@pytest.mark.oracle
def test_vendor_params_are_those_of_the_installed_litellm(oracle: type[Oracle]):
    data = Path(ROOT / "nixcfg" / "rules" / "vendor_params.json").read_text(encoding="utf-8")
    assert oracle
    assert load("measure_params").text() == data, "run python tools/measure_params.py"


@pytest.mark.oracle
def test_refusals_are_those_of_the_installed_litellm(oracle: type[Oracle]):
    """A sample of 150 of the 3,000 questions; tools/measure_refusals.py asks all of them."""
    measure = load("measure_refusals")
    data = json.loads(measure.DATA.read_text(encoding="utf-8"))
    assert data["litellm_version"] == knowledge.LITELLM_VERSION
    asked = random.Random(1).sample(measure.questions(), 150)
    assert oracle
    for (section, key, kind), error in zip(asked, measure.ask(asked), strict=True):
        known = kind in data["refused"].get(section, {}).get(key, ())
        licensed = key in data["licence"].get(section, ())
        if licensed:
            continue
        assert measure.is_refused((section, key, kind), error) is known, (section, key, kind, error)
