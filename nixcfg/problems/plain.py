"""Problems for other programs: JSON, and the workflow commands of GitHub Actions."""

import json
from collections.abc import Iterable

from nixcfg.problems.problem import Problem, Severity
from nixcfg.problems.shown import shown


def as_json(problems: Iterable[Problem], files: int) -> str:
    """`{"files": N, "problems": [{code, severity, file, line, column, message, help}]}`."""
    listed = [
        {
            "code": problem.code,
            "severity": problem.severity.value,
            "file": problem.file,
            "line": problem.span.line,
            "column": problem.span.column,
            "message": problem.message,
            "help": problem.help,
        }
        for problem in shown(problems)
    ]
    return json.dumps({"files": files, "problems": listed}, indent=2, ensure_ascii=False)


def as_github(problems: Iterable[Problem]) -> str:
    """Workflow commands of GitHub Actions, which show the problems beside the changed lines."""
    lines = []
    for problem in shown(problems):
        level = "notice" if problem.severity is Severity.NOTE else problem.severity.value
        where = {
            "file": problem.file,
            "line": problem.span.line,
            "col": problem.span.column,
            "endColumn": problem.span.column + problem.span.length,
            "title": problem.code,
        }
        place = ",".join(f"{key}={_github(str(value), ':,')}" for key, value in where.items())
        text = "\n".join(filter(None, (problem.message, problem.help)))
        lines.append(f"::{level} {place}::{_github(text)}")
    return "\n".join(lines)


def _github(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
