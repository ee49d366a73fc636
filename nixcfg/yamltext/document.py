"""A YAML file as read: its data, and where in the text each value is written. Pure."""

import functools
import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nixcfg.problems.problem import START, Fix, Problem, Related, Rule, Span
from nixcfg.yamltext.data import at
from nixcfg.yamltext.limits import MAX_BYTES, MAX_LINE

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Where YAML 1.1 breaks lines; str.splitlines knows more and would miscount."""


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
        """Where the value at `path` is written, or its key with `key=True`.

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
        return shown_line(self.text, span.line)[span.column - 1 :][: span.length]

    def lines(self) -> Sequence[str]:
        """All lines of the file, without their newlines."""
        return split_lines(self.text)

    def line(self, number: int) -> str:
        """A line of the file, counted from 1, without its newline."""
        return shown_line(self.text, number)

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
        line = shown_line(self.text, span.line, MAX_LINE)
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
            value = at(self.data, tuple(path))
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
            return unpacked(self._spans[index]), unpacked(self._spans[index + 1]), here[step]  # type: ignore[index]
        if isinstance(here, Seq) and isinstance(step, int) and 0 <= step < len(here):
            span = unpacked(self._spans[here.at + step])
            return span, span, here[step]
        return None

    def _order(self, here: Map, key: str) -> int:
        """Which of a mapping's keys it is; asked for each of many keys, it must not count again."""
        if len(here) < 16:
            return list(here).index(key)
        if here.at not in self._orders:
            self._orders[here.at] = {each: number for number, each in enumerate(here)}
        return self._orders[here.at][key]


def unpacked(packed: int) -> Span:
    """The span that a number holds: 24 bits of line, 23 of column, 16 of length."""
    return Span(packed >> 39, packed >> 16 & 0x7FFFFF, packed & 0xFFFF)


def position(text: str, index: int) -> Span:
    """Where the character at an offset is."""
    line_start = text.rfind("\n", 0, index) + 1
    return Span(text.count("\n", 0, index) + 1, index - line_start + 1)


def shown_line(text: str, number: int, longest: int = MAX_BYTES) -> str:
    """A line without its end; what a terminal might obey instead of showing is replaced."""
    lines = split_lines(text)
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    if len(line) > longest:
        return ""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)


@functools.lru_cache(maxsize=2)  # a file with many problems is split once, not once a problem
def split_lines(text: str) -> list[str]:
    """All lines of a text, without their ends."""
    return BREAK.split(text)
