"""The secrets that are written out in a text: what stands under a name that says so.

Most of such texts are YAML, many are not valid, and some are logs, Nix or a diff; so this looks at
the characters. What YAML itself says the values are is looked at besides, where it could be read.
"""

import re
from collections.abc import Iterator
from typing import Any

from nixcfg.keys.shapes import (
    is_harmless,
    is_pasted,
    names_key_file,
    names_no_secret,
    names_secret,
    password_in_url,
)

# A name has a letter: 1:59:59 is a number.
_NAME = re.compile(r"(?<![\w.-])(?=[\d.-]*[^\W\d])(?P<name>[\w.-]++)[\"']?[ \t]*+(?:=>|[:=])[ \t]*")
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]*)*")
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)*)(?:\"|$)|'((?:[^']|'')*)(?:'|$)", re.DOTALL)
_BLOCK = re.compile(r"[|>][0-9+-]*[ \t]*(?:#[^\n]*)?(?:\n|$)")
_PLAIN = re.compile(r"(?:(?![ \t]#)[^\n\r])*")
_IN_FLOW = re.compile(r"(?:(?![ \t]#)[^\n\r,}\]])*")
_STRING = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'"
_FLOW_TOKEN = re.compile(
    rf"(?P<key>{_STRING}|[^\s,\[\]{{}}:\"'][^,\[\]{{}}\n:]*):(?=[\s\"'])"
    r"|\"((?:[^\"\\]|\\.)*)\"|'((?:[^']|'')*)'"
    r"|([^\s,\[\]{}\"'](?:[^,\[\]{}\n:]|:(?!\s))*)"
)
_ENTRY = re.compile(r"[ \t]*(?:- +)*(?:([^\s:#][^:\n]*):(?:[ \t]+|$))?")
_DUMMY = re.compile(r"[a-z]+(?:[ _-][a-z]+)*", re.IGNORECASE)
_ASSIGNED = re.compile(r"([A-Za-z_][\w.-]*)=(.+)", re.DOTALL)
_PARAMETER = re.compile(r"[?&]([\w.-]+)=([^&#\s]+)")


def written(text: str, data: Any) -> frozenset[str]:
    """The secrets in a file: `text` as it is written, `data` as YAML reads it (None: not at all).

    Words such as `none` or `ollama`, which servers that want no key are given, are not among them.
    """
    found = {text[start:end] for start, end in fields(text)}
    found.update(_in_data(data))
    return frozenset(each for each in found if _is_worth_it(each))


def _is_worth_it(text: str) -> bool:
    is_word = len(text) < 16 and _DUMMY.fullmatch(text)
    return not (len(text) < 4 or is_word or text == "sk-1234" or is_harmless(text))


def _in_data(data: Any) -> Iterator[str]:
    """What is secret in a YAML document by the names above it, at any depth.

    A value is looked at once as what it is and once as a secret, however many aliases name it.
    """
    seen: set[tuple[int, bool]] = set()
    left: list[tuple[Any, bool]] = [(data, False)]
    while left:
        value, is_secret = left.pop()
        if isinstance(value, dict | list):
            if not value or (id(value), is_secret) in seen:
                continue
            seen.add((id(value), is_secret))
        if isinstance(value, dict):
            name = value.get("name")
            named = isinstance(name, str) and names_secret(name)
            for key, inner in value.items():
                says = names_secret(str(key)) or (named and key == "value")
                says = says or (is_secret and not names_no_secret(str(key)))
                left.append((inner, says or _is_pasted(str(key), inner)))
        elif isinstance(value, list):
            left += [(inner, is_secret) for inner in value]
        elif isinstance(value, str):
            yield from _in_text(value, is_secret=is_secret)
        elif is_secret and value is not None and not isinstance(value, bool):
            yield str(value)


def _is_pasted(name: str, value: Any) -> bool:
    return isinstance(value, str) and names_key_file(name) and is_pasted(value)


def _in_text(text: str, *, is_secret: bool) -> Iterator[str]:
    if "://" in text:
        if password := password_in_url(text):
            yield password
        yield from (value for name, value in _PARAMETER.findall(text) if names_secret(name))
    if is_secret:
        yield text.removeprefix("Bearer ")
    elif "=" in text:
        assigned = _ASSIGNED.fullmatch(text)
        if assigned and names_secret(assigned[1]):
            yield assigned[2]


def fields(text: str) -> Iterator[tuple[int, int]]:
    """Where in a text the values stand that belong to the name of a secret."""
    at = 0
    while found := _NAME.search(text, at):
        at = found.end()
        is_file = names_key_file(found["name"])
        if is_file or names_secret(found["name"]):
            for start, end in _values(text, found.start(), found.end()):
                at = max(at, end)  # what is below the name is looked at once
                value = text[start:end]
                if value and not is_harmless(value) and (not is_file or is_pasted(value)):
                    yield start, end


def _values(text: str, name: int, at: int) -> Iterator[tuple[int, int]]:
    """The values of the name that stands at `name`; what belongs to it begins `at`."""
    line = text.rfind("\n", 0, name) + 1
    properties = _PROPERTIES.match(text, at)
    at = properties.end() if properties else at
    first = text[at : at + 1]
    is_comment = text[line:name].lstrip(" \t+-").startswith("#")
    if first in ('"', "'"):
        start, end = _inside(_QUOTED, text, at)
        yield start, min(end, _end_of_line(text, at)) if is_comment else end
    elif first in ("[", "{"):
        yield from _flow(text, at)
    elif first in ("|", ">") and (block := _BLOCK.match(text, at)):
        yield from () if is_comment else _below(text, block.end(), name - line, is_block=True)
    elif first in ("", "\n", "\r", "#"):
        after = text.find("\n", at) + 1
        yield from _below(text, after, name - line) if after and not is_comment else ()
    elif first != "*":
        before = text[line:name]
        is_flow = sum(map(before.count, "{[")) > sum(map(before.count, "}]"))
        start, end = _inside(_IN_FLOW if is_flow else _PLAIN, text, at)
        end = start + len(_bare(text[start:end]))
        yield start, end
        after = text.find("\n", end) + 1
        if after and not is_comment and not is_flow and not is_harmless(text[start:end]):
            yield from _below(text, after, name - line, is_more=True)


def _inside(pattern: re.Pattern[str], text: str, at: int) -> tuple[int, int]:
    found = pattern.match(text, at)
    return found.span(found.lastindex or 0) if found else (at, at)


def _bare(value: str) -> str:
    """A plain value without what ends it in Nix, in JSON and in a list on one line."""
    value = value.rstrip(" \t,;")
    while value[-1:] in ("}", "]", ")") and not any(map(value.count, "{[(")):
        value = value[:-1].rstrip(" \t,;")
    return value


def _flow(text: str, at: int) -> Iterator[tuple[int, int]]:
    """All values up to the bracket that closes the one at `at`."""
    depth, end = 0, at
    for end in range(at, len(text)):
        depth += (text[end] in "[{") - (text[end] in "]}")
        if depth == 0:
            break
    name = ""
    for found in _FLOW_TOKEN.finditer(text, at, end + 1):
        if found["key"]:
            name = found["key"].strip(" \"'")
        elif not names_no_secret(name) or _is_pasted(name, found[0]):
            start, stop = found.span(found.lastindex or 0)
            yield start, start + len(text[start:stop].rstrip())
    yield end, end


def _below(
    text: str, at: int, column: int, *, is_block: bool = False, is_more: bool = False
) -> Iterator[tuple[int, int]]:
    """The values in the lines below a name that stands in `column`, as far as they are its own.

    `is_block`: they are a text, whatever they look like. `is_more`: they go on with a text, so
    that what looks like an entry is one of the next lines.
    """
    while at < len(text):
        end = _end_of_line(text, at)
        line = text[at:end]
        bare = line.strip()
        indent = len(line) - len(line.lstrip(" \t"))
        is_item = indent == column and bare.startswith("- ") and not (is_block or is_more)
        if bare and indent <= column and not is_item:
            break
        entry = _ENTRY.match(line)
        start = indent if is_block or entry is None else entry.end()
        if is_more and start > indent:
            break
        name = entry[1] if entry and not is_block and entry[1] else ""
        if bare and (is_block or not bare.startswith("#")) and not names_no_secret(name):
            value = line[start:].strip()
            start = at + line.index(value, start) if value else at + start
            quote = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            yield start + quote, start + len(value) - quote
        at = end + 1
    yield min(at, len(text)), min(at, len(text))


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
