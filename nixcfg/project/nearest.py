"""The known word that a typo was meant to be."""

import functools
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

    return next(iter(difflib.get_close_matches(word, likely, n=1, cutoff=_CUTOFF)), "")


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
