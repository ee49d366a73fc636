"""What nixcfg has to say about a file: a rule, a place, a message and the fix.

Problems are values. Nothing in the core raises because of what a user wrote, so that one bad
file never hides what is wrong with the others.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
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


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A kind of problem, with a code that never changes its meaning.

    Its page, docs/rules/CODE.md, says the rest (pages.py).
    `standalone` is the severity in an ordinary LiteLLM configuration outside a project, where
    nixcfg renders nothing and what LiteLLM accepts is no error; None means the same as in one.
    """

    code: str
    severity: Severity
    standalone: Severity | None = None


Secrets = Callable[[], Collection[str]]
"""The texts of a file that must not be shown, looked for when something of it is."""


def no_secrets() -> Collection[str]:
    """What a problem says that is about no file's content."""
    return ()


class Related(NamedTuple):
    """Another place that explains a problem: `where it was first defined`, `the other value`."""

    file: str
    span: Span
    message: str
    secrets: Secrets = no_secrets


Steps = tuple[str | int, ...]
"""The way to a value in a document: keys of mappings and indices of lists."""


@dataclass(frozen=True, slots=True)
class SetValue:
    """Write another scalar at `path`."""

    path: Steps
    value: str | int | float | bool


@dataclass(frozen=True, slots=True)
class RenameKey:
    """Give the key at `path` another name, in place."""

    path: Steps
    name: str


@dataclass(frozen=True, slots=True)
class MoveKey:
    """Move the entry at `path` into a top-level section, which is made where it is missing."""

    path: Steps
    section: str


class Fix(NamedTuple):
    """What `nixcfg fix` may do about a problem; unsafe ones guess, and wait for `--unsafe`."""

    edits: tuple[SetValue | RenameKey | MoveKey, ...]
    safe: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `line_text` is the source line (without its newline) that `span` points into.

    `level` overrides the rule's severity: in a LiteLLM file on its own, or as the project asks.
    `hidden` are the texts that the rule knows to be secret, `secrets` those of the whole file:
    anyone who shows a problem hides both (see shown.py).
    """

    rule: Rule
    file: str
    span: Span
    message: str
    help: str = ""
    line_text: str = ""
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    level: Severity | None = None
    hidden: tuple[str, ...] = field(default=(), repr=False)
    secrets: Secrets = field(default=no_secrets, compare=False, repr=False)

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def severity(self) -> Severity:
        return self.level or self.rule.severity

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def inside(self, folder: str) -> "Problem":
        """The same with paths from where `folder` lies, for a reader who is not in it."""
        if folder in ("", "."):
            return self
        related = tuple(each._replace(file=f"{folder}/{each.file}") for each in self.related)
        return replace(self, file=f"{folder}/{self.file}", related=related)

    def sort_key(self) -> tuple[str, Span, str, str]:
        """Problems of a report stand by file, then by place, then by code."""
        return (self.file, self.span, self.rule.code, self.message)


class WriteError(Exception):
    """Writing failed; the message says what the disk looks like now, why, and what to do.

    It stands here, not in write.py, so that catching it costs a command that writes nothing no
    import.
    """


def reason(error: OSError) -> str:
    """Why the system refused, in the middle of a sentence: `no space left on device`."""
    return (error.strerror or str(error)).lower()
