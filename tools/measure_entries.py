"""Write entries.json: what LiteLLM does with the entries of its sections, right and wrong.

    python tools/measure_entries.py FOLDER

The LiteLLM that is installed beside this Python loads a sample of each place (learn/places.py),
then the sample without each of its keys, with a key that no one knows, and with a value of each
kind under each key. It takes about two minutes.
"""

import argparse
import copy
import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import ascii_letters
from types import MappingProxyType
from typing import Any

from learn import guarding, handed, imports, inner, layout, opened
from learn.package import Package
from learn.places import PLACES as ENTRIES
from learn.places import Place, keeps, keys
from measure_refusals import BASE, KINDS, PYTHON, TYPES
from oracle import Oracle

from nixcfg.knowledge.entries import ANY

PLACES = (*ENTRIES, *inner.PLACES)
UNKNOWN = "nixcfg_unknown"
CHARACTERS = "-. /:"
UNITS = ("mo", *ascii_letters)
WORDS = ("hourly", "daily", "weekly", "monthly", "quarterly", "yearly", "annually", "never")
# Any value of a kind: what is empty often passes where nothing else does.
ASKED = tuple(kind for kind in KINDS if not kind.startswith("no "))
FILES = {"handler.py": "from litellm import CustomLLM\n\nhandler = CustomLLM()\n"}

Answer = Mapping[str, Any]
Question = tuple[int, str, str]
"""Number of a place, key, and what is done with it: a kind of value, `missing`, `other` for a text
that is none of its choices, `case` for a choice in another case; without a key, with the entry."""


def load(dotted: str) -> Any:
    """A class by its name, None where this release has none."""
    module, _, name = dotted.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None


def target(config: Any, path: str) -> Any:
    """The mapping of a sample that its place is."""
    here = config
    for part in path.split("."):
        name = part.split("[", maxsplit=1)[0].rstrip("{}[]")
        here = here[name]
        if part.endswith("[]"):
            here = here[0]
        elif part.endswith("{}"):
            here = next(iter(here.values()))
    return here


def changed(place: Place, key: str, change: str, choices: Sequence[str] = ()) -> str:
    config = {**BASE, **copy.deepcopy(dict(place.sample))}
    here = target(config, place.path)
    if change == "missing":
        del here[key]
    elif change == "case":
        here[key] = choices[0].swapcase()
    elif key:
        here[key] = KINDS.get(change, "nixcfg-unknown")
    elif change:
        return json.dumps(config).replace(json.dumps(here), json.dumps(KINDS[change]), 1)
    return json.dumps(config)


def questions(known: list[Mapping[str, Mapping[str, Any]]]) -> Iterator[Question]:
    for number, place in enumerate(PLACES):
        yield number, "", ""
        if place.path.endswith(("[]", "{}")):
            yield from ((number, "", kind) for kind in ASKED if kind != "map")
        yield number, UNKNOWN, "number"
        sample = target(copy.deepcopy(dict(place.sample)), place.path)
        for key in sample:
            yield number, key, "missing"
        for key, facts in known[number].items():
            types = frozenset(facts["type"].split("|"))
            for kind in ASKED:
                if not (types & TYPES.get(kind, set())):
                    yield number, key, kind
            if facts.get("values"):
                yield number, key, "other"
                yield number, key, "case"


def outcome(place: Place, answer: Answer) -> str:
    """`stops`, `skipped`, or nothing where the entry is at work."""
    if answer["error"]:
        return "stops"
    return "skipped" if place.live and not answer["live"][place.live] else ""


def is_of_the_kind(facts: Mapping[str, Any], kind: str, answer: Answer) -> bool:
    """Whether LiteLLM objects to the kind of a value, rather than to what it says."""
    types = frozenset(facts["type"].split("|"))
    if kind == "null" or "any" not in types:
        return True
    return f"'{PYTHON[kind]}'" in (answer["error"] or "")


def measured(folder: Path) -> dict[str, Any]:
    """The content of entries.json; litellm.json is in the folder."""
    import litellm

    source = Package(Path(litellm.__file__).parent)
    known = [keys(place, source, load) for place in PLACES]
    oracle = Oracle()
    answers: dict[int, list[tuple[Question, Answer]]] = {}
    for number, key, change in questions(known):
        choices = known[number].get(key, {}).get("values", ())
        text = changed(PLACES[number], key, change, choices)
        answer = oracle.ask({"text": text, "files": FILES})
        answers.setdefault(number, []).append(((number, key, change), answer))
    found: dict[str, Any] = {}
    for number, place in enumerate(PLACES):
        (_, sample), *others = answers[number]
        if outcome(place, sample):
            print(f"{place.path}: the sample is not taken: {sample['error']}", file=sys.stderr)
            continue
        found[place.path] = told(place, known[number], others) | more(oracle, place, known[number])
        instead(oracle, place, found[place.path]["keys"])
    sections = json.loads((folder / "litellm.json").read_bytes())["sections"]

    def error(text: str, env: Mapping[str, str] = MappingProxyType({})) -> str:
        return str(oracle.ask({"text": text, "env": env})["error"] or "")

    kinds = guarding.kinds(oracle.ask)
    named = (*opened.settings(sections, BASE), *modules(known, opened.ABSENT))
    return {
        "places": found,
        "guardrails": kinds,
        "durations": durations(),
        "imports": imports.found(sections, modules(known), error, BASE),
        "files": opened.found(iter(named), kinds["kinds"], error),
        "caches": handed.caches(error, BASE, sections["cache_params"]["keys"]["type"]["values"]),
        "team_variables": handed.team_variables(),
    }


def modules(
    known: Sequence[Mapping[str, Any]], absent: str = imports.ABSENT
) -> Iterator[tuple[str, str]]:
    """Samples in which a key names Python, or another file, that is not there."""
    for place, facts in zip(PLACES, known, strict=True):
        for key, each in facts.items():
            for end, value in imports.values(each["type"].split("|"), absent):
                config = {**BASE, **copy.deepcopy(dict(place.sample))}
                target(config, place.path)[key] = value
                yield f"{place.path}.{key}{end}", json.dumps(config)


def durations() -> dict[str, list[str]]:
    """The units behind a number, and the words, that LiteLLM takes for a length of time."""
    from litellm.litellm_core_utils.duration_parser import duration_in_seconds

    def is_taken(text: str) -> bool:
        try:
            return duration_in_seconds(text) > 0
        except ValueError:
            return False

    return {
        "units": [unit for unit in UNITS if is_taken(f"7{unit}") and not is_taken("7")],
        "words": [word for word in WORDS if is_taken(word)],
    }


def told(
    place: Place, known: Mapping[str, Any], answers: Sequence[tuple[Question, Answer]]
) -> dict[str, Any]:
    """What the answers about one place say of its keys, of others, and of its entries."""
    entry: dict[str, Any] = {"keys": dict(known)}
    for (_, key, change), answer in answers:
        becomes = outcome(place, answer)
        if key == UNKNOWN:
            entry["unknown"] = becomes or ("kept" if keeps(place, load) else "ignored")
        elif becomes and not key:
            entry.setdefault("entry", {})[change] = becomes
        elif becomes and change in ("missing", "other", "case"):
            entry["keys"].setdefault(key, {"type": "any"})[change] = becomes
        elif becomes and is_of_the_kind(entry["keys"][key], change, answer):
            entry["keys"][key].setdefault(becomes, []).append(change)
    return entry


def becomes(oracle: Oracle, place: Place, given: Mapping[str, Any], *, without: str = "") -> str:
    """The outcome of the sample with these keys, and without one that it has."""
    config = {**BASE, **copy.deepcopy(dict(place.sample))}
    here = target(config, place.path)
    here.pop(without, None)
    here.update(given)
    return outcome(place, oracle.ask({"text": json.dumps(config), "files": FILES}))


def more(oracle: Oracle, place: Place, known: Mapping[str, Any]) -> dict[str, Any]:
    """`names`: characters that the name of an entry cannot hold, each with its outcome. `above`:
    keys that stop LiteLLM where they are beside the place. `with`: see `needs`.
    """
    found: dict[str, Any] = {}
    if ".litellm_params." in place.path:
        found["above"] = sorted(key for key in known if above(oracle, place, key) == "stops")
    for character in CHARACTERS if place.path.endswith("{}") else ():
        text = json.dumps({**BASE, **place.sample})
        text = text.replace('"sample": {', f'"sam{character}ple": {{')
        refused = outcome(place, oracle.ask({"text": text, "files": FILES}))
        if refused:
            found.setdefault("names", {})[character] = refused
    asking = needs(oracle, place, known)
    return found | ({"with": asking} if asking else {})


def needs(oracle: Oracle, place: Place, known: Mapping[str, Any]) -> dict[str, Any]:
    """The choices of a key, or a star for whatever it holds, that ask for another key, each with
    the outcome and the keys of which one will do.
    """
    found: dict[str, dict[str, list[str]]] = {}
    sample = target(copy.deepcopy(dict(place.sample)), place.path)

    def cures(given: Mapping[str, Any]) -> list[str]:
        return [
            other
            for other in known
            if other not in given
            and any(not becomes(oracle, place, {**given, other: v}) for v in some(known[other]))
        ]

    for key, facts in known.items():
        choices = facts.get("values", ())
        tried = [(value, becomes(oracle, place, {key: value})) for value in some(facts)]
        if choices:
            asking = {value: [alone, *cures({key: value})] for value, alone in tried if alone}
        elif key not in sample and tried and all(alone for _, alone in tried):
            asking = {ANY: [tried[0][1], *cures({key: tried[0][0]})]}
        else:
            asking = {}
        if asking := {choice: told for choice, told in asking.items() if told[1:]}:
            found[key] = asking
    return found


def instead(oracle: Oracle, place: Place, keys: dict[str, dict[str, Any]]) -> None:
    """Adds to each key that may not be missing the others of which one will do instead."""
    sample = target(copy.deepcopy(dict(place.sample)), place.path)
    for key in [key for key, facts in keys.items() if facts.get("missing")]:
        others = [
            other
            for other in sorted(keys.keys() - sample.keys() - {key})
            if any(not becomes(oracle, place, {other: v}, without=key) for v in some(keys[other]))
        ]
        if others:
            keys[key]["instead"] = others


def above(oracle: Oracle, place: Place, key: str) -> str:
    """What becomes of a key of this place that is beside it."""
    config = {**BASE, **copy.deepcopy(dict(place.sample))}
    target(config, place.path.rpartition(".")[0])[key] = 1
    return outcome(place, oracle.ask({"text": json.dumps(config), "files": FILES}))


def some(facts: Mapping[str, Any]) -> list[Any]:
    """Values that a key may have."""
    types = facts["type"].split("|")
    plain = {"str": "https://sample.test", "bool": True, "int": 1, "list[str]": ["x"], "list": []}
    return facts.get("values") or [plain[name] for name in types if name in plain]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    layout.write(folder, {"entries": measured(folder)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
