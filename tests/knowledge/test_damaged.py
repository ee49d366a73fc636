"""The real LiteLLM, damaged in ways that reading cannot see through: the floor stops its set."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from nixcfg import knowledge
from program import ROOT

pytestmark = pytest.mark.oracle

# A router that says nothing of its arguments, and a setting behind a method that nothing follows.
PROGRAM = """
import sys
sys.path.insert(0, question["tools"])
from pathlib import Path
import litellm
litellm.suppress_debug_info = True
from learn import floor
from learn.package import Package
from learn.params import router_settings
from learn.settings import general_settings

known = set(litellm.Router.get_valid_args())
litellm.Router.get_valid_args = staticmethod(lambda: list(known))
original = litellm.Router.__init__
def takes_anything(self, *args, **kwargs):
    original(self, *args, **kwargs)
litellm.Router.__init__ = takes_anything

package = Package(Path(litellm.__file__).parent)
for file, text in package.texts.items():
    for end in (b'"', b"'"):
        name = end + question["hidden"].encode() + end
        text = text.replace(b".get(" + name, b".fetch(" + name).replace(b"[" + name + b"]", b".of(" + name + b")")
        text = text.replace(name + b" in ", b"has(" + name + b") and ")
    package.texts[file] = text

before = question["set"]
after = {**before, "litellm": {**before["litellm"], "sections": {**before["litellm"]["sections"]}}}
for name, keys in (
    ("router_settings", router_settings()),
    ("general_settings", general_settings(package)),
):
    section = {**before["litellm"]["sections"][name], "keys": keys}
    after["litellm"]["sections"][name] = section
answer = [str(each) for each in floor.losses(before, after, package.mentions, lambda _: False)]
"""  # noqa: E501 (a program in a test)

# An address that is read once, when LiteLLM is imported, so that no call shows it.
PROVIDER = """
import sys
sys.path.insert(0, question["tools"])
from pathlib import Path
import litellm
litellm.suppress_debug_info = True
from litellm.litellm_core_utils import get_llm_provider_logic
from litellm.llms.deepseek.chat import transformation
from learn import floor
from learn.package import Package
from learn.probe import probe

for module in (get_llm_provider_logic, transformation):
    for name in ("get_secret", "get_secret_str"):
        if original := getattr(module, name, None):
            def once(variable, *others, original=original, **named):
                hidden = variable == "DEEPSEEK_API_BASE"
                return None if hidden else original(variable, *others, **named)
            setattr(module, name, once)

before = question["set"]
providers = before["litellm"]["providers"]
damaged = probe(["api_base", "api_key"], frozenset({"deepseek", "groq"}))
after = {**before, "litellm": {**before["litellm"], "providers": {**providers, **damaged}}}
package = Package(Path(litellm.__file__).parent)
answer = [str(each) for each in floor.losses(before, after, package.mentions, lambda _: False)]
"""


def stored() -> dict[str, Any]:
    folder = ROOT / "nixcfg" / "knowledge"
    return {
        name: json.loads((folder / f"{name}.json").read_bytes()) for name in ("litellm", "models")
    }


def test_the_floor_stops_a_provider_that_loses_a_variable(ask_litellm: Callable[[str, Any], Any]):
    lost = ask_litellm(PROVIDER, {"tools": str(ROOT / "tools"), "set": stored()})
    assert lost == ["providers.deepseek.DEEPSEEK_API_BASE: the variable is lost"]


def test_the_floor_stops_a_damaged_package(ask_litellm: Callable[[str, Any], Any]):
    hidden = "expose_fallback_errors_to_caller"
    assert knowledge.honoured("general_settings", hidden)
    question = {"tools": str(ROOT / "tools"), "hidden": hidden, "set": stored()}
    lost = ask_litellm(PROGRAM, question)
    assert "router_settings.num_retries: was int, and is any" in lost
    gone = f"general_settings.{hidden}: gone, while the code still holds its name"
    assert [each for each in lost if hidden in each] == [gone]
