"""What nixcfg has to say about a file: a rule, a place, a message and the mend.

Problems are values. Nothing in the core raises because of what a user wrote, so that one bad
file never hides what is wrong with the others.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How bad: an error will not work or leaks, a warning has no effect, a note may be meant."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Span(NamedTuple):
    """A piece of one line: line and column count from 1, length is in characters (at least 1)."""

    line: int
    column: int
    length: int = 1


START = Span(1, 1)


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of problem, with a code that never changes its meaning."""

    code: str
    severity: Severity
    title: str


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that explains a problem: `where it was first defined`, `the other value`."""

    file: str
    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `line_text` is the source line (without its newline) that `span` points into."""

    rule: Rule
    file: str
    span: Span
    message: str
    help: str = ""
    line_text: str = ""
    related: tuple[Related, ...] = ()

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def severity(self) -> Severity:
        return self.rule.severity

    @property
    def is_error(self) -> bool:
        return self.rule.severity is Severity.ERROR

    def sort_key(self) -> tuple[str, Span, str, str]:
        """Problems of a report stand by file, then by place, then by code."""
        return (self.file, self.span, self.rule.code, self.message)
