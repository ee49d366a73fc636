"""Write nixcfg/rules/refused.json: which kinds of values keep LiteLLM from starting, by setting.

The real ProxyConfig.load_config is asked for every setting that nixcfg/knowledge lists, with one
value of each kind. `python tools/measure_refusals.py` takes about two minutes.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from nixcfg import knowledge

HERE = Path(__file__).parent
DATA = HERE.parent / "nixcfg" / "rules" / "refused.json"
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


def questions() -> list[Question]:
    """(section, key, kind) of all that can be asked."""
    return [(s, key, kind) for s in SECTIONS for key in knowledge.keys(s) for kind in KINDS]


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


def is_refused(question: Question, error: str | None) -> bool:
    """Whether it is the kind of the value that LiteLLM fails on, not what the value says."""
    section, key, kind = question
    if error is None or needs_licence(error):
        return False
    types = knowledge.keys(section)[key].types
    if kind == "null":
        return True
    kind = kind.removeprefix("no ")
    if types & TYPES[kind]:
        return False
    if kind == "text" and "module name" in error:
        return False  # another text may name a module
    return "any" not in types or f"'{PYTHON[kind]}'" in error


def licensed_callbacks() -> list[str]:
    """The callbacks without whose licence LiteLLM does not start."""
    names = sorted(knowledge.callbacks("callbacks"))
    settings = [("litellm_settings", {"callbacks": [name]}) for name in names]
    errors = answers([json.dumps({**BASE, section: given}) for section, given in settings])
    return [
        name for name, error in zip(names, errors, strict=True) if error and needs_licence(error)
    ]


def needs_licence(error: str) -> bool:
    """Whether LiteLLM asks for a licence."""
    return "nterprise" in error


def main() -> None:
    asked = questions()
    refused: dict[str, dict[str, list[str]]] = {}
    licence: dict[str, list[str]] = {}
    for question, error in zip(asked, ask(asked), strict=True):
        section, key, kind = question
        if error and needs_licence(error):
            licence.setdefault(section, [])
            licence[section] += [key] if key not in licence[section] else []
        elif is_refused(question, error):
            refused.setdefault(section, {}).setdefault(key, []).append(kind)
    data = {
        "litellm_version": knowledge.LITELLM_VERSION,
        "licence": licence,
        "licensed_callbacks": licensed_callbacks(),
        "refused": {s: dict(sorted(keys.items())) for s, keys in refused.items()},
    }
    DATA.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
