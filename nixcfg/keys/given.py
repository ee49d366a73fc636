"""Keys that someone wrote on a command line, where the shell's history and everyone's process list
have them. They are never repeated, whichever command was meant and whatever it prints.
"""

import os
from collections.abc import Iterable, Iterator
from typing import TextIO

EXPOSED = (
    "A key on the command line is in the shell's history now, and everyone on this machine could "
    "read it in the list of processes. Revoke it at its vendor and make another; "
    "`nixcfg set-key NAME` asks for it."
)
_SHORTEST = 12
"""Characters. No vendor's key is shorter, and most arguments are."""


def keys_in(arguments: Iterable[str]) -> tuple[str, ...]:
    """The keys among some arguments, whole words, also behind `NAME=`. A path is none."""
    found: list[str] = []
    for argument in arguments:
        if len(argument) >= _SHORTEST and any(map(str.isdigit, argument)):
            found += _in(argument)
    return tuple(dict.fromkeys(found))


def _in(argument: str) -> Iterator[str]:
    from nixcfg.keys import shapes  # most command lines need none of it

    name, _, value = argument.partition("=")
    if shapes.names_secret(name) and shapes.looks_like_key(value):
        yield value
        return
    for text in (argument, value if name else ""):
        if len(text) < _SHORTEST or os.path.exists(text):  # noqa: PTH110 (a text, maybe no path)
            continue
        # An AWS secret may begin with a slash, but not with a folder.
        folder = os.path.dirname(text)  # noqa: PTH120 (a text, maybe no path)
        is_path = folder not in ("", "/") and os.path.isdir(folder)  # noqa: PTH112
        found = [text[start:end] for start, end in shapes.spans(text)]
        found = [each for each in found if not is_path or shapes.has_prefix(each)]
        is_whole = not is_path and "://" not in text and "=" not in text.rstrip("=")
        # What is random in parts is no word in between either.
        yield from [text] if found and is_whole and shapes.looks_like_key(text) else found


class Hiding:
    """A stream that shows asterisks for some keys; all else is that of the stream behind it."""

    def __init__(self, stream: TextIO, keys: Iterable[str]) -> None:
        self._stream, self._keys = stream, sorted(keys, key=len, reverse=True)

    def write(self, text: str) -> int:
        for key in self._keys:
            text = text.replace(key, "*" * 8)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)
