"""The known word that a typo was meant to be."""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence

_CUTOFF = 0.75
_MAX_KNOWN = 1000
"""Among more words, each typo would be compared for too long."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The word a typo was meant to be, or "" when none is near."""
    # A frozenset caches its hash, so a question does not walk thousands of names again.
    return _nearest(word, known if isinstance(known, frozenset) else tuple(known))


@functools.lru_cache(maxsize=4096)  # a typo is often made in every entry of a list
def _nearest(word: str, known: frozenset[str] | tuple[str, ...]) -> str:
    size = len(word)
    if size > 80:
        return ""
    folded, by_size = _index(known)
    same = folded.get(_folded(word))
    if same:
        return same
    # difflib cannot pair a letter that only one of the words has, so most words drop out here.
    # Comparing each of thousands of unknown keys with each known one would take seconds.
    own, near = _letters(word), 2 + size // 3
    likely = [
        each
        for length in range(size - near, size + near + 1)
        for each, letters in by_size.get(length, ())
        if _CUTOFF * (size + length)
        <= 2 * min(size - (own & ~letters).bit_count(), length - (letters & ~own).bit_count())
    ]
    if not likely:
        return ""
    import difflib

    near_ones = difflib.get_close_matches(word, likely, n=3, cutoff=_CUTOFF)
    return next((each for each in near_ones if _is_word_by_word(word, each)), "")


def _is_word_by_word(name: str, other: str) -> bool:
    """Whether two names like `max_budget` differ in letters and one more word at most.

    `default_end_user_params` was not meant to be `default_internal_user_params`, nor
    `disable_checks` to be `enable_checks`, though most of their letters are the same.
    """
    import difflib

    ours, theirs = (_folded(each).split("_") for each in (name, other))
    if abs(len(ours) - len(theirs)) > 1:
        return False
    parts = difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    return all(
        _is_one_word("".join(ours[a:b]), "".join(theirs[c:d]))
        for kind, a, b, c, d in parts
        if kind == "replace"
    )


def _is_one_word(word: str, other: str) -> bool:
    import difflib

    if frozenset((word, other)) in _OPPOSITES:
        return False
    alike = difflib.SequenceMatcher(None, word, other, autojunk=False).ratio()
    return alike >= _ONE_WORD or sorted(word) == sorted(other)


_ONE_WORD = 0.65
_OPPOSITES = frozenset(
    map(frozenset, (("enable", "disable"), ("internal", "external"), ("rpm", "tpm")))
)
"""Words of which each means something else than the other, though they look alike."""


@functools.lru_cache(maxsize=32)
def _index(
    known: frozenset[str] | tuple[str, ...],
) -> tuple[Mapping[str, str], Mapping[int, Sequence[tuple[str, int]]]]:
    """The known words by how they look without case and dashes; and by length, with letters."""
    by_size: dict[int, list[tuple[str, int]]] = {}
    for each in known if len(known) <= _MAX_KNOWN else ():
        by_size.setdefault(len(each), []).append((each, _letters(each)))
    return {_folded(each): each for each in sorted(known)}, by_size


def _folded(word: str) -> str:
    return word.lower().replace("-", "_")


def _letters(word: str) -> int:
    """The characters of a word as a set of bits; two characters may share one."""
    bits = 0
    for character in word:
        bits |= 1 << (ord(character) & 127)
    return bits


def closest(word: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The words that share most with a name of several parts, best first; newer before older.

    For names that are no typo: `claude-sonnet-9` is near `claude-sonnet-5-5`. () for nothing near.
    """
    return _closest(word, frozenset(known), count)


@functools.lru_cache(maxsize=256)
def _closest(word: str, known: frozenset[str], count: int) -> tuple[str, ...]:
    wanted = _parts(word)
    scored = []
    for each, parts, numbers in _taken_apart(known):
        shared = sum(min(len(a), len(b)) for a in wanted for b in parts if a == b)
        if shared >= 3:
            size = sum(map(len, wanted | parts))
            scored.append((round(shared / size, 1), numbers, -len(each), each))
    best = tuple(each for *_, each in sorted(scored, reverse=True)[:count])
    return best or _alike(re.sub(r"\d", "0", word), known, count)


@functools.lru_cache(maxsize=256)
def _alike(word: str, known: frozenset[str], count: int) -> tuple[str, ...]:
    """The words that look most like one; its numbers are no part of how it looks."""
    import difflib

    return tuple(difflib.get_close_matches(word, sorted(known)[:_MAX_KNOWN], count, 0.6))


@functools.lru_cache(maxsize=32)
def _taken_apart(
    known: frozenset[str],
) -> tuple[tuple[str, frozenset[str], tuple[int, ...]], ...]:
    return tuple((each, _parts(each), _numbers(each)) for each in known)


def _parts(name: str) -> frozenset[str]:
    """The words and numbers of a name: `Llama-3.3-70B` has llama, 3, 3 and 70b."""
    return frozenset(re.findall(r"[a-z]+(?=[^a-z]|$)|\d+[a-z]?", name.lower()))


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", name)[:3] if len(each) < 3)
