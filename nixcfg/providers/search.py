"""Models as a person looks for them: by words, by price, by age. Pure."""

import datetime as dt
import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nixcfg import knowledge
from nixcfg.knowledge import ModelFacts
from nixcfg.project.nearest import closest, nearest
from nixcfg.providers import names, offers
from nixcfg.providers.catalogue import full_name, is_retired

SOME = 20
"""How many are shown where the words say an order and no name."""
_ORDERS = {"cheap": "price", "cheapest": "price", "newest": "newest"}


class Search(NamedTuple):
    """What was asked: words that a model has to match, all of them, and the order.

    `priced`: only what costs something, and says so. `limit` is None for all that is found.
    """

    words: tuple[str, ...]
    provider: str = ""
    sort: str = ""
    priced: bool = False
    limit: int | None = None


def asked(words: Sequence[str], provider: str, sort: str, limit: int | None) -> Search:
    """A search as it was typed: `gemini flash`, `cheap`, `anthropic/*sonnet*`."""
    orders = [word.lower() for word in words if word.lower() in _ORDERS]
    rest = tuple(word.lower() for word in words if word.lower() not in _ORDERS)
    chosen = sort or next((_ORDERS[word] for word in orders), "newest" if rest else "")
    if limit is None and orders:
        limit = SOME
    return Search(rest, provider, chosen, any(_ORDERS[word] == "price" for word in orders), limit)


def found(search: Search, today: dt.date, *, everything: bool = False) -> list[ModelFacts]:
    """What matches, in order: chat models that are not retired, or `everything`."""
    models = [
        facts
        for facts in _models(search.provider)
        if (everything or _is_current(facts, today))
        and not (search.priced and not facts.input_cost_per_token)
    ]
    for word in search.words:
        matches = _matcher(word)
        models = [facts for facts in models if matches(facts)]
    return sorted(models, key=_KEYS[search.sort]) if search.sort else models


def corrected(search: Search) -> str:
    """The words as they were meant, where one of them is in no name; "" where that is no typo."""
    parts = frozenset(
        part for facts in _models(search.provider) for part in re.findall(r"[a-z]{3,}", facts.name)
    )
    words = [w if w in parts else nearest(w, parts) or w for w in search.words]
    return " ".join(words) if words != [*search.words] else ""


def suggestions(search: Search) -> tuple[str, ...]:
    """Models whose names are near what was looked for."""
    by_name: dict[str, str] = {}
    for facts in _models(search.provider):
        if facts.provider in names.addable():
            by_name.setdefault(facts.name, full_name(facts))
    return tuple(by_name[each] for each in closest(" ".join(search.words), by_name))


def _models(provider: str) -> Iterator[ModelFacts]:
    for name in [provider] if provider else sorted(knowledge.providers()):
        yield from knowledge.models(name).values()


def _is_current(facts: ModelFacts, today: dt.date) -> bool:
    return facts.mode in ("chat", "responses") and not is_retired(facts, today)


def _matcher(word: str) -> Callable[[ModelFacts], bool]:
    """Whether a model matches a word: a part of its name, a glob, or what a vendor is called."""
    if any(character in word for character in "*?["):
        return lambda facts: fnmatch.fnmatchcase(full_name(facts).lower(), word)
    homes = names.NAMES[word].providers if word in names.NAMES else ()
    if all(any(word in each.lower() for each in knowledge.models(home)) for home in homes):
        homes = ()  # `sonnet` is what models are called, `google` only who makes them
    folded = _folded(word)
    return lambda facts: (
        word in full_name(facts).lower()
        or facts.provider in homes
        or ("/" not in word and folded in _folded(facts.name))
    )


def _folded(text: str) -> str:
    """`claude sonnet 4.5` is claude-sonnet-4-5."""
    return text.lower().replace(".", "-").replace("_", "-")


def _price(facts: ModelFacts) -> tuple[bool, float, float]:
    into, out = facts.input_cost_per_token, facts.output_cost_per_token
    return into is None, into or 0.0, out or 0.0


def _window(facts: ModelFacts) -> int:
    return -(facts.max_input_tokens or 0)


_KEYS: Mapping[str, Callable[[ModelFacts], Any]] = {
    "price": _price,
    "context": _window,
    "newest": offers.age,
}
