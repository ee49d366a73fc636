"""Make a document of libyaml's events. Pure.

PyYAML's own composer recurses in C and takes the process down on deep nesting (measured with
PyYAML 6.0.3), and it passes over duplicate keys, keys that are not text and second documents.
"""

import re
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import yaml

from nixcfg.problems.problem import START, Problem, Related, Rule, Severity, Span
from nixcfg.yamltext.document import Document, Map, Seq, position, unpacked
from nixcfg.yamltext.limits import (
    MAX_DEPTH,
    MAX_KEYS,
    MAX_NUMBER,
    MAX_PROBLEMS,
    MAX_VALUES,
    TOO_MANY,
)
from nixcfg.yamltext.scalars import (
    LOADER,
    NUMBERS,
    RESOLVERS,
    TAG,
    construct,
    describe,
    is_number,
    plain,
)

_BEING_READ, _NO_KEY, _MERGE = object(), object(), object()
# What YAML 1.1 allows in a stream; libyaml itself names no line for the others.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Written in double quotes as "\x01"; Nix has no escape for them.
_NOT_FOR_NIX = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


class StopError(Exception):
    """Nothing usable can come of this document; the problems say why."""


class _Open:
    """A collection whose end has not been read yet.

    `spans` are packed: key and value in turn for a mapping, items for a sequence. `key` is where
    a mapping is at: `_NO_KEY` before a key, then the key, `_MERGE` for `<<`, or None for a key
    that was refused and whose value is dropped.
    """

    __slots__ = ("anchor", "at", "is_map", "key", "key_at", "merges", "result", "size", "spans")

    def __init__(self, at: int, anchor: str | None, *, is_map: bool) -> None:
        self.at = at
        self.anchor = anchor
        self.is_map = is_map
        self.result: Any = Map() if is_map else Seq()
        self.spans: list[int] = []
        self.key: Any = _NO_KEY
        self.key_at = 0
        self.merges: list[tuple[Any, int]] = []
        self.size = 1


NOT_YAML = Rule("NX003", Severity.ERROR)
DUPLICATE_KEY = Rule("NX004", Severity.ERROR, standalone=Severity.WARNING)
KEY_NOT_TEXT = Rule("NX005", Severity.ERROR, standalone=Severity.WARNING)
TOO_LARGE = Rule("NX006", Severity.ERROR)
CONTROL_CHARACTER = Rule("NX007", Severity.ERROR, standalone=Severity.WARNING)
ODD_SCALAR = Rule("NX008", Severity.WARNING)
EMPTY = Rule("NX009", Severity.ERROR)


class Builder:
    """Makes a document of libyaml's events; spans stay packed until one is asked for."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.counts: Counter[Severity] = Counter()
        self.spans: array[int] = array("Q")
        self.anchors: dict[str, Any] = {}
        self.stack: list[_Open] = []
        self.top: _Open | None = None
        self.root: Any = None
        self.root_span = START
        self.documents = 0

    def build(self) -> Document:
        text = self.document.text
        control = _UNPRINTABLE.search(text)
        if control:
            self.stop(
                CONTROL_CHARACTER,
                position(text, control.start()),
                f"LiteLLM does not start: control character U+{ord(control[0]):04X} in the file",
                "Remove it; a key or a name never needs one.",
            )
        take: Mapping[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self.scalar,
            yaml.MappingStartEvent: self.open,
            yaml.SequenceStartEvent: self.open,
            yaml.MappingEndEvent: self.close,
            yaml.SequenceEndEvent: self.close,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.start,
            yaml.DocumentEndEvent: _ignore,
            yaml.StreamStartEvent: _ignore,
        }
        next_event = LOADER(text).get_event  # yaml.parse would ask twice for each event
        end = yaml.StreamEndEvent
        while (kind := type(event := next_event())) is not end:
            take[kind](event)
        if self.root is None and not self.problems:
            self.stop(
                EMPTY, START, "the file is empty", "See `nixcfg schema` for what belongs here."
            )
        return Document(
            self.document.name,
            text,
            self.root,
            tuple(self.problems),
            self.root_span,
            self.spans,
        )

    def start(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self.stop(
                NOT_YAML,
                unpacked(packed_span(event)),
                "a second YAML document starts here",
                "Keep one document a file; remove the `---`.",
            )

    def open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        at = packed_span(event)
        if len(self.stack) >= MAX_DEPTH:
            self.stop(
                TOO_LARGE,
                unpacked(at),
                f"nested deeper than {MAX_DEPTH} levels",
                "No LiteLLM configuration nests this deep.",
            )
        is_map = type(event) is yaml.MappingStartEvent
        if event.tag is not None and event.tag not in ("!", TAG + ("map" if is_map else "seq")):
            self.report(NOT_YAML, at, f"unknown YAML tag {event.tag}", "Remove the tag.")
        if self.top is not None and self.top.is_map and self.top.key is _NO_KEY:
            self.report(KEY_NOT_TEXT, at, "a key must be text, not a collection", "")
        if event.anchor:
            self.name(event.anchor, _BEING_READ, at)
        self.top = _Open(at, event.anchor, is_map=is_map)
        self.stack.append(self.top)

    def name(self, anchor: str, value: Any, at: int) -> None:
        if anchor in self.anchors:
            # YAML allows it, but the reader that LiteLLM uses stops here.
            self.report(
                NOT_YAML, at, f"&{anchor} is defined a second time", "Give it another name."
            )
        self.anchors[anchor] = value

    def scalar(self, event: yaml.ScalarEvent) -> None:
        at = packed_span(event)
        value = self.value(event, at)
        if event.anchor:
            self.name(event.anchor, value, at)
        top = self.top
        if top is not None and top.is_map and top.key is _NO_KEY:
            self.key(top, event, value, at)
        else:
            self.put(value, at, 1)

    def key(self, top: _Open, event: yaml.ScalarEvent, value: Any, at: int) -> None:
        if event.value == "<<" and event.implicit[0]:
            top.key = _MERGE
            return
        if not isinstance(value, str):
            self.report(
                KEY_NOT_TEXT,
                at,
                f"YAML reads the key {event.value} as {describe(value)}",
                f'Quote it: "{event.value}".',
            )
            value = event.value
        # A configuration has few different keys, and each of them in every entry.
        top.key, top.key_at = sys.intern(value), at
        if value in top.result:
            first = unpacked(top.spans[2 * list(top.result).index(value)])
            self.report(
                DUPLICATE_KEY,
                at,
                f"{value} stands twice in this mapping; YAML keeps only the last",
                "Merge the two, or remove one.",
                [Related(self.document.name, first, "first defined here", self.document.secrets)],
            )
        elif len(top.result) >= MAX_KEYS:
            self.stop(TOO_LARGE, unpacked(at), f"more than {MAX_KEYS} keys in one mapping", "")

    def alias(self, event: yaml.AliasEvent) -> None:
        anchor = str(event.anchor)
        at = packed_span(event, fallback=len(anchor) + 1)
        if anchor not in self.anchors:
            self.stop(NOT_YAML, unpacked(at), f"*{anchor} names no anchor of this file", "")
        value = self.anchors[anchor]
        if value is _BEING_READ:
            self.stop(TOO_LARGE, unpacked(at), f"*{anchor} contains itself", "Remove the alias.")
        top = self.top
        if top is not None and top.is_map and top.key is _NO_KEY:
            self.report(KEY_NOT_TEXT, at, "a key must be written out, not an alias", "")
            top.key = None
            return
        self.put(value, at, getattr(value, "size", 1))

    def put(self, value: Any, at: int, size: int) -> None:
        top = self.top
        if top is None:
            self.root, self.root_span = value, unpacked(at)
            return
        top.size += size
        if top.size > MAX_VALUES:
            self.stop(
                TOO_LARGE,
                unpacked(at),
                f"expands to more than {MAX_VALUES} values",
                "Aliases multiply what they repeat; write fewer of them.",
            )
        if not top.is_map:
            top.result.append(value)
            top.spans.append(at)
            return
        key, top.key = top.key, _NO_KEY
        if key is _NO_KEY:
            top.key = None  # a collection as key: already reported, and its value is dropped
        elif key is _MERGE:
            top.merges.append((value, at))
        elif key is not None:
            if key in top.result:
                index = 2 * list(top.result).index(key)
                top.spans[index : index + 2] = top.key_at, at
            else:
                top.spans += top.key_at, at
            top.result[key] = value

    def close(self, _event: yaml.Event) -> None:
        done = self.stack.pop()
        self.top = self.stack[-1] if self.stack else None
        if done.merges:
            self.merge(done)
        result = done.result
        result.at, result.size = len(self.spans), done.size
        self.spans.extend(done.spans)
        if done.anchor:
            self.anchors[done.anchor] = result
        self.put(result, done.at, done.size)

    def merge(self, done: _Open) -> None:
        """`<<: *base`: the earlier mapping wins, and the mapping's own keys win over both."""
        entries: dict[str, tuple[int, int, Any]] = {}
        for merged, at in done.merges:
            for base in merged if isinstance(merged, Seq) else [merged]:
                if not isinstance(base, Map):
                    self.report(
                        NOT_YAML, at, "<< merges mappings only", "Name an anchor of a mapping."
                    )
                    continue
                spans = self.spans[base.at : base.at + 2 * len(base)]
                for (key, value), *place in zip(base.items(), spans[::2], spans[1::2], strict=True):
                    entries.setdefault(key, (*place, value))
        own = done.spans[::2], done.spans[1::2]
        for (key, value), *place in zip(done.result.items(), *own, strict=True):
            entries[key] = (*place, value)
        done.result = Map((key, value) for key, (_, _, value) in entries.items())
        done.spans = [at for key_at, at, _ in entries.values() for at in (key_at, at)]

    def value(self, event: yaml.ScalarEvent, at: int) -> Any:
        text: str = event.value
        if not text.isprintable():
            control = _NOT_FOR_NIX.search(text)
            if control:
                self.report(
                    CONTROL_CHARACTER,
                    at,
                    f"control character U+{ord(control[0]):04X} in a text",
                    "Only newline, tab and carriage return can be carried into Nix.",
                )
        if event.tag is None or event.tag == "!":
            if not event.implicit[0] or text[:1] not in RESOLVERS:
                return text
            if len(text) > MAX_NUMBER:
                return self.long(text, at) if is_number(text) else text
            value, odd = plain(text)
            top = self.top
            if odd and not (top is not None and top.is_map and top.key is _NO_KEY):
                self.report(ODD_SCALAR, at, f"YAML reads {text} as {odd}", f'Quote it: "{text}".')
            return value
        if len(text) > MAX_NUMBER and event.tag in NUMBERS:
            return self.long(text, at)
        try:
            return construct(event.tag, text)
        except (yaml.YAMLError, ValueError, AttributeError, KeyError, IndexError):
            # PyYAML's constructors take it that its resolver has checked the text.
            self.report(NOT_YAML, at, f"YAML tag {event.tag} does not fit here", "Remove the tag.")
            return text

    def long(self, text: str, at: int) -> str:
        self.report(TOO_LARGE, at, f"a number of {len(text)} digits", "Quote it, if it is a text.")
        return text

    def report(
        self, rule: Rule, at: int, message: str, help: str, related: Sequence[Related] = ()
    ) -> None:
        if self.counts[rule.severity] == MAX_PROBLEMS:
            if rule.severity is Severity.ERROR:
                self.stop(TOO_LARGE, unpacked(at), *TOO_MANY)
            return  # a warning more or less
        self.counts[rule.severity] += 1
        self.problems.append(
            self.document.problem_at(rule, unpacked(at), message, help=help, related=related)
        )

    def stop(self, rule: Rule, span: Span, message: str, help: str) -> NoReturn:
        problem = self.document.problem_at(rule, span, message, help=help)
        # What cannot be read stops LiteLLM too, also by a rule that is mild where a text has it.
        self.problems.append(replace(problem, level=Severity.ERROR))
        raise StopError


def _ignore(_event: yaml.Event) -> None:
    """Streams and documents that start and end say nothing about their content."""


def packed_span(event: yaml.Event, fallback: int = 1) -> int:
    """Where an event is: line, column and length as `unpacked` takes them apart."""
    start: Any = event.start_mark  # None only for events that were not parsed
    end: Any = event.end_mark
    line, column = start.line, start.column
    length = end.column - column if end.line == line else fallback
    if not 0 < length <= 0xFFFF:
        length = 0xFFFF if length else 1
    # 24 bits of line, 23 of column, 16 of length: a file has at most MAX_BYTES of either.
    packed: int = line + 1 << 39 | column + 1 << 16 | length
    return packed
