"""Problems for a person: each with its source line and a caret under the exact place."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from click import style

from nixcfg.problems.problem import Problem, Severity
from nixcfg.problems.shown import shown

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_MAX_SHOWN = 160
_MAX_ALIKE = 100
"""Of more findings of one kind in one file, a person is only told how many there are."""


def as_text(
    problems: Sequence[Problem],
    files: int,
    *,
    color: bool = False,
    brief: bool = False,
    fixes: str | None = None,
) -> str:
    """Each problem with its source line and a caret under the exact place, then a summary.

    `brief` keeps to one line a problem. `fixes` is what `nixcfg fix` would do, where that was
    tried; else the safe fixes are counted.
    """
    few, more = _few(problems)
    few = shown(few)
    if brief:
        heads = [next(iter(_block(problem, color=color))) for problem in few]
        return "\n".join([*heads, *more, summary(problems, files)])
    blocks = ["\n".join(_block(problem, color=color)) for problem in few]
    blocks += more
    if fixes is None:
        fixes = fix_line(sum(p.fix is not None and p.fix.safe for p in problems), 0)
    return "\n\n".join([*blocks, summary(problems, files) + (f"; {fixes}" if fixes else "")])


def fix_line(safe: int, unsafe: int) -> str:
    """What `nixcfg fix` fixes, and what it would with a guess; "" where that is nothing."""
    if not safe:
        return f"`nixcfg fix --unsafe` would fix {unsafe}" if unsafe else ""
    more = f", --unsafe {unsafe} more" if unsafe else ""
    return f"`nixcfg fix` fixes {safe}{more}"


def summary(problems: Iterable[Problem], files: int) -> str:
    """One line: `4 files: 1 error, 2 warnings`."""
    counts = Counter(problem.severity for problem in problems)
    found = [_count(counts[severity], severity.value) for severity in Severity if counts[severity]]
    return f"{_count(files, 'file')}: {', '.join(found) or 'no problems'}"


def _few(problems: Sequence[Problem]) -> tuple[list[Problem], list[str]]:
    """The first problems of each kind in each file, and what is to say about the others."""
    seen: Counter[tuple[str, str]] = Counter()
    shown = []
    for problem in problems:
        kind = problem.file, problem.code
        seen[kind] += 1
        if seen[kind] <= _MAX_ALIKE:
            shown.append(problem)
    return shown, [
        f"{file}: {count - _MAX_ALIKE} more of {code}, which --format json lists"
        for (file, code), count in seen.items()
        if count > _MAX_ALIKE
    ]


def _block(problem: Problem, *, color: bool) -> Iterator[str]:
    def paint(text: str, tone: str | None, *, bold: bool = True) -> str:
        return style(text, fg=tone, bold=bold or None) if color else text

    tone = _COLORS[problem.severity]
    severity = paint(f"{problem.severity.value}[{problem.code}]", tone)
    where = f"{problem.file}:{problem.span.line}:{problem.span.column}"
    yield f"{paint(where, None)}: {severity}: {problem.message}"
    if problem.line_text.strip():
        line, before, under = _window(problem)
        number = str(problem.span.line)
        yield f"  {number} | {line}"
        yield f"  {' ' * len(number)} | {' ' * before}{paint('^' * under, tone, bold=False)}"
    for related in problem.related:
        at = f"{related.file}:{related.span.line}:{related.span.column}"
        yield f"  {paint(at, None)}: {related.message}"
    if problem.help:
        yield f"  {paint('help:', None)} {problem.help}"


def _window(problem: Problem) -> tuple[str, int, int]:
    """The source line, cut to what a terminal shows, with the cells before and under the span."""
    text = problem.line_text.replace("\t", " ")
    at = problem.span.column - 1
    start = max(0, at - _MAX_SHOWN // 2) if len(text) > _MAX_SHOWN else 0
    shown = text[start : start + _MAX_SHOWN]
    at -= start
    under = _cells(shown[at : at + problem.span.length])
    return shown, _cells(shown[:at]), max(1, under)


def _cells(text: str) -> int:
    """How many cells of a terminal a text takes: two for wide characters, none for accents."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
