"""Hide what is secret in a text that is shown, and leave the rest readable.

What a rule or a key file has given is hidden wherever it occurs; what has the shape of a key, and
in a text that a user wrote also what is called like one, is hidden besides.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote

from nixcfg.keys import shapes
from nixcfg.keys.written import fields

_SHORTEST = 4
"""A shorter text is a part of too many words; in its own place it is hidden all the same."""
_WORD = 8
"""A shorter secret of letters alone may be a word of the message, so only a quotation is hidden."""
_HEAD = 12
"""Of a longer secret this beginning is enough to know it by, where a message has cut it off."""


def masked(text: str, secrets: Collection[str] = (), *, source: bool = False) -> str:
    """The text with everything secret as asterisks, each character as one.

    `secrets` are exact texts. `source`: a user wrote it, so `api_key: anything` holds a key too.
    """
    found = [*_known(text, secrets), *shapes.spans(text)]
    if source:
        found += fields(text)
    if not found:
        return text
    characters = list(text)
    for start, end in found:
        for at in range(start, end):
            if characters[at] not in "\r\n":
                characters[at] = "*"
    return "".join(characters)


def _known(text: str, secrets: Collection[str]) -> Iterator[tuple[int, int]]:
    known = _index(frozenset(secrets)) if secrets else {}
    for at in range(len(text) - _SHORTEST + 1 if known else 0):
        for form in known.get(text[at : at + _SHORTEST], ()):
            if text.startswith(form[:_HEAD], at) and (end := _end(text, at, form)):
                yield at, end


@lru_cache(maxsize=4)
def _index(secrets: frozenset[str]) -> Mapping[str, Sequence[str]]:
    """Every form of every secret by its first characters: a file may hold thousands."""
    found: dict[str, list[str]] = {}
    for form in {form for secret in secrets for form in _forms(secret)} - {shapes.MISSING_KEY}:
        found.setdefault(form[:_SHORTEST], []).append(form)
    return found


def _end(text: str, at: int, form: str) -> int:
    """Where the secret that begins `at` ends; 0 where it is a part of another word."""
    if len(form) < _HEAD:
        before, after = text[at - 1 : at], text[at + len(form) : at + len(form) + 1]
        if form.isalpha() and len(form) < _WORD:
            return at + len(form) if before == after in ('"', "'") else 0
        return 0 if before.isalnum() or after.isalnum() else at + len(form)
    length = _HEAD
    while length < len(form) and text[at + length : at + length + 1] == form[length]:
        length += 1
    return at + length


def _forms(secret: str) -> Iterator[str]:
    """How a secret is written in messages: as it is, line by line, in JSON, in a URL."""
    for line in {secret, *secret.splitlines()}:
        bare = line.strip()
        if len(bare) >= _SHORTEST:
            yield from {bare, json.dumps(bare)[1:-1], repr(bare)[1:-1], quote(bare, safe="")}
