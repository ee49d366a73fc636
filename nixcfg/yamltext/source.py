"""Read YAML strictly, and remember where everything stood.

The data is exactly what LiteLLM's own `yaml.safe_load` would give (YAML 1.1: `yes` is True), but
what PyYAML swallows in silence becomes a problem: duplicate keys, keys that are no text,
several documents in one file. The tree is built from libyaml's events because PyYAML's composer
recurses in C and takes the process down on deep nesting (measured with PyYAML 6.0.3).
"""

import datetime as dt
import functools
import json
import os
import re
import stat
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from nixcfg.problems.problem import START, Fix, Problem, Related, Rule, Severity, Span, reason
from nixcfg.yamltext.data import at as value_at

MAX_BYTES = 2 * 1024 * 1024
"""A provider file of 10,000 models has 1 MB; whatever is larger is not a configuration."""
MAX_DEPTH = 64
MAX_KEYS = 4_000
MAX_LINE = 10_000
"""Of longer lines no problem shows a piece: what in it is secret takes the whole line to say."""
MAX_NUMBER = 100
MAX_PROBLEMS = 300
"""Errors in one file, after which nobody reads on and nothing more is looked for."""
TOO_MANY = (
    "too many errors in this file",
    "Mend those before it; what comes after was not looked at.",
)
"""What is said there, and how to mend it."""
MAX_VALUES = 250_000
"""Values after aliases are expanded, which is what every later step walks over."""


class Map(dict[str, Any]):
    """A YAML mapping. `at` is where its spans start in the document, `size` its expanded values."""

    __slots__ = ("at", "size")
    at: int
    size: int


class Seq(list[Any]):
    """A YAML sequence, with `at` and `size` as in Map."""

    __slots__ = ("at", "size")
    at: int
    size: int


@dataclass(frozen=True, slots=True)
class Document:
    """One file as read.

    `name` is how messages call it (relative to the project, `/` between parts), `data` what YAML
    holds, or None where there is nothing usable; then `problems` says why.
    """

    name: str
    text: str = ""
    data: Any = None
    problems: tuple[Problem, ...] = ()
    root: Span = START
    _spans: "array[int]" = field(default_factory=lambda: array("Q"), repr=False)
    _orders: dict[int, dict[str, int]] = field(default_factory=dict, repr=False, compare=False)
    _secrets: list[frozenset[str]] = field(default_factory=list, repr=False, compare=False)

    def span(self, path: Sequence[str | int] = (), *, key: bool = False) -> Span:
        """Where the value at `path` stands, or its key with `key=True`.

        A path that leads nowhere gives the deepest place that exists on the way to it.
        """
        here, where = self.data, self.root
        for depth, step in enumerate(path):
            found = self._child(here, step)
            if found is None:
                return where
            key_span, value_span, here = found
            last = depth == len(path) - 1
            where = key_span if key and last else value_span
        return where

    def source(self, path: Sequence[str | int]) -> str:
        """How the scalar at `path` is written in the file."""
        span = self.span(path)
        return _line(self.text, span.line)[span.column - 1 :][: span.length]

    def lines(self) -> Sequence[str]:
        """All lines of the file, without their newlines."""
        return _lines(self.text)

    def line(self, number: int) -> str:
        """A line of the file, counted from 1, without its newline."""
        return _line(self.text, number)

    def problem(
        self,
        rule: Rule,
        path: Sequence[str | int],
        message: str,
        *,
        help: str = "",
        key: bool = False,
        related: Iterable[Related] = (),
        fix: Fix | None = None,
    ) -> Problem:
        """A problem of this document, at the value (or the key) of `path`."""
        span = self.span(path, key=key)
        return self.problem_at(
            rule, span, message, help=help, related=related, fix=fix, hidden=self._hidden(path)
        )

    def problem_at(
        self,
        rule: Rule,
        span: Span,
        message: str,
        *,
        help: str = "",
        related: Iterable[Related] = (),
        fix: Fix | None = None,
        hidden: tuple[str, ...] = (),
    ) -> Problem:
        """A problem of this document, at a place; `hidden` are texts that must not be shown."""
        line = _line(self.text, span.line, MAX_LINE)
        return Problem(
            rule,
            self.name,
            span,
            message,
            help,
            line,
            tuple(related),
            fix,
            hidden=hidden,
            secrets=self.secrets,
        )

    def secrets(self) -> frozenset[str]:
        """The secrets that are written out in the file; looked for once, when one may be shown."""
        from nixcfg.keys.written import written

        if not self._secrets:
            self._secrets.append(written(self.text, self.data))
        return self._secrets[0]

    def _hidden(self, path: Sequence[str | int]) -> tuple[str, ...]:
        """The value at `path`, where a name on the way to it says that it is secret."""
        from nixcfg.keys.shapes import is_harmless, names_no_secret, names_secret

        names = [step for step in path if isinstance(step, str)]
        if not any(map(names_secret, names)) or names_no_secret(names[-1]):
            return ()
        try:
            value = value_at(self.data, tuple(path))
        except (KeyError, IndexError, TypeError):
            return ()
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            return ()
        return () if is_harmless(str(value)) else (str(value),)

    def related(self, path: Sequence[str | int], message: str, *, key: bool = True) -> Related:
        """This document's part in a problem that is reported elsewhere."""
        return Related(self.name, self.span(path, key=key), message, self.secrets)

    def _child(self, here: Any, step: str | int) -> tuple[Span, Span, Any] | None:
        if isinstance(here, Map) and step in here:
            index = here.at + 2 * self._order(here, str(step))
            return _unpack(self._spans[index]), _unpack(self._spans[index + 1]), here[step]  # type: ignore[index]
        if isinstance(here, Seq) and isinstance(step, int) and 0 <= step < len(here):
            span = _unpack(self._spans[here.at + step])
            return span, span, here[step]
        return None

    def _order(self, here: Map, key: str) -> int:
        """Which of a mapping's keys it is; asked for each of many keys, it must not count again."""
        if len(here) < 16:
            return list(here).index(key)
        if here.at not in self._orders:
            self._orders[here.at] = {each: number for number, each in enumerate(here)}
        return self._orders[here.at][key]


UNREADABLE = Rule("NX001", Severity.ERROR)
NOT_UTF8 = Rule("NX002", Severity.ERROR)
TOO_LARGE = Rule("NX006", Severity.ERROR)


def read(path: Path, name: str) -> Document:
    """Read the YAML file at `path`; whatever is wrong with it is in the document's problems."""
    try:
        raw = _read_bytes(path)
    except _TooLargeError as error:
        return _unusable(name, TOO_LARGE, str(error), "Split it into several provider files.")
    except OSError as error:
        return _unusable(name, UNREADABLE, f"cannot be read: {reason(error)}", _mend(error))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8-sig")
        document = Document(name, good)
        return _with_problem(
            document,
            NOT_UTF8,
            _position(good, len(good)),
            f"byte 0x{raw[error.start]:02x} is not UTF-8",
            help="Save the file as UTF-8.",
        )
    return parse(text, name)


NOT_YAML = Rule("NX003", Severity.ERROR)


def parse(text: str, name: str) -> Document:
    """Like `read`, for text that is already here."""
    text = text.removeprefix("\ufeff")
    builder = _Builder(Document(name, text))
    try:
        return builder.build()
    except yaml.MarkedYAMLError as error:
        return _with_problem(builder.document, NOT_YAML, *_explain(error, text))
    except yaml.YAMLError as error:
        return _with_problem(builder.document, NOT_YAML, START, f"not YAML: {error}")
    except _StopError:
        return Document(name, text, None, tuple(builder.problems))


class _StopError(Exception):
    """Nothing usable can come of this document; the problems say why."""


class _TooLargeError(Exception):
    pass


class _Open:
    """A collection whose end has not been read yet.

    `spans` are packed: key and value in turn for a mapping, items for a sequence. `key` is where
    a mapping stands: `_NO_KEY` before a key, then the key, `_MERGE` for `<<`, or None for a key
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


DUPLICATE_KEY = Rule("NX004", Severity.ERROR, standalone=Severity.WARNING)
KEY_NOT_TEXT = Rule("NX005", Severity.ERROR, standalone=Severity.WARNING)
CONTROL_CHARACTER = Rule("NX007", Severity.ERROR, standalone=Severity.WARNING)
ODD_SCALAR = Rule("NX008", Severity.WARNING)
EMPTY = Rule("NX009", Severity.ERROR)


class _Builder:
    """Makes a document of libyaml's events; spans stay packed until somebody asks for one."""

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
                _position(text, control.start()),
                f"control character U+{ord(control[0]):04X} in the file",
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
        next_event = _LOADER(text).get_event  # yaml.parse would ask twice for each event
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
                _unpack(_place(event)),
                "a second YAML document starts here",
                "Keep one document a file; remove the `---`.",
            )

    def open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        at = _place(event)
        if len(self.stack) >= MAX_DEPTH:
            self.stop(
                TOO_LARGE,
                _unpack(at),
                f"nested deeper than {MAX_DEPTH} levels",
                "No LiteLLM configuration nests this deep.",
            )
        is_map = type(event) is yaml.MappingStartEvent
        if event.tag is not None and event.tag not in ("!", _TAG + ("map" if is_map else "seq")):
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
        at = _place(event)
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
            first = _unpack(top.spans[2 * list(top.result).index(value)])
            self.report(
                DUPLICATE_KEY,
                at,
                f"{value} stands twice in this mapping; YAML keeps only the last",
                "Merge the two, or remove one.",
                [Related(self.document.name, first, "first defined here", self.document.secrets)],
            )
        elif len(top.result) >= MAX_KEYS:
            self.stop(TOO_LARGE, _unpack(at), f"more than {MAX_KEYS} keys in one mapping", "")

    def alias(self, event: yaml.AliasEvent) -> None:
        anchor = str(event.anchor)
        at = _place(event, fallback=len(anchor) + 1)
        if anchor not in self.anchors:
            self.stop(NOT_YAML, _unpack(at), f"*{anchor} names no anchor of this file", "")
        value = self.anchors[anchor]
        if value is _BEING_READ:
            self.stop(TOO_LARGE, _unpack(at), f"*{anchor} contains itself", "Remove the alias.")
        top = self.top
        if top is not None and top.is_map and top.key is _NO_KEY:
            self.report(KEY_NOT_TEXT, at, "a key must be written out, not an alias", "")
            top.key = None
            return
        self.put(value, at, getattr(value, "size", 1))

    def put(self, value: Any, at: int, size: int) -> None:
        top = self.top
        if top is None:
            self.root, self.root_span = value, _unpack(at)
            return
        top.size += size
        if top.size > MAX_VALUES:
            self.stop(
                TOO_LARGE,
                _unpack(at),
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
            if not event.implicit[0] or text[:1] not in _RESOLVERS:
                return text
            if len(text) > MAX_NUMBER:
                return self.long(text, at) if _is_number(text) else text
            value, odd = _plain(text)
            top = self.top
            if odd and not (top is not None and top.is_map and top.key is _NO_KEY):
                self.report(ODD_SCALAR, at, f"YAML reads {text} as {odd}", f'Quote it: "{text}".')
            return value
        if len(text) > MAX_NUMBER and event.tag in _NUMBERS:
            return self.long(text, at)
        try:
            return _construct(event.tag, text)
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
                self.stop(TOO_LARGE, _unpack(at), *TOO_MANY)
            return  # a warning more or less
        self.counts[rule.severity] += 1
        self.problems.append(
            self.document.problem_at(rule, _unpack(at), message, help=help, related=related)
        )

    def stop(self, rule: Rule, span: Span, message: str, help: str) -> NoReturn:
        self.problems.append(self.document.problem_at(rule, span, message, help=help))
        raise _StopError


def _ignore(_event: yaml.Event) -> None:
    """Streams and documents that start and end say nothing about their content."""


def describe(value: Any) -> str:
    """A YAML value in words, for messages: `the number 8`, `a list`, `true`."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case dt.date():
            return f"a date ({value})"
        case str():
            shown = value if len(value) <= 40 else f"{value[:37]}..."
            return f"the text {json.dumps(shown, ensure_ascii=False)}"
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return type(value).__name__


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVERS = _LOADER.yaml_implicit_resolvers
"""By first character ("" for no text): what an unquoted scalar may be other than a text."""
_BEING_READ, _NO_KEY, _MERGE = object(), object(), object()
_TAG = "tag:yaml.org,2002:"
# What YAML 1.1 allows in a stream; libyaml itself names no line for the others.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Written in double quotes as "\x01"; Nix has no escape for them.
_NOT_FOR_NIX = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_NUMBERS = {_TAG + "int", _TAG + "float"}
_SCALARS = {_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp")}
_constructor = yaml.constructor.SafeConstructor()


def _construct(tag: str, text: str) -> Any:
    if tag not in _SCALARS:
        raise yaml.YAMLError(tag)
    return _constructor.construct_object(yaml.ScalarNode(tag, text))


def _is_number(text: str) -> bool:
    resolvers = _RESOLVERS.get(text[:1], ())
    return any(tag in _NUMBERS and pattern.match(text) for tag, pattern in resolvers)


@functools.lru_cache(maxsize=4096)
def _plain(text: str) -> tuple[Any, str]:
    """The value of an unquoted scalar, and what is odd about it ("" if nothing)."""
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text) and tag in _SCALARS:
            try:
                value = _construct(tag, text)
            except ValueError:  # 2024-13-45 looks like a date and is none
                return text, ""
            return value, _odd(tag, text, value)
    return text, ""


def _odd(tag: str, text: str, value: Any) -> str:
    if tag.endswith("timestamp"):
        return describe(value)
    octal = tag.endswith(":int") and re.fullmatch(r"[-+]?0[0-7_]+", text)
    sexagesimal = tag.endswith((":int", ":float")) and ":" in text
    return describe(value) if octal or sexagesimal else ""


def _place(event: yaml.Event, fallback: int = 1) -> int:
    """Where an event stands: line, column and length as _unpack takes them apart."""
    start: Any = event.start_mark  # None only for events that were not parsed
    end: Any = event.end_mark
    line, column = start.line, start.column
    length = end.column - column if end.line == line else fallback
    if not 0 < length <= 0xFFFF:
        length = 0xFFFF if length else 1
    # 24 bits of line, 23 of column, 16 of length: a file has at most MAX_BYTES of either.
    packed: int = line + 1 << 39 | column + 1 << 16 | length
    return packed


def _unpack(packed: int) -> Span:
    return Span(packed >> 39, packed >> 16 & 0x7FFFFF, packed & 0xFFFF)


def _position(text: str, index: int) -> Span:
    line_start = text.rfind("\n", 0, index) + 1
    return Span(text.count("\n", 0, index) + 1, index - line_start + 1)


def _line(text: str, number: int, longest: int = MAX_BYTES) -> str:
    """A line without its end; what a terminal might obey instead of showing is replaced."""
    lines = _lines(text)
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    if len(line) > longest:
        return ""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)


@functools.lru_cache(maxsize=2)  # a file with many problems is split once, not once a problem
def _lines(text: str) -> list[str]:
    # YAML breaks lines at these only; str.splitlines knows more and would miscount.
    return re.split("\r\n|[\n\r\x85\u2028\u2029]", text)


def _read_bytes(path: Path) -> bytes:
    # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(21, "it is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise OSError(22, "it is not a regular file")
        if status.st_size > MAX_BYTES:
            raise _TooLargeError(f"has {status.st_size} bytes; the limit is {MAX_BYTES}")
        return file.read(status.st_size or MAX_BYTES)  # files in /proc have a size of 0


def _mend(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "Create it, or run `nixcfg init` for a project to start from."
        case IsADirectoryError():
            return "Put a YAML file in its place."
        case PermissionError():
            return "Make it readable for the user who runs nixcfg."
    return ""


def _unusable(name: str, rule: Rule, message: str, help: str) -> Document:
    return _with_problem(Document(name), rule, START, message, help=help)


def _with_problem(
    document: Document,
    rule: Rule,
    span: Span,
    message: str,
    help: str = "",
) -> Document:
    problem = document.problem_at(rule, span, message, help=help)
    return Document(document.name, document.text, None, (problem,))


_MENDS = {
    "mapping values are not allowed": "Indent it as the lines around it; quote a text with `: `.",
    "could not find expected ':'": "A key needs a colon and a space after it.",
    "did not find expected": "Check the indentation and the brackets and quotes before this place.",
}


def _explain(error: yaml.MarkedYAMLError, text: str) -> tuple[Span, str, str]:
    mark = error.problem_mark or error.context_mark
    span = Span(mark.line + 1, mark.column + 1) if mark else START
    lines = _lines(text)
    if span.line > len(lines):  # libyaml names the line after the last one
        span = Span(len(lines), max(1, len(lines[-1])))
    message = error.problem or "this is not YAML"
    if error.context:
        message = f"{message} ({error.context})"
    if "cannot start any token" in message:
        character = _line(text, span.line)[span.column - 1 :][:1]
        mend = f"Quote a text that starts with {character}."
        return span, message, "Indent with spaces, not tabs." if character == "\t" else mend
    return span, message, next((mend for part, mend in _MENDS.items() if part in message), "")
