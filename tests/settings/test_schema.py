"""The schemas for editors: complete, described in our own words, and right about real files."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from in_process import call
from jsonschema import Draft7Validator

from nixcfg import check, knowledge
from nixcfg.problems import pages
from nixcfg.project.model import SETTINGS
from nixcfg.project.standalone import read_configuration
from nixcfg.rules import registry
from nixcfg.settings import schema
from nixcfg.settings.places import ENTRIES, NESTED, section_at
from nixcfg.yamltext import reader
from program import HERE, ROOT

DEFAULT = knowledge.default()
RELEASES = knowledge.known()


@pytest.mark.parametrize("release", RELEASES)
def test_every_honoured_key_is_described(release: str) -> None:
    known = knowledge.of(release)
    missing = [
        (section.name, key)
        for section in known.sections().values()
        for key in section.keys
        if not known.description(section.name, key)
    ]
    assert not missing, "write them into nixcfg/knowledge/descriptions.json"


def test_a_description_is_one_plain_sentence_about_a_key_that_there_is() -> None:
    texts = json.loads((ROOT / "nixcfg" / "knowledge" / "descriptions.json").read_text())
    keys = {
        (name, key)
        for release in RELEASES
        for name, section in knowledge.of(release).sections().items()
        for key in section.keys
    }
    named = {key for _, key in keys}
    for section, entries in {**texts["text"], "deprecated": {}}.items():
        for key, text in entries.items():
            assert (section, key) in keys or (section == "*" and key in named), (section, key)
            assert 8 < len(text) < 150, (section, key, text)
            assert text.endswith("."), (section, key, text)
            assert "\n" not in text
    for section, entries in texts["deprecated"].items():
        for key in entries:
            assert (section, key) in keys, (section, key)


@pytest.mark.oracle
def test_no_description_is_copied_from_litellm() -> None:
    """Five words in a row of LiteLLM's own would be a copy."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    from litellm.proxy._types import ConfigGeneralSettings
    from litellm.types.guardrails import LitellmParams

    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"[a-z0-9]+", text.lower())
        return {tuple(words[at : at + 5]) for at in range(len(words) - 4)}

    for section, model in (
        ("general_settings", ConfigGeneralSettings),
        ("guardrail_params", LitellmParams),
    ):
        for key, field in model.model_fields.items():
            ours = DEFAULT.description(section, key)
            assert not runs(ours) & runs(field.description or ""), (section, key)


@pytest.mark.parametrize("kind", schema.KINDS)
@pytest.mark.parametrize("release", [RELEASES[0], DEFAULT.version, RELEASES[-1]])
def test_it_is_valid_draft_07_and_every_reference_leads_somewhere(kind: str, release: str) -> None:
    made = schema.complete(kind, knowledge.of(release))
    assert made["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(made)
    text = json.dumps(made)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        here: Any = made
        for step in reference.split("/"):
            here = here[step]
    assert "$defs" not in text
    assert "x-accepted" not in text
    # What is beside a $ref does not count in draft-07.
    todo = [made]
    while todo:
        here = todo.pop()
        assert "$ref" not in here or len(here) == 1 or not isinstance(here, dict), here
        todo += [
            each
            for each in (here.values() if isinstance(here, dict) else here)
            if isinstance(each, dict | list)
        ]


def test_every_honoured_key_is_in_the_schema() -> None:
    made = schema.complete("litellm", DEFAULT)
    for name, section in DEFAULT.sections().items():
        there = made if name == "top_level" else made["definitions"][name]
        for key in section.keys:
            assert there["properties"][key]["description"], (name, key)


def test_a_key_says_what_it_takes_is_and_replaces() -> None:
    made = schema.complete("litellm", DEFAULT)["definitions"]
    strategy = made["router_settings"]["properties"]["routing_strategy"]
    assert strategy["default"] == "simple-shuffle"
    assert "least-busy" in strategy["anyOf"][0]["enum"]
    stray = made["litellm_settings"]["properties"]["routing_strategy"]
    assert stray["deprecated"] is True
    assert stray["deprecationMessage"] == (
        "No effect in litellm_settings: LiteLLM reads it in router_settings."
    )
    assert made["litellm_settings"]["properties"]["model_fallbacks"]["deprecated"] is True
    key = made["litellm_params"]["properties"]["api_key"]
    assert "os.environ/NAME" in key["description"]
    assert made["litellm_params"]["required"] == ["model"]
    assert made["litellm_params"]["properties"]["litellm_logging_obj"]["doNotSuggest"] is True


def test_the_project_schema_knows_settings_and_codes() -> None:
    made = schema.complete("project", DEFAULT)
    check = Draft7Validator(made)
    assert check.is_valid({"severities": {"NX201": "off"}, "router_settings": {"num_retries": 3}})
    assert not check.is_valid({"router_settings": {"num_retries": "three"}})
    assert not check.is_valid({"severities": {"NX201": "loud"}})
    assert not check.is_valid({"prot": 1})
    assert "NX003" not in made["properties"]["severities"]["properties"]


def _documents() -> list[tuple[str, str, Any]]:
    """Kind and content of every file that the repository itself shows as good."""
    found: list[tuple[str, str, Any]] = []
    for rule in registry.RULES.values():
        good = pages.read(rule.code).good
        for name, text in ({"": good} if isinstance(good, str) else good).items():
            if name == "nixcfg.yaml" or name.startswith("providers/") or not name:
                kind = "project" if name == "nixcfg.yaml" else "provider"
                found.append((f"{rule.code} {name}", kind, yaml.safe_load(text)))
    paths = [*ROOT.glob("providers/*.yaml"), *HERE.glob("cases/*/providers/*.yaml")]
    paths += [ROOT / "nixcfg.yaml", *HERE.glob("cases/*/nixcfg.yaml")]
    return found + [
        (
            str(path.relative_to(ROOT)),
            "project" if path.name == "nixcfg.yaml" else "provider",
            yaml.safe_load(path.read_text()),
        )
        for path in paths
    ]


def test_it_accepts_every_good_example() -> None:
    checks = {kind: Draft7Validator(schema.complete(kind, DEFAULT)) for kind in schema.KINDS}
    wrong = [
        (name, list(error.absolute_path), error.message[:200])
        for name, kind, data in _documents()
        if data is not None
        for error in checks[kind].iter_errors(data)
    ]
    assert not wrong


def test_it_finds_nothing_in_real_files_that_the_rules_do_not_find() -> None:
    folder = Path(os.environ.get("NIXCFG_CORPUS") or HERE.parents[1] / "shared" / "corpus")
    if not (folder / "oracle.json").is_file():
        pytest.skip("no corpus of real configurations here; NIXCFG_CORPUS may name one")
    judge = Draft7Validator(schema.complete("litellm", DEFAULT))
    count, wrong = 0, []
    for name in json.loads((folder / "oracle.json").read_text(encoding="utf-8")):
        document = reader.read(folder / name, name)
        if not isinstance(document.data, dict):
            continue
        count += 1
        errors = list(judge.iter_errors(json.loads(json.dumps(document.data, default=str))))
        if errors and not check.standalone([read_configuration(folder / name, name)]).problems:
            wrong += [(name, list(error.absolute_path), error.message[:200]) for error in errors]
    assert count > 100
    assert not wrong


def test_places_are_those_of_the_knowledge() -> None:
    sections = DEFAULT.sections()
    for outer, key in (*NESTED, *ENTRIES):
        assert key in sections[outer].keys, (outer, key)
    assert {*NESTED.values(), *ENTRIES.values(), "top_level"} == set(sections)
    assert section_at(()) == "top_level"
    assert section_at(("model_list",)) == ""
    assert section_at(("model_list", 3)) == "deployment"
    assert section_at(("model_list", 3, "litellm_params")) == "litellm_params"
    assert section_at(("model_list", 3, "litellm_params", "metadata")) == ""
    assert section_at(("guardrails", 0, "litellm_params")) == "guardrail_params"
    assert section_at(("router_settings", "model_group_retry_policy", "a")) == "retry_policy"
    assert all(section_at((name,)) == name for name in SETTINGS)


@pytest.mark.parametrize("kind", schema.KINDS)
def test_the_command_prints_it(kind: str, tmp_path: Path) -> None:
    printed = call("schema", kind, cwd=tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert json.loads(printed.stdout) == schema.complete(kind, DEFAULT)
    old = json.loads(call("schema", kind, "--litellm", "1.104.9", cwd=tmp_path).stdout)
    assert old["$id"].endswith("1.104.9")
    assert call("schema", kind, "--litellm", "x", cwd=tmp_path).returncode == 2
