"""Tell a person, or a program, what was found. No key of a user's is in any of it."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from nixcfg import __version__
from nixcfg.problems.problem import Problem, Rule, Severity, Span

FORMATS = ("text", "json", "sarif", "github")
_COLORS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}
_MAX_SHOWN = 160
_MAX_MESSAGE = 1000
_MAX_ALIKE = 100
"""Of more findings of one kind in one file, a person is only told how many there are."""
# A text in the shape of a key: a password in a URL, what follows Bearer, a vendor's prefix, or
# many letters and digits without a break.
_SHAPES = r"""
      ://[^\s:/@]*:([^\s/@]+)@
    | \b Bearer \s+ ([^\s"',}]{8,})
    | \b ((?:sk|gsk|xai|pplx|r8|hf|AIza|AKIA|eyJ|ghp|glpat)[-_]?[\w.-]{16,})
    | (?<![\w:/.-]) (?=\w*[0-9]) (?=\w*[A-Za-z]) (\w{32,}) (?![\w/.-])"""
# In a source line also the value of whatever is called like a secret, however short.
_FIELDS = r"""
      (?: (?:key|token|secret|password|passwd|passphrase|credentials?|authorization)["']?
          \s* [:=] \s* )
      (?! ["']? (?: os\.environ/ | \$\{ | config\. | / | null\b | none\b | true\b | false\b ) )
      (?: "([^"]+) | '([^']+) | ([^\s"',}\]\#{\[&*|>][^"',}\]\#]*?) (?= \s* (?:[,}\]\#]|$)) )"""


def told(form: str, problems: Sequence[Problem], files: int, *, color: bool = False) -> str:
    """The problems in one of FORMATS."""
    match form:
        case "json":
            return as_json(problems, files)
        case "sarif":
            return as_sarif(problems)
        case "github":
            return as_github(problems)
    return as_text(problems, files, color=color)


def as_json(problems: Iterable[Problem], files: int) -> str:
    """`{"files": N, "problems": [{code, severity, file, line, column, message, help}]}`."""
    listed = [
        {
            "code": problem.code,
            "severity": problem.severity.value,
            "file": problem.file,
            "line": problem.span.line,
            "column": problem.span.column,
            "message": _short(problem.message),
            "help": _short(problem.help),
        }
        for problem in problems
    ]
    return json.dumps({"files": files, "problems": listed}, indent=2, ensure_ascii=False)


def as_text(
    problems: Sequence[Problem], files: int, *, color: bool = False, brief: bool = False
) -> str:
    """Each problem with its source line and a caret under the exact place, then a summary.

    `brief` keeps to one line a problem.
    """
    shown, more = _few(problems)
    if brief:
        heads = [next(iter(_block(problem, color=color))) for problem in shown]
        return "\n".join([*heads, *more, summary(problems, files)])
    blocks = ["\n".join(_block(problem, color=color)) for problem in shown]
    blocks += more
    mendable = sum(problem.fix is not None and problem.fix.safe for problem in problems)
    mend = f"; `nixcfg fix` mends {mendable}" if mendable else ""
    return "\n\n".join([*blocks, summary(problems, files) + mend])


def summary(problems: Iterable[Problem], files: int) -> str:
    """One line: `4 files: 1 error, 2 warnings`."""
    counts = Counter(problem.severity for problem in problems)
    found = [_count(counts[severity], severity.value) for severity in Severity if counts[severity]]
    return f"{_count(files, 'file')}: {', '.join(found) or 'no problems'}"


def as_sarif(problems: Sequence[Problem]) -> str:
    """SARIF 2.1.0, as code scanning services and editors read it; columns count characters."""
    rules = list({problem.code: problem.rule for problem in problems}.values())
    index = {rule.code: number for number, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "nixcfg",
                "version": __version__,
                "rules": [_sarif_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(problem, index[problem.code]) for problem in problems],
    }
    return json.dumps(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [run],
        },
        indent=2,
        ensure_ascii=False,
    )


def as_github(problems: Iterable[Problem]) -> str:
    """Workflow commands of GitHub Actions, which show the problems beside the changed lines."""
    lines = []
    for problem in problems:
        level = "notice" if problem.severity is Severity.NOTE else problem.severity.value
        where = {
            "file": problem.file,
            "line": problem.span.line,
            "col": problem.span.column,
            "endColumn": problem.span.column + problem.span.length,
            "title": problem.code,
        }
        place = ",".join(f"{key}={_github(str(value), ':,')}" for key, value in where.items())
        text = "\n".join(filter(None, (_short(problem.message), _short(problem.help))))
        lines.append(f"::{level} {place}::{_github(text)}")
    return "\n".join(lines)


def masked(text: str, *, source: bool = False) -> str:
    """The text with everything that may be a key as asterisks of the same length.

    `source`: it is written by a user, so that `api_key: anything` holds a key too.
    """

    def mask(found: re.Match[str]) -> str:
        start, end = found.span(found.lastindex or 0)
        before, after = found[0][: start - found.start()], found[0][end - found.start() :]
        return before + "*" * (end - start) + after

    # Compiled when something is told, not at every start.
    shapes = f"{_FIELDS} | {_SHAPES}" if source else _SHAPES
    return re.sub(shapes, mask, text, flags=re.IGNORECASE | re.VERBOSE)


def _short(text: str) -> str:
    """A message as it is told: masked, and no longer than anybody reads."""
    # What is told is a part of what is masked: a key that is cut off in the middle is known still.
    shown = masked(text[: 4 * _MAX_MESSAGE])
    return shown if len(shown) <= _MAX_MESSAGE else f"{shown[:_MAX_MESSAGE]}..."


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


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    from nixcfg.problems import pages

    page = pages.read(rule.code)
    return {
        "id": rule.code,
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.explanation},
        "help": {"text": f"Source: {page.source}"},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _sarif_result(problem: Problem, rule_index: int) -> dict[str, Any]:
    message = ". ".join(filter(None, (_short(problem.message), _short(problem.help))))
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rule_index,
        "level": problem.severity.value,
        "message": {"text": message},
        "locations": [_sarif_location(problem.file, problem.span)],
    }
    if problem.related:
        result["relatedLocations"] = [
            {
                "id": number,
                **_sarif_location(related.file, related.span),
                "message": {"text": related.message},
            }
            for number, related in enumerate(problem.related, start=1)
        ]
    return result


def _sarif_location(file: str, span: Span) -> Mapping[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(file.encode("utf-8", "surrogateescape"))},
            "region": {
                "startLine": span.line,
                "startColumn": span.column,
                "endColumn": span.column + span.length,
            },
        }
    }


def _github(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _block(problem: Problem, *, color: bool) -> Iterator[str]:
    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if color else text

    tone = _COLORS[problem.severity]
    severity = paint(f"{problem.severity.value}[{problem.code}]", f"1;{tone}")
    where = f"{problem.file}:{problem.span.line}:{problem.span.column}"
    yield f"{paint(where, '1')}: {severity}: {_short(problem.message)}"
    if problem.line_text.strip():
        line, before, under = _window(problem)
        number = str(problem.span.line)
        yield f"  {number} | {line}"
        yield f"  {' ' * len(number)} | {' ' * before}{paint('^' * under, tone)}"
    for related in problem.related:
        at = f"{related.file}:{related.span.line}:{related.span.column}"
        yield f"  {paint(at, '1')}: {related.message}"
    if problem.help:
        yield f"  {paint('help:', '1')} {_short(problem.help)}"


def _window(problem: Problem) -> tuple[str, int, int]:
    """The source line, cut to what a terminal shows, with the cells before and under the span."""
    text = masked(problem.line_text.replace("\t", " "), source=True)
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
