"""The question which models: numbers, ranges and names, from a list or without one."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import click

from nixcfg.commands.output import table
from nixcfg.knowledge import ModelFacts
from nixcfg.project.nearest import closest, nearest
from nixcfg.providers import ask, catalogue

SHOWN = 12
"""Models that are listed to choose from; Tab knows the others."""

_RANGE = re.compile(r"(?<![\w.-])(\d+)\s*(?:-|\.\.)\s*(\d+)(?![\w.-])")
_HELP = (
    "Numbers and ranges (1 3-5), all for every number, or names. A name that is not listed is "
    "taken too, after a question. Tab completes names; Ctrl-C leaves everything as it is."
)
_NO_LIST = "there is no list to choose from; write the names of models"


@dataclass(frozen=True, slots=True)
class List:
    """What is offered: `numbered` on the screen, `known` besides; empty where no one knows.

    `source` is whose list it is: `LiteLLM's list`. `bare` takes a provider's prefix away.
    """

    numbered: Sequence[str] = ()
    known: Collection[str] = ()
    source: str = ""
    bare: Callable[[str], str] = str


def pick(question: str, offered: List, default: str = "") -> tuple[str, ...]:
    """The models that a person names, each once; those that are not known are asked about."""

    def check(answer: str) -> str:
        if "?" in answer.split():
            raise ValueError(_HELP if offered.numbered else _NO_LIST)
        names = [offered.bare(name) for name in chosen(answer, offered.numbered)]
        confirm(names, offered)
        return " ".join(names)

    words = [*offered.numbered, *(name for name in offered.known if name not in offered.numbered)]
    return tuple(ask.ask(question, default=default, choices=words, check=check).split())


def chosen(answer: str, numbered: Sequence[str]) -> list[str]:
    """The models of an answer such as `1-3, gpt-4o`. Raises ValueError. Pure."""
    found: list[str] = []
    for word in _RANGE.sub(r"\1-\2", answer).replace(",", " ").split():
        found += _meant(word, numbered)
    if not found:
        raise ValueError("name at least one model")
    return list(dict.fromkeys(found))


def _meant(word: str, numbered: Sequence[str]) -> Iterable[str]:
    span = _RANGE.fullmatch(word)
    counts = span or word.isdigit() or word.lower() in ("all", "none", "?")
    if not numbered:
        if counts:
            raise ValueError(_NO_LIST)
        return [word]
    if word.lower() == "all":
        return numbered
    if not counts:
        if re.fullmatch(r"[-.\d]+", word):
            raise ValueError(f"{word} is no number, range or name; ? helps")
        return [word]
    first, last = (int(span[1]), int(span[2])) if span else (_number(word), _number(word))
    for number in (first, last):
        if not 1 <= number <= len(numbered):
            raise ValueError(f"there is no number {number}; they end at {len(numbered)}")
    if first > last:
        raise ValueError(f"{word} goes backwards")
    return numbered[first - 1 : last]


def _number(word: str) -> int:
    if not word.isdigit():
        raise ValueError("name at least one model")
    return int(word)


def confirm(names: Iterable[str], offered: List) -> None:
    """Ask about each name that no list has. Raises ValueError where it was a mistake."""
    known = {*offered.numbered, *offered.known}
    for name in names:
        if not known or name in known or "*" in name:
            continue
        guess = nearest(name, known)
        near = [guess] if guess else closest(name, known)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        ask.say(f"  {name} is not in {offered.source}.{hint}")
        if not ask.confirm("Use it anyway?"):
            raise ValueError("choose again")


def print_models(models: Iterable[ModelFacts], width: int | None) -> None:
    """Models with their numbers, windows and prices."""
    rows = [
        (
            f"{number:>2}  {facts.name}",
            catalogue.context(facts),
            catalogue.price(facts.input_cost_per_token),
            catalogue.price(facts.output_cost_per_token),
            facts.deprecation_date or "-",
        )
        for number, facts in enumerate(models, start=1)
    ]
    headers = (" #  model", "context", "$/M in", "$/M out", "retires")
    used = len(headers) - all(row[-1] == "-" for row in rows)
    click.echo(table(headers[:used], [row[:used] for row in rows], width), err=True)


def print_names(names: Sequence[str], width: int | None) -> None:
    """Names with their numbers, in as many columns as fit."""
    cells = [f"{number:>2}  {name}" for number, name in enumerate(names, start=1)]
    widest = max(map(len, cells)) + 2
    columns = max(1, (width or widest) // widest)
    for start in range(0, len(cells), columns):
        click.echo(
            "".join(c.ljust(widest) for c in cells[start : start + columns]).rstrip(), err=True
        )
