"""Which models of a provider to offer, the newest and most used first. Pure.

Everything comes from nixcfg.knowledge, which has no dates of release. So the evidence is what a
name says (version, date), whether the same line is newer anywhere in the catalogue, the size of the
window, the price, the day of retirement, and how many providers list models of that brand. Today's
date comes from the caller.
"""

import bisect
import datetime as dt
import functools
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from nixcfg import knowledge
from nixcfg.knowledge import Knowledge, ModelFacts, ProviderFacts
from nixcfg.project import wiring
from nixcfg.providers.catalogue import is_retired
from nixcfg.providers.names import NAMES, Called

RECOMMENDED = 3
"""How many models a provider gets when none is named."""

_SIZE = re.compile(r"\d+(?:[.p]\d+)?[bmkt](?![a-z])")
_WORD = re.compile(r"\d+(?:[.p]\d+)*|[^\W\d_]+")
_REGION = re.compile(r"^(global|us|eu|apac|jp|au|ca|in|us-gov)\.")
"""What Bedrock puts before a model's name for the regions that may answer."""
_MAKER = re.compile(r"[a-z][a-z0-9]*\.(?=[a-z])")
_MAKERS = frozenset({"amazon", "anthropic", "google", "meta", "openai", "zai"})
"""What some names have before their brand: `meta-llama-3.3`."""
_FORMS = frozenset({"it", "instruct"})
"""Words that say how a model was trained to answer, not which it is."""
_DATE = re.compile(
    r"(?<!\d)(?:(?P<month>\d\d)-(?P<year>20\d\d)|(?P<long>20\d\d-?\d\d-?\d\d)|(?P<short>\d{6}|\d{4}))"
    r"(?!\d)"
)
"""How names are dated: 08-2024, 20250929, 2025-09-29, 260915, 2512."""
_ASIDE = frozenset(
    {"preview", "beta", "alpha", "exp", "experimental", "latest", "ft", "guard", "safeguard"}
    | {"audio", "tts", "transcribe", "translate", "image", "search", "embed", "computer"}
    | {"research", "distill", "vision", "online", "nightly", "query"}
    | {"agent", "code", "coder", "contributor", "disc", "draft", "gv", "live", "multi", "ocr"}
    | {"realtime", "thinking", "vl"}
)
"""Words in the names of models that are no first choice for a chat."""
_SOON = dt.timedelta(days=90)
_USUAL_CONTEXT = 32_000
"""Tokens; what has a smaller window was made before 2024, or for something else."""


def offers(provider: str, today: dt.date) -> list[ModelFacts]:
    """The chat models to choose from, those to recommend first; never a retired one.

    Names that only repeat another model (a region before it, a date behind it) come last.
    """
    known = {
        name: facts
        for each in (*knowledge.shared_catalogues(provider), provider)
        for name, facts in knowledge.models(each).items()
    }
    current = [facts for facts in known.values() if not is_retired(facts, today)]
    chat = [facts for facts in current if facts.mode == "chat" and _is_model(facts, known)]
    chat = chat or [facts for facts in current if facts.mode in ("completion", "responses")]
    about = knowledge.provider(provider)
    if not chat and about is not None and not about.chat:
        chat = current
    lines: dict[tuple[str, ...], list[ModelFacts]] = defaultdict(list)
    for facts in chat:
        lines[_parsed(facts.name).line].append(facts)
    for members in lines.values():
        members.sort(key=lambda facts: (_parsed(facts.name).rank, -len(facts.name)), reverse=True)
    heads = _ordered(provider, list(lines.values()), today + _SOON)
    return [m[0] for m in heads] + [facts for m in heads for facts in m[1:]]


_Line = Sequence[ModelFacts]
"""The models that differ in version, date or region alone, newest first."""


def _ordered(provider: str, lines: list[_Line], soon: dt.date) -> list[_Line]:
    """A vendor's own brand first, newest first; where many brands are served, each in turn."""
    used = Counter(_brand(line) for line in lines for _ in line)
    own = {brand for brand in used if _is_own(brand, provider) and 4 * used[brand] > used.total()}
    lines.sort(key=lambda line: _worth(line, own, soon), reverse=True)
    good = [line for line in lines if all(_gates(line[0], own, soon))]
    brands = Counter(_brand(line) for line in good)
    if own & {*brands}:
        return sorted(lines, key=lambda line: line in good and _brand(line) in own, reverse=True)
    if not brands or 2 * max(brands.values()) > brands.total():
        return lines
    # Versions of different brands say nothing about which of them is newer.
    first: dict[str, _Line] = {}
    for line in good:
        first.setdefault(_brand(line), line)
    heads = sorted(first.values(), key=lambda line: used[_brand(line)], reverse=True)
    return [*heads, *(line for line in lines if line not in heads)]


def _brand(line: _Line) -> str:
    return _parsed(line[0].name).brand


def _is_own(brand: str, provider: str) -> bool:
    """Whether a provider is the home of a brand, not one of those that serve it too."""
    called = NAMES.get(brand, Called((brand,)))
    return not {provider, *knowledge.shared_catalogues(provider)}.isdisjoint(called.providers)


def _gates(facts: ModelFacts, own: Collection[str], soon: dt.date) -> tuple[bool, ...]:
    """What a first choice has to pass. Of its own brand a vendor knows best what is current."""
    parsed = _parsed(facts.name)
    window = facts.max_input_tokens
    return (
        not _ASIDE & set(parsed.line) and not is_retired(facts, soon),
        window is None or window >= _USUAL_CONTEXT,
        facts.input_cost_per_token is not None,
        parsed.brand in own or parsed.version[:1] >= _evidence().majors.get(parsed.brand, ()),
    )


def _worth(line: _Line, own: Collection[str], soon: dt.date) -> tuple[object, ...]:
    """How much speaks for the newest of a line: higher is better."""
    parsed = _parsed(line[0].name)
    return (
        *_gates(line[0], own, soon),
        parsed.version,
        parsed.date // 10_000,
        len(line),  # a main line has had several versions
        _evidence().popularity[parsed.line],
    )


class _Evidence(NamedTuple):
    """What all providers together say: of each brand its newest major version and its versions, as
    `_negative` orders them; of each line how many providers list a model.
    """

    majors: Mapping[str, tuple[int, ...]]
    versions: Mapping[str, Sequence[tuple[int, ...]]]
    popularity: Counter[tuple[str, ...]]


def _evidence() -> _Evidence:
    return _evidence_of(knowledge.current())


@functools.cache
def _evidence_of(release: Knowledge) -> _Evidence:
    versions: dict[str, set[tuple[int, ...]]] = defaultdict(set)
    popularity: Counter[tuple[str, ...]] = Counter()
    for provider in release.providers():
        models = release.models(provider).values()
        parsed = [_parsed(facts.name) for facts in models if facts.mode == "chat"]
        popularity.update({each.line for each in parsed})
        for each in parsed:
            # A number above it is a date.
            if _ASIDE.isdisjoint(each.line) and () < each.version < (100,):
                versions[each.brand].add(each.version)
    return _Evidence(
        {brand: max(each)[:1] for brand, each in versions.items()},
        {brand: sorted(map(_negative, each)) for brand, each in versions.items()},
        popularity,
    )


def brand_of(facts: ModelFacts) -> str:
    """What a model is called before its line and version: `claude`, `gpt`."""
    return _parsed(facts.name).brand


def age(facts: ModelFacts) -> tuple[int, bool, int, int]:
    """How many versions of its brand are newer, then what is no first choice, rare, and old.

    Lower is newer and more used. Versions of different brands cannot be compared, but how far
    behind each one is can. A name without a version is as old as the oldest, unless it says that it
    is the latest.
    """
    parsed = _parsed(facts.name)
    versions = _evidence().versions.get(parsed.brand, ())
    behind = bisect.bisect_left(versions, _negative(parsed.version))
    if not parsed.version:
        behind = 0 if "latest" in parsed.line else len(versions)
    is_aside = not _ASIDE.isdisjoint(parsed.line)
    return behind, is_aside, -_evidence().popularity[parsed.line], -parsed.date


def _negative(version: tuple[int, ...]) -> tuple[int, ...]:
    """A version in the order that has the newest first, 5.5 before 5."""
    return tuple(-part for part in (*version, 0, 0, 0)[:4])


def recommended(provider: str, today: dt.date) -> list[ModelFacts]:
    """What a provider gets when no model is named: the newest of its main lines.

    Nothing where the models are one's own: what there is, is known there only.
    """
    facts = knowledge.provider(provider)
    if facts is None or is_own_server(facts) or names_own_models(facts):
        return []
    lasting = [f for f in offers(provider, today) if not is_retired(f, today + _SOON)]
    lines = {_parsed(facts.name).line: facts for facts in reversed(lasting)}
    chosen = [facts for facts in lasting if lines[_parsed(facts.name).line] is facts]
    return chosen[:RECOMMENDED]


def is_own_server(facts: ProviderFacts) -> bool:
    """Whether a provider is reached at the user's own address, with the user's own models."""
    default = facts.api_base.default
    return facts.api_base.required or (default is not None and wiring.is_loopback(default))


def names_own_models(facts: ProviderFacts) -> bool:
    """Whether a model there is an endpoint of one's own account, with a name of one's own."""
    return facts.name in ("sagemaker", "sagemaker_chat", "sagemaker_nova")


def _is_model(facts: ModelFacts, known: Collection[str]) -> bool:
    """No wildcard, no commitment plan, no price list entry, no regional copy of another entry."""
    _, slash, rest = facts.name.partition("/")
    is_copy = bool(slash) and (rest in known or rest.rpartition("/")[2] in known)
    tier = facts.provider.replace("_", "-") + "-"  # `together-ai-21.1b-41b` is a price
    if "_" in facts.provider and facts.name.startswith(tier):
        return False
    has_limit = facts.max_input_tokens is not None or facts.input_cost_per_token is not None
    return has_limit and not is_copy and "*" not in facts.name and "commitment" not in facts.name


class _Parsed(NamedTuple):
    """`claude-sonnet-4-5-20250929`: brand claude, line (claude, sonnet), version (4, 5), dated."""

    brand: str
    line: tuple[str, ...]
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
    if _MAKER.match(base):  # Bedrock's `anthropic.claude-opus-5-v1:0`
        base = re.sub(r"-v\d+(:\d+)?$", "", _MAKER.sub("", base))
    date = max((_day(*found.groups()) for found in _DATE.finditer(base)), default=0)
    base = _DATE.sub("-", base)
    sizes = tuple(_SIZE.findall(base))
    words: list[str] = []
    version: list[int] = []
    for word in _WORD.findall(_SIZE.sub("-", base)):
        if not word[0].isdigit():
            words.append(word)
            continue
        # 4.20 is older than 4.7, and 5-5 is 5.5: what follows counts as a fraction.
        for part in re.split(r"[.p]", word):
            version.append(int(part.ljust(2, "0")[:2] if version else part))
    while version and version[-1] == 0:
        version.pop()
    place = "" if region is None else region[1] if region[1] in ("global", "us") else "eu"
    if len(words) > 1 and words[0] in _MAKERS:
        del words[0]
    line = tuple(word for word in words if word not in _FORMS)
    brand = next((word for word in words if word != "ft"), "")
    brand = "gpt" if brand == "o" else brand  # o4-mini
    return _Parsed(brand, (*line, *sizes), tuple(version), date, place)
