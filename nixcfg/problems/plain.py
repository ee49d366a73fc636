"""Problems for other programs: JSON, GitHub's workflow commands and GitLab's code quality."""

import hashlib
import json
from collections import Counter
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


_GITLAB = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def as_gitlab(problems: Iterable[Problem]) -> str:
    """A code quality report, which GitLab shows in a merge request.

    A finding has the same fingerprint wherever its line moves to in its file.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    listed = []
    for problem in shown(problems):
        identity = (problem.file, problem.code, problem.line_text.strip())
        seen[identity] += 1
        unique = json.dumps([*identity, seen[identity]]).encode()
        listed.append(
            {
                "description": " ".join(filter(None, (problem.message, problem.help))),
                "check_name": problem.code,
                "fingerprint": hashlib.sha256(unique).hexdigest(),
                "severity": _GITLAB[problem.severity],
                "location": {"path": problem.file, "lines": {"begin": problem.span.line}},
            }
        )
    return json.dumps(listed, indent=2, ensure_ascii=False)


def _github(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
