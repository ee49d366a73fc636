"""What a new set of knowledge has lost against an older one, and must not.

A set is a mapping of file names to their contents, as ``tools/generate_knowledge.py`` writes them.
LiteLLM does drop settings; but one whose name its code still holds was more likely lost by us.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Set = Mapping[str, Any]
OURS = re.compile(r"nixcfg")
# A catalogue that shrinks by more than this is not read in full.
SHRINKS = 0.8


@dataclass(frozen=True, slots=True)
class Loss:
    """`where` names one fact: it is what reviewed.ACCEPTED is asked for."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def losses(
    before: Set, after: Set, holds: Callable[[str], bool], is_object: Callable[[str], bool]
) -> list[Loss]:
    """All that is poorer. `holds`: the new package's code still has this name, as a string or an
    attribute; `is_object`: the litellm attribute of this name holds what YAML cannot give.
    """
    old, new = before["litellm"], after["litellm"]
    return [
        *_of_sections(old["sections"], new["sections"], holds, is_object),
        *_of_providers(old["providers"], new["providers"], holds),
        *_of_addresses(new["providers"], after["models"]["models"]),
        *_of_catalogue(before["models"]["models"], after["models"]["models"]),
        *_of_names(old["callbacks"], new["callbacks"], holds),
    ]


def _of_sections(
    before: Set, after: Set, holds: Callable[[str], bool], is_object: Callable[[str], bool]
) -> Iterator[Loss]:
    for section in before.keys() - after.keys():
        yield Loss(section, "the section is gone")
    for section in before.keys() & after.keys():
        yield from _of_keys(section, before[section]["keys"], after[section]["keys"], holds)
    for key in sorted(after["litellm_settings"]["keys"]):
        if is_object(key) and key not in before["litellm_settings"]["keys"]:
            yield Loss(f"litellm_settings.{key}", "an object, which YAML cannot give")


def _of_keys(section: str, old: Set, new: Set, holds: Callable[[str], bool]) -> Iterator[Loss]:
    for key in sorted(old.keys() - new.keys()):
        if holds(key):
            yield Loss(f"{section}.{key}", "gone, while the code still holds its name")
    for key in sorted(old.keys() & new.keys()):
        if new[key]["type"] == "any" != old[key]["type"]:
            yield Loss(f"{section}.{key}", f"was {old[key]['type']}, and is any")
        if old[key].get("values") and not new[key].get("values"):
            yield Loss(f"{section}.{key}", "its choices are gone")
        if old[key].get("secret") and not new[key].get("secret"):
            yield Loss(f"{section}.{key}", "no longer a secret")


def variables(facts: Set) -> set[str]:
    """Every variable that is known of a provider."""
    found = {each["variable"] for each in facts["credentials"]}
    found |= {name for names in facts.get("alternatives", ()) for name in names}
    found |= {name for pair in facts.get("competing", ()) for name in pair}
    return found | {name for name in [facts["api_base"].get("variable")] if name}


def _of_providers(before: Set, after: Set, holds: Callable[[str], bool]) -> Iterator[Loss]:
    for name in sorted(before.keys() - after.keys()):
        if holds(name):
            yield Loss(f"providers.{name}", "gone, while the code still holds its name")
    for name in sorted(before.keys() & after.keys()):
        old, new = before[name], after[name]
        for variable in sorted(variables(old) - variables(new)):
            if holds(variable):
                yield Loss(f"providers.{name}.{variable}", "the variable is lost")
        for variable in sorted(_required(new) - _required(old)):
            yield Loss(f"providers.{name}.{variable}", "is required now")
        if old["api_base"].get("default") and not new["api_base"].get("default"):
            yield Loss(f"providers.{name}.api_base", "its own address is lost")
        if old["chat"] and not new["chat"]:
            yield Loss(f"providers.{name}", "no longer for chat")


def _required(facts: Set) -> set[str]:
    return {each["variable"] for each in facts["credentials"] if each.get("required")}


def _of_addresses(providers: Set, models: Set) -> Iterator[Loss]:
    for name, facts in sorted(providers.items()):
        base = facts["api_base"]
        texts = [base.get(part) or "" for part in ("default", "appends", "path")]
        for text in (*texts, *base.get("also", ())):
            known = (m for m in models.get(name, ()) if len(m) > 6 and _has(text, m))
            if OURS.search(text) or any(known):
                yield Loss(f"providers.{name}.api_base", f"has a model's name in it: {text}")


def _has(text: str, model: str) -> bool:
    quoted = model.replace("/", "%2F")
    return any(f"/{each}/" in f"{text}/" for each in (model, quoted))


def _of_catalogue(before: Set, after: Set) -> Iterator[Loss]:
    old, new = (sum(map(len, models.values())) for models in (before, after))
    if new < old * SHRINKS:
        yield Loss("models", f"{new} models, of {old}")


def _of_names(before: Set, after: Set, holds: Callable[[str], bool]) -> Iterator[Loss]:
    for setting in sorted(before):
        for name in sorted({*before[setting]} - {*after.get(setting, ())}):
            if holds(name):
                yield Loss(f"callbacks.{setting}.{name}", "the name is lost")
