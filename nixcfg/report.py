"""Tell a person, or a program, what was found."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from nixcfg.problem import Problem, Severity

_COLORS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}
_MAX_SHOWN = 160
# What may be a key in a source line: the value of a field named like one, or a vendor's prefix.
_SECRET = re.compile(
    r"""(?ix) (?: (?:key|token|secret|password|credentials)["']? \s* [:=] \s* ["']? )
        (?! os\.environ/ | \$\{ | config\. | / ) (\S{8,}?) (?=["',}\s]|$)
      | \b ((?:sk|gsk|xai|pplx|r8|hf|AIza)[-_]?[\w-]{20,})"""
)


def as_json(problems: Iterable[Problem], files: int) -> str:
    """`{"files": N, "problems": [{code, severity, file, line, column, message, help}]}`."""
    listed = [
        {
            "code": problem.code,
            "severity": problem.severity.value,
            "file": problem.file,
            "line": problem.span.line,
            "column": problem.span.column,
            "message": _masked(problem.message),
            "help": problem.help,
        }
        for problem in problems
    ]
    return json.dumps({"files": files, "problems": listed}, indent=2, ensure_ascii=False)


def as_text(
    problems: Iterable[Problem], files: int, *, color: bool = False, brief: bool = False
) -> str:
    """Each problem with its source line and a caret under the exact place, then a summary.

    `brief` keeps to one line a problem.
    """
    if brief:
        heads = [next(iter(_block(problem, color=color))) for problem in problems]
        return "\n".join([*heads, summary(problems, files)])
    blocks = ["\n".join(_block(problem, color=color)) for problem in problems]
    return "\n\n".join([*blocks, summary(problems, files)])


def summary(problems: Iterable[Problem], files: int) -> str:
    """One line: `4 files: 1 error, 2 warnings`."""
    counts = Counter(problem.severity for problem in problems)
    told = [_count(counts[severity], severity.value) for severity in Severity if counts[severity]]
    return f"{_count(files, 'file')}: {', '.join(told) or 'no problems'}"


def _masked(text: str) -> str:
    """The text with everything that may be a key as asterisks of the same length."""

    def mask(found: re.Match[str]) -> str:
        secret = found[1] or found[2]
        return found[0].replace(secret, "*" * len(secret))

    return _SECRET.sub(mask, text)


def _block(problem: Problem, *, color: bool) -> Iterator[str]:
    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if color else text

    tone = _COLORS[problem.severity]
    severity = paint(f"{problem.severity.value}[{problem.code}]", f"1;{tone}")
    where = f"{problem.file}:{problem.span.line}:{problem.span.column}"
    yield f"{paint(where, '1')}: {severity}: {_masked(problem.message)}"
    if problem.line_text.strip():
        line, column, length = _window(problem)
        number = str(problem.span.line)
        yield f"  {number} | {line}"
        yield f"  {' ' * len(number)} | {' ' * (column - 1)}{paint('^' * length, tone)}"
    for related in problem.related:
        yield f"  {related.file}:{related.span.line}:{related.span.column}: {related.message}"
    if problem.help:
        yield f"  {paint('help:', '1')} {problem.help}"


def _window(problem: Problem) -> tuple[str, int, int]:
    """The source line, cut to what a terminal shows, with the span's place in it."""
    text = _masked(problem.line_text.replace("\t", " "))
    column = problem.span.column
    start = max(0, column - _MAX_SHOWN // 2) if len(text) > _MAX_SHOWN else 0
    shown = text[start : start + _MAX_SHOWN]
    column -= start
    return shown, column, max(1, min(problem.span.length, len(shown) - column + 1))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
