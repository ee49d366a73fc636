"""Write refused.json: which kinds of values keep LiteLLM from starting, by setting.

    python tools/measure_refusals.py FOLDER

FOLDER holds the set of knowledge of the LiteLLM that is installed beside this Python. The real
ProxyConfig.load_config is asked for every setting in it, with one value of each kind, which takes
about two minutes.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from learn import layout

HERE = Path(__file__).parent
SECTIONS = ("top_level", "litellm_settings", "router_settings", "general_settings")
KINDS: dict[str, Any] = {
    "number": 1234,
    "text": "abc",
    "bool": True,
    "list": ["x"],
    "map": {"x": 1},
    "null": None,
    # LiteLLM often asks `if value:` first, so that what is empty passes where nothing else does.
    "no number": 0,
    "no text": "",
    "no bool": False,
    "no list": [],
    "no map": {},
}
TYPES = {
    "number": {"int", "float"},
    "text": {"str"},
    "bool": {"bool"},
    "list": {"list", "list[str]"},
    "map": {"map"},
}
PYTHON = {
    "number": "int",
    "text": "str",
    "bool": "bool",
    "list": "list",
    "map": "dict",
    "null": "NoneType",
}
BASE = {
    "model_list": [{"model_name": "a", "litellm_params": {"model": "openai/a", "api_key": "x"}}]
}

Question = tuple[str, str, str]


def settings(folder: Path) -> dict[str, Mapping[str, Any]]:
    """The keys of each section that can be asked, from litellm.json."""
    known = json.loads((folder / "litellm.json").read_bytes())["sections"]
    return {section: known[section]["keys"] for section in SECTIONS}


def questions(known: Mapping[str, Mapping[str, Any]]) -> list[Question]:
    """(section, key, kind) of all that can be asked."""
    return [(s, key, kind) for s in SECTIONS for key in known[s] for kind in KINDS]


def ask(asked: list[Question]) -> list[str | None]:
    """The error that LiteLLM stops with, None where it starts."""
    texts = []
    for section, key, kind in asked:
        given = {key: KINDS[kind]}
        texts.append(
            json.dumps({**BASE, **(given if section == "top_level" else {section: given})})
        )
    return answers(texts)


def answers(texts: list[str]) -> list[str | None]:
    """The error that LiteLLM stops with for each configuration."""
    done = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, HERE / "oracle.py"],
        input=json.dumps([{"text": text} for text in texts]),
        capture_output=True,
        text=True,
        check=True,
        timeout=1800,
    )
    return [json.loads(line)["error"] for line in done.stdout.splitlines()]


def is_refused(types: frozenset[str], kind: str, error: str | None) -> bool:
    """Whether it is the kind of the value that LiteLLM fails on, not what the value says."""
    if error is None or needs_licence(error):
        return False
    if kind == "null":
        return True
    kind = kind.removeprefix("no ")
    if types & TYPES[kind]:
        return False
    if kind == "text" and "module name" in error:
        return False  # another text may name a module
    # A text that is a number is never called wrong.
    return (
        "any" not in types
        or f"'{PYTHON[kind]}'" in error
        or (kind == "text" and "could not convert string to float" in error)
    )


def licensed_callbacks(names: list[str]) -> list[str]:
    """The callbacks without whose licence LiteLLM does not start."""
    asked = [{**BASE, "litellm_settings": {"callbacks": [name]}} for name in names]
    errors = answers([json.dumps(each) for each in asked])
    return [
        name for name, error in zip(names, errors, strict=True) if error and needs_licence(error)
    ]


def needs_licence(error: str) -> bool:
    """Whether LiteLLM asks for a licence."""
    return "nterprise" in error


def measured(folder: Path) -> dict[str, Any]:
    """The content of refused.json."""
    known = settings(folder)
    asked = questions(known)
    refused: dict[str, dict[str, list[str]]] = {section: {} for section in SECTIONS}
    licence: dict[str, set[str]] = {}
    for (section, key, kind), error in zip(asked, ask(asked), strict=True):
        if error and needs_licence(error):
            licence.setdefault(section, set()).add(key)
        elif is_refused(frozenset(known[section][key]["type"].split("|")), kind, error):
            refused[section].setdefault(key, []).append(kind)
    callbacks = json.loads((folder / "litellm.json").read_bytes())["callbacks"]["callbacks"]
    return {
        "licence": {section: sorted(keys) for section, keys in licence.items()},
        "licensed_callbacks": licensed_callbacks(sorted(callbacks)),
        "refused": {section: keys for section, keys in refused.items() if keys},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args().folder
    layout.write(given, {"refused": measured(given)})
