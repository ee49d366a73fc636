"""What to offer for a provider: its prefix, its current models, what it needs to be reached. Pure.

Everything comes from nixcfg.knowledge. Today's date comes from the caller, so that what is offered
depends on nothing else.
"""

import datetime as dt
import fnmatch
import functools
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from typing import NamedTuple

from nixcfg import knowledge
from nixcfg.knowledge import ModelFacts, ProviderFacts
from nixcfg.project import wiring

RECOMMENDED = 3
"""How many models a provider gets when none is named."""

_SIZE = re.compile(r"\d+(?:[.p]\d+)?[bmk](?![a-z])")
_WORD = re.compile(r"\d+(?:[.p]\d+)*|[^\W\d_]+")
_REGION = re.compile(r"^(global|us|eu|apac|jp|au|ca|in|us-gov)\.")
"""What Bedrock puts before a model's name for the regions that may answer."""
_DATE = re.compile(
    r"(?<!\d)(?:(?P<month>\d\d)-(?P<year>20\d\d)|(?P<long>20\d\d-?\d\d-?\d\d)|(?P<short>\d{6}|\d{4}))"
    r"(?!\d)"
)
"""How names are dated: 08-2024, 20250929, 2025-09-29, 260915, 2512."""
_ASIDE = frozenset(
    {"preview", "beta", "alpha", "exp", "experimental", "latest", "ft", "guard", "safeguard"}
    | {"audio", "tts", "transcribe", "image", "search", "embed", "computer", "research"}
)
"""Words in the names of models that are no first choice for a chat."""
_SMALLEST_CONTEXT = 4000


def prefix_of(name: str) -> str | None:
    """The LiteLLM provider that a name means: its prefix, or what its models are called.

    `Together-AI` is together_ai, and `claude` is anthropic: LiteLLM routes a bare claude-... there.
    """
    known = knowledge.providers()
    for guess in (name, name.lower(), name.lower().replace("-", "_")):
        if guess in known:
            return guess
    return brands().get(name.lower())


@functools.cache
def brands() -> dict[str, str]:
    """First words of model names that lead to one provider: `claude` to anthropic."""
    homes: dict[str, Counter[str]] = defaultdict(Counter)
    for name, provider in knowledge.bare_models().items():
        word = re.match(r"[a-z]+(?=-)", name)
        if word:
            homes[word[0]][provider] += 1
    return {
        word: max(counts, key=lambda provider: counts[provider])
        for word, counts in homes.items()
        if max(counts.values()) > 0.9 * counts.total() and counts.total() > 2
    }


def is_retired(facts: ModelFacts, today: dt.date) -> bool:
    """Whether its vendor has switched the model off by now."""
    return facts.deprecation_date is not None and facts.deprecation_date <= today.isoformat()


def offers(provider: str, today: dt.date) -> list[ModelFacts]:
    """The chat models to choose from, those to recommend first; never a retired one.

    Names that only repeat another model (a region before it, a date behind it) come last.
    """
    known = knowledge.models(provider) or {
        name: facts
        for other in knowledge.shared_catalogues(provider)
        for name, facts in knowledge.models(other).items()
    }
    current = [facts for facts in known.values() if not is_retired(facts, today)]
    chat = [facts for facts in current if facts.mode == "chat" and _is_model(facts, known)]
    chat = chat or [facts for facts in current if facts.mode in ("completion", "responses")]
    about = knowledge.provider(provider)
    if not chat and about is not None and not about.chat:
        chat = current
    families: dict[tuple[str, ...], list[ModelFacts]] = defaultdict(list)
    for facts in chat:
        families[_parsed(facts.name).family].append(facts)
    for members in families.values():
        members.sort(key=lambda facts: (_parsed(facts.name).rank, -len(facts.name)), reverse=True)
    heads = sorted(
        families.values(),
        key=lambda m: (
            not _ASIDE & set(_parsed(m[0].name).family),
            (m[0].max_input_tokens or _SMALLEST_CONTEXT) >= _SMALLEST_CONTEXT,
            m[0].input_cost_per_token is not None,
            min(len(m), 3),  # a main line has had several versions
            _parsed(m[0].name).rank,
            len(m),
        ),
        reverse=True,
    )
    return [m[0] for m in heads] + [facts for m in heads for facts in m[1:]]


def recommended(provider: str, today: dt.date) -> list[ModelFacts]:
    """What a provider gets when no model is named: the newest of its main lines.

    Nothing for a server of one's own: what it serves is known there only.
    """
    facts = knowledge.provider(provider)
    if facts is None or is_own_server(facts):
        return []
    soon = today + dt.timedelta(days=90)
    lasting = [facts for facts in offers(provider, today) if not is_retired(facts, soon)]
    families = {_parsed(facts.name).family: facts for facts in reversed(lasting)}
    chosen = [facts for facts in lasting if families[_parsed(facts.name).family] is facts]
    return chosen[:RECOMMENDED]


def is_own_server(facts: ProviderFacts) -> bool:
    """Whether a provider is reached at the user's own address, with the user's own models."""
    default = facts.api_base.default
    return facts.api_base.required or (default is not None and wiring.is_loopback(default))


def _is_model(facts: ModelFacts, known: Collection[str]) -> bool:
    """No wildcard, no commitment plan, no price list entry, no regional copy of another entry."""
    _, slash, rest = facts.name.partition("/")
    is_copy = bool(slash) and (rest in known or rest.rpartition("/")[2] in known)
    has_limit = facts.max_input_tokens is not None or facts.input_cost_per_token is not None
    return has_limit and not is_copy and "*" not in facts.name and "commitment" not in facts.name


class _Parsed(NamedTuple):
    """`claude-sonnet-4-5-20250929`: family (claude, sonnet), version (4, 5), dated."""

    family: tuple[str, ...]
    version: tuple[int, ...]
    date: int
    region: str

    @property
    def rank(self) -> tuple[tuple[int, ...], bool, int, int]:
        """Newer is higher; of one version, the name without a date, which stays current."""
        return self.version, not self.date, self.date, ("eu", "us", "", "global").index(self.region)


def _day(month: str, year: str, long: str, short: str) -> int:
    """A date as YYYYMMDD, as far as the name says."""
    if year:
        return int(f"{year}{month}00")
    return int(long.replace("-", "")) if long else int(f"20{short.ljust(6, '0')}")


@functools.cache
def _parsed(name: str) -> _Parsed:
    base = name.rpartition("/")[2].lower().replace("ft:", "ft-").removesuffix("@default")
    region = _REGION.match(base)
    base = _REGION.sub("", base)
    date = max((_day(*found.groups()) for found in _DATE.finditer(base)), default=0)
    base = _DATE.sub("-", base)
    sizes = tuple(_SIZE.findall(base))
    family: list[str] = []
    version: list[int] = []
    for word in _WORD.findall(_SIZE.sub("-", base)):
        if not word[0].isdigit():
            family.append(word)
            continue
        whole, *parts = re.split(r"[.p]", word)
        # 4.20 is older than 4.7: what follows the point counts as a fraction.
        version += map(int, (whole, *(part.ljust(2, "0")[:2] for part in parts)))
    while version and version[-1] == 0:
        version.pop()
    place = "" if region is None else region[1] if region[1] in ("global", "us") else "eu"
    return _Parsed((*family, *sizes), tuple(version), date, place)


def search(pattern: str, today: dt.date, *, everything: bool = False) -> Iterator[ModelFacts]:
    """Catalogue entries whose `provider/name` holds `pattern`, or matches it if it has a * or ?.

    Chat models that are not retired, unless `everything` is asked for.
    """
    wanted = pattern.lower()
    glob = any(character in wanted for character in "*?[")
    for provider in sorted(knowledge.providers()):
        for facts in knowledge.models(provider).values():
            full = full_name(facts).lower()
            found = fnmatch.fnmatchcase(full, wanted) if glob else wanted in full
            is_current = facts.mode in ("chat", "responses") and not is_retired(facts, today)
            if found and (everything or is_current):
                yield facts


def full_name(facts: ModelFacts) -> str:
    """The model as `litellm_params.model` names it."""
    return f"{facts.provider}/{facts.name}"


HEADERS = ("model", "context", "$/M in", "$/M out", "retires")


def as_row(facts: ModelFacts, today: dt.date) -> tuple[str, ...]:
    """A model for a table with HEADERS."""
    date = facts.deprecation_date or "-"
    return (
        full_name(facts),
        context(facts),
        price(facts.input_cost_per_token),
        price(facts.output_cost_per_token),
        f"retired {date}" if is_retired(facts, today) else date,
    )


def as_data(facts: ModelFacts, today: dt.date) -> dict[str, str | int | float | bool | None]:
    """A model for a program; costs in US dollars a token."""
    return {
        "model": full_name(facts),
        "mode": facts.mode,
        "max_input_tokens": facts.max_input_tokens,
        "max_output_tokens": facts.max_output_tokens,
        "input_cost_per_token": facts.input_cost_per_token,
        "output_cost_per_token": facts.output_cost_per_token,
        "retires": facts.deprecation_date,
        "is_retired": is_retired(facts, today),
    }


def context(facts: ModelFacts) -> str:
    """The context window: `200k`, `1M`, or `-`."""
    tokens = facts.max_input_tokens
    if not tokens:
        return "-"
    if tokens >= 1_000_000:
        return f"{tokens / 1_000_000:.2g}M"
    return f"{round(tokens / 1000)}k" if tokens >= 1000 else str(tokens)


def price(cost_per_token: float | None) -> str:
    """US dollars a million tokens: `$2.50`, `free`, or `-` where the catalogue does not say."""
    if cost_per_token is None:
        return "-"
    dollars = round(cost_per_token * 1_000_000, 6)
    if not dollars:
        return "free"
    return f"${dollars:.2f}" if dollars >= 0.1 else f"${dollars:.2g}"


def providers() -> list[str]:
    """Every provider that can be added: chat, and without a login in a browser."""
    return sorted(
        name
        for name, facts in knowledge.providers().items()
        if facts.chat and not facts.interactive_login
    )
