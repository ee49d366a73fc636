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
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nixcfg.problem import START, Fix, Problem, Related, Rule, Severity, Span, reason

_SMALL = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
"""

UNREADABLE = Rule(
    "NX001",
    Severity.ERROR,
    "a file cannot be read",
    explanation=(
        "The file or folder is absent, is not a regular file, or may not be read by the user who "
        "runs nixcfg."
    ),
    bad={"nixcfg.yaml": "model_config: all\n"},
    good={"nixcfg.yaml": "model_config: all\n", "providers/openai.yaml": _SMALL},
    source="the operating system's answer",
)
NOT_UTF8 = Rule(
    "NX002",
    Severity.ERROR,
    "a file is not UTF-8 text",
    explanation="YAML is Unicode text. nixcfg reads UTF-8, and names the first byte that is none.",
    bad="# caf\udce9\n#    ^\n" + _SMALL,
    good="# caf\u00e9\n" + _SMALL,
    source="YAML 1.1, chapter 5",
)
NOT_YAML = Rule(
    "NX003",
    Severity.ERROR,
    "a file is not valid YAML",
    explanation=(
        "Brackets, quotes, indentation or tags do not come out, or a second document starts: "
        "LiteLLM reads one document a file and stops at whatever is no YAML."
    ),
    bad=_SMALL
    + """\
    model_info: id: one
#                 ^
""",
    good=_SMALL
    + """\
    model_info: {id: one}
""",
    source="run: ScannerError in load_config",
)
DUPLICATE_KEY = Rule(
    "NX004",
    Severity.ERROR,
    "a key stands twice in one mapping",
    explanation=(
        "YAML readers keep the last of two equal keys without a word: of two model_list sections "
        "the first one is gone."
    ),
    bad=_SMALL
    + """\
router_settings:
  num_retries: 5
router_settings:
#^^^^^^^^^^^^^^
  timeout: 30
""",
    good=_SMALL
    + """\
router_settings:
  num_retries: 5
  timeout: 30
""",
    source="run: config OK (1 models) for two sections",
    alone=Severity.WARNING,
)
KEY_NOT_TEXT = Rule(
    "NX005",
    Severity.ERROR,
    "a key is not text",
    explanation=(
        "YAML reads unquoted `on`, `no`, `1` or `2024-01-01` as a truth, a number or a date, also "
        "as a key. LiteLLM looks for texts."
    ),
    bad=_SMALL
    + """\
    model_info:
      on: weekdays
#     ^^
""",
    good=_SMALL
    + """\
    model_info:
      "on": weekdays
""",
    source="YAML 1.1: the types of plain scalars",
    alone=Severity.WARNING,
)
TOO_LARGE = Rule(
    "NX006",
    Severity.ERROR,
    "a file is too large, too deep or expands without bound",
    explanation=(
        "nixcfg reads up to 4 MB, 64 levels and 500,000 values after aliases are expanded, which "
        "is far beyond any configuration; a few lines of nested aliases can ask for billions."
    ),
    bad=_SMALL
    + f"""\
    model_info:
      deep: {"[" * 63}
#           {" " * 60}^
      {"]" * 63}
""",
    good=_SMALL
    + """\
    model_info:
      deep: [[[[]]]]
""",
    source="PyYAML's own reader exhausts the stack or the memory",
)
CONTROL_CHARACTER = Rule(
    "NX007",
    Severity.ERROR,
    "a control character stands in a text",
    explanation=(
        "Names and paths end in Nix files and unit files. Control characters other than newline, "
        "tab and carriage return have no form there."
    ),
    bad=_SMALL
    + """\
    model_info:
      title: "a\\x01b"
#            ^^^^^^^^
""",
    good=_SMALL
    + """\
    model_info:
      title: "a\\tb"
""",
    source="run: nix has no escape for them",
    alone=Severity.WARNING,
)
ODD_SCALAR = Rule(
    "NX008",
    Severity.WARNING,
    "an unquoted value is not what it looks like",
    explanation=(
        "YAML 1.1 reads 010 as 8, 12:30 as 750 and 2024-10-21 as a date. Quote what is meant as "
        "text."
    ),
    bad=_SMALL
    + """\
    model_info:
      since: 2026-01-31
#            ^^^^^^^^^^
""",
    good=_SMALL
    + """\
    model_info:
      since: "2026-01-31"
""",
    source="YAML 1.1: the types of plain scalars",
)
EMPTY = Rule(
    "NX009",
    Severity.ERROR,
    "a file is empty",
    explanation="LiteLLM stops at an empty configuration; comments alone count as empty.",
    bad={"config.yaml": "# nothing yet\n"},
    good=_SMALL,
    source="run: Config cannot be None or Empty",
)

MAX_BYTES = 4 * 1024 * 1024
"""A provider file of 10,000 models has 1 MB; whatever is larger is not a configuration."""
MAX_DEPTH = 64
MAX_KEYS = 10_000
MAX_NUMBER = 100
MAX_VALUES = 500_000
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
        return self.problem_at(rule, span, message, help=help, related=related, fix=fix)

    def problem_at(
        self,
        rule: Rule,
        span: Span,
        message: str,
        *,
        help: str = "",
        related: Iterable[Related] = (),
        fix: Fix | None = None,
    ) -> Problem:
        """A problem of this document, at a place."""
        line = _line(self.text, span.line)
        return Problem(rule, self.name, span, message, help, line, tuple(related), fix)

    def related(self, path: Sequence[str | int], message: str, *, key: bool = True) -> Related:
        """This document's part in a problem that is reported elsewhere."""
        return Related(self.name, self.span(path, key=key), message)

    def _child(self, here: Any, step: str | int) -> tuple[Span, Span, Any] | None:
        if isinstance(here, Map) and step in here:
            index = here.at + 2 * list(here).index(step)  # type: ignore[arg-type]
            return _unpack(self._spans[index]), _unpack(self._spans[index + 1]), here[step]  # type: ignore[index]
        if isinstance(here, Seq) and isinstance(step, int) and 0 <= step < len(here):
            span = _unpack(self._spans[here.at + step])
            return span, span, here[step]
        return None


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


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read yet."""

    start: Span
    anchor: str | None
    is_map: bool
    keys: list[str | None] = field(default_factory=list)
    key_spans: list[Span] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    value_spans: list[Span] = field(default_factory=list)
    merges: list[tuple[Any, Span]] = field(default_factory=list)
    awaits_value: bool = False
    merging: bool = False
    first: dict[str, Span] = field(default_factory=dict)
    size: int = 1


class _Builder:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.spans: array[int] = array("Q")
        self.anchors: dict[str, Any] = {}
        self.stack: list[_Open] = []
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
        for event in yaml.parse(text, Loader=_LOADER):
            self.take(event)
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

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self.scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self.open(event)
        elif isinstance(event, yaml.MappingEndEvent):
            self.close_map(self.stack.pop())
        elif isinstance(event, yaml.SequenceEndEvent):
            self.close_seq(self.stack.pop())
        elif isinstance(event, yaml.AliasEvent):
            self.alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.stop(
                    NOT_YAML,
                    _span(event),
                    "a second YAML document starts here",
                    "Keep one document a file; remove the `---`.",
                )

    def open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        span = _span(event)
        if len(self.stack) >= MAX_DEPTH:
            self.stop(
                TOO_LARGE,
                span,
                f"nested deeper than {MAX_DEPTH} levels",
                "No LiteLLM configuration nests this deep.",
            )
        is_map = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if is_map else "seq")):
            self.report(NOT_YAML, span, f"unknown YAML tag {event.tag}", "Remove the tag.")
        top = self.stack[-1] if self.stack else None
        if top and top.is_map and not top.awaits_value:
            self.report(KEY_NOT_TEXT, span, "a key must be text, not a collection", "")
        self.name(event.anchor, _BEING_READ, span)
        self.stack.append(_Open(span, event.anchor, is_map))

    def name(self, anchor: str | None, value: Any, span: Span) -> None:
        if anchor in self.anchors:
            # YAML allows it, but the reader that LiteLLM uses stops here.
            self.report(
                NOT_YAML, span, f"&{anchor} is defined a second time", "Give it another name."
            )
        if anchor:
            self.anchors[anchor] = value

    def scalar(self, event: yaml.ScalarEvent) -> None:
        span = _span(event)
        value = self.value(event, span)
        self.name(event.anchor, value, span)
        if self.expects_key():
            self.key(event, value, span)
            return
        self.put(value, span, 1)

    def key(self, event: yaml.ScalarEvent, value: Any, span: Span) -> None:
        top = self.stack[-1]
        top.awaits_value = True
        if event.value == "<<" and event.implicit[0]:
            top.merging = True
            return
        if not isinstance(value, str):
            self.report(
                KEY_NOT_TEXT,
                span,
                f"YAML reads the key {event.value} as {describe(value)}",
                f'Quote it: "{event.value}".',
            )
            value = event.value
        first = top.first.setdefault(value, span)
        if first is not span:
            self.problems.append(
                self.document.problem_at(
                    DUPLICATE_KEY,
                    span,
                    f"{value} stands twice in this mapping; YAML keeps only the last",
                    help="Merge the two, or remove one.",
                    related=[Related(self.document.name, first, "first defined here")],
                )
            )
        top.keys.append(value)
        top.key_spans.append(span)
        if len(top.keys) > MAX_KEYS:
            self.stop(TOO_LARGE, span, f"more than {MAX_KEYS} keys in one mapping", "")

    def alias(self, event: yaml.AliasEvent) -> None:
        anchor = str(event.anchor)
        span = _span(event, fallback=len(anchor) + 1)
        if anchor not in self.anchors:
            self.stop(NOT_YAML, span, f"*{anchor} names no anchor of this file", "")
        value = self.anchors[anchor]
        if value is _BEING_READ:
            self.stop(TOO_LARGE, span, f"*{anchor} contains itself", "Remove the alias.")
        if self.expects_key():
            self.report(KEY_NOT_TEXT, span, "a key must be written out, not an alias", "")
            self.stack[-1].awaits_value = True
            self.stack[-1].keys.append(None)
            self.stack[-1].key_spans.append(span)
            return
        self.put(value, span, getattr(value, "size", 1))

    def expects_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].is_map and not self.stack[-1].awaits_value

    def put(self, value: Any, span: Span, size: int) -> None:
        if not self.stack:
            self.root, self.root_span = value, span
            return
        top = self.stack[-1]
        top.size += size
        if top.size > MAX_VALUES:
            self.stop(
                TOO_LARGE,
                span,
                f"expands to more than {MAX_VALUES} values",
                "Aliases multiply what they repeat; write fewer of them.",
            )
        if top.is_map and not top.awaits_value:
            top.keys.append(None)  # a collection as key: already reported, its value is dropped
            top.key_spans.append(span)
            top.awaits_value = True
            return
        top.awaits_value = False
        if top.merging:
            top.merging = False
            top.merges.append((value, span))
            return
        top.values.append(value)
        top.value_spans.append(span)

    def close_map(self, done: _Open) -> None:
        entries: dict[str, tuple[Span, Span, Any]] = {}
        for merged, span in done.merges:
            self.merge(merged, span, entries)
        for key, key_span, value, span in zip(
            done.keys, done.key_spans, done.values, done.value_spans, strict=True
        ):
            if key is not None:
                entries[key] = (key_span, span, value)
        result = Map((key, value) for key, (_, _, value) in entries.items())
        result.at, result.size = len(self.spans), done.size
        for key_span, span, _ in entries.values():
            self.spans.append(_pack(key_span))
            self.spans.append(_pack(span))
        self.closed(done, result)

    def merge(self, merged: Any, span: Span, entries: dict[str, tuple[Span, Span, Any]]) -> None:
        """`<<: *base`: the earlier mapping wins, and the mapping's own keys win over both."""
        for base in merged if isinstance(merged, Seq) else [merged]:
            if not isinstance(base, Map):
                self.report(
                    NOT_YAML, span, "<< merges mappings only", "Name an anchor of a mapping."
                )
                continue
            for index, (key, value) in enumerate(base.items()):
                at = base.at + 2 * index
                spans = _unpack(self.spans[at]), _unpack(self.spans[at + 1])
                entries.setdefault(key, (*spans, value))

    def close_seq(self, done: _Open) -> None:
        result = Seq(done.values)
        result.at, result.size = len(self.spans), done.size
        self.spans.extend(map(_pack, done.value_spans))
        self.closed(done, result)

    def closed(self, done: _Open, result: Map | Seq) -> None:
        if done.anchor:
            self.anchors[done.anchor] = result
        self.put(result, done.start, done.size)

    def value(self, event: yaml.ScalarEvent, span: Span) -> Any:
        text = event.value
        if not text.isprintable():
            control = _NOT_FOR_NIX.search(text)
            if control:
                self.report(
                    CONTROL_CHARACTER,
                    span,
                    f"control character U+{ord(control[0]):04X} in a text",
                    "Only newline, tab and carriage return can be carried into Nix.",
                )
        plain, _ = event.implicit
        if event.tag is None or event.tag == "!":
            if not plain:
                return text
            if (
                len(text) > MAX_NUMBER
                and text.lstrip("+-").isalnum()
                and text.lstrip("+-")[0].isdigit()
            ):
                self.report(
                    TOO_LARGE, span, f"a number of {len(text)} digits", "Quote it, if it is a text."
                )
                return text
            value, odd = _plain(text)
            if odd and not self.expects_key():
                self.report(ODD_SCALAR, span, f"YAML reads {text} as {odd}", f'Quote it: "{text}".')
            return value
        try:
            return _construct(event.tag, text)
        except (yaml.YAMLError, ValueError, AttributeError, KeyError, IndexError):
            # PyYAML's constructors take it that its resolver has checked the text.
            self.report(
                NOT_YAML, span, f"YAML tag {event.tag} does not fit here", "Remove the tag."
            )
            return text

    def report(self, rule: Rule, span: Span, message: str, help: str) -> None:
        self.problems.append(self.document.problem_at(rule, span, message, help=help))

    def stop(self, rule: Rule, span: Span, message: str, help: str) -> None:
        self.report(rule, span, message, help)
        raise _StopError


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
_BEING_READ = object()
_TAG = "tag:yaml.org,2002:"
# What YAML 1.1 allows in a stream; libyaml itself names no line for the others.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Written in double quotes as "\x01"; Nix has no escape for them.
_NOT_FOR_NIX = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_SCALARS = {_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp")}
_constructor = yaml.constructor.SafeConstructor()


def _construct(tag: str, text: str) -> Any:
    if tag not in _SCALARS:
        raise yaml.YAMLError(tag)
    return _constructor.construct_object(yaml.ScalarNode(tag, text))


@functools.lru_cache(maxsize=4096)
def _plain(text: str) -> tuple[Any, str]:
    """The value of an unquoted scalar, and what is odd about it ("" if nothing)."""
    first = text[0] if text else ""
    for tag, pattern in _LOADER.yaml_implicit_resolvers.get(first, ()):
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


def _span(event: yaml.Event, fallback: int = 1) -> Span:
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:  # only for events that were not parsed
        return START
    length = end.column - start.column if end.line == start.line else fallback
    return Span(start.line + 1, start.column + 1, max(length, 1))


def _pack(span: Span) -> int:
    # 24 bits of line, 23 of column, 16 of length: a file has at most MAX_BYTES of either.
    return span.line << 39 | span.column << 16 | min(span.length, 0xFFFF)


def _unpack(packed: int) -> Span:
    return Span(packed >> 39, packed >> 16 & 0x7FFFFF, packed & 0xFFFF)


def _position(text: str, index: int) -> Span:
    line_start = text.rfind("\n", 0, index) + 1
    return Span(text.count("\n", 0, index) + 1, index - line_start + 1)


def _line(text: str, number: int) -> str:
    """A line without its end; what a terminal might obey instead of showing is replaced."""
    lines = _lines(text)
    line = lines[number - 1] if 0 < number <= len(lines) else ""
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
        return file.read(MAX_BYTES + 1)


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
