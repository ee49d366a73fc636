"""What LiteLLM does with the entries of its sections: guardrails, MCP servers, prompts and so on.

Source: entries.json, measured by tools/measure_entries.py. An outcome is ``stops`` (LiteLLM does
not start), ``skipped`` (it starts, and leaves the entry out), or empty.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nixcfg.knowledge.facts import Key

_PART = re.compile(r"(?P<name>\w+)(?:\[(?P<key>\w+)=(?P<value>[^]]+)\])?(?P<each>\[\]|\{\})?")


class Step(NamedTuple):
    """A key; the mapping under it where `key` is `value`; or each entry of a list, of a mapping."""

    name: str
    key: str
    value: str
    each: str


class EntryKey(NamedTuple):
    """`missing`: the outcome without it, unless there is one of `instead`; `other` that of a text
    which is none of its choices, and `case` that of a choice in another case.

    `refused` are the outcomes of other kinds of values: bool, number, text, list, map, null.
    """

    facts: Key
    missing: str
    other: str
    case: str
    refused: Mapping[str, str]
    instead: tuple[str, ...] = ()


ANY = "*"
"""In the place of a choice: whatever the key holds."""


class Needs(NamedTuple):
    """A choice that is for nothing without one of other keys, and the outcome."""

    key: str
    choice: str
    becomes: str
    others: tuple[str, ...]


class Place(NamedTuple):
    """Where entries are. `unknown` is what becomes of another key: `ignored`, `kept` for what may
    read it later, or an outcome. `entry` are the outcomes of what is no mapping, by kind; `names`
    those of characters that the name of an entry cannot hold; `above` are keys that stop LiteLLM
    where they are beside the place.
    """

    path: str
    steps: tuple[Step, ...]
    unknown: str
    entry: Mapping[str, str]
    names: Mapping[str, str]
    above: frozenset[str]
    needs: tuple[Needs, ...]
    keys: Mapping[str, EntryKey]


class GuardrailKind(NamedTuple):
    """`modes` it takes, None where any passes; `wrong` is the outcome of another mode, with `case`
    also of one in capitals.

    `needs`: of each choice of variables and parameters one has to be given, else `without`.
    """

    modes: tuple[str, ...] | None
    wrong: str
    case: bool
    needs: tuple[tuple[str, ...], ...]
    without: str


class Entries:
    """The content of entries.json."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.places = tuple(_place(path, facts) for path, facts in data["places"].items())
        guardrails = data["guardrails"]
        self.modes: tuple[str, ...] = tuple(guardrails["modes"])
        units = "|".join(data["durations"]["units"])
        self._duration = re.compile(rf"\d+({units})") if units else re.compile("(?!)")
        self._words = frozenset(data["durations"]["words"])
        self.imports = tuple(map(steps_of, data["imports"]))
        """Settings, and keys of entries, that name Python which LiteLLM imports at its start."""
        self.files = tuple(map(steps_of, data.get("files", ())))
        """Settings, and keys of entries, that name a file which LiteLLM reads at its start."""
        self.caches: Mapping[str, frozenset[str]] = {
            kind: frozenset(names) for kind, names in data["caches"].items()
        }
        """The kinds of cache with which LiteLLM does not start when cache_params holds a key that
        is neither the cache's own nor one of these, which its client takes."""
        self.team_variables = frozenset(data["team_variables"])
        """What an entry of default_team_settings may hold beside its callbacks."""
        self.guardrails = {name: _kind(facts) for name, facts in guardrails["kinds"].items()}

    def is_duration(self, text: str) -> bool:
        """Whether LiteLLM reads a text as a length of time: `30d`, whatever follows."""
        return bool(self._duration.match(text)) or text.strip().lower() in self._words

    def place(self, path: str) -> Place | None:
        return next((place for place in self.places if place.path == path), None)


def _place(path: str, facts: Mapping[str, Any]) -> Place:
    keys = {name: _key(name, each) for name, each in facts["keys"].items()}
    needs = tuple(
        Needs(key, choice, becomes, tuple(others))
        for key, choices in facts.get("with", {}).items()
        for choice, (becomes, *others) in choices.items()
    )
    return Place(
        path=path,
        steps=steps_of(path),
        unknown=facts["unknown"],
        entry=facts.get("entry", {}),
        names=facts.get("names", {}),
        above=frozenset(facts.get("above", ())),
        needs=needs,
        keys=keys,
    )


def steps_of(path: str) -> tuple[Step, ...]:
    """`guardrails[].litellm_params` as steps."""
    return tuple(_steps(path))


def _steps(path: str) -> Iterator[Step]:
    for part in path.split("."):
        found = _PART.fullmatch(part)
        if found is None:
            raise ValueError(f"no place of a configuration: {path}")
        yield Step(found["name"], found["key"] or "", found["value"] or "", found["each"] or "")


def _key(name: str, facts: Mapping[str, Any]) -> EntryKey:
    refused = {kind: each for each in ("stops", "skipped") for kind in facts.get(each, ())}
    key = Key(
        name=name,
        type=facts["type"],
        secret=facts.get("secret", False),
        values=tuple(facts.get("values", ())),
    )
    missing, other, case = (facts.get(each, "") for each in ("missing", "other", "case"))
    return EntryKey(key, missing, other, case, refused, tuple(facts.get("instead", ())))


def _kind(facts: Mapping[str, Any]) -> GuardrailKind:
    return GuardrailKind(
        modes=tuple(facts["modes"]) if "modes" in facts else None,
        wrong=facts.get("wrong", ""),
        case=facts.get("case", False),
        needs=tuple(tuple(choice) for choice in facts.get("needs", ())),
        without=facts.get("without", ""),
    )
