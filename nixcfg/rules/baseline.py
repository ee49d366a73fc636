"""Findings that a project has accepted for now, so that only new ones count. Pure.

A finding is known again by its file, its code and its line's text, not by the line's number: what
is inserted above it, and a message that names another release, make it no new one. A line is kept
as a report shows it, with every secret hidden.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from nixcfg.problems.problem import Problem
from nixcfg.problems.shown import shown
from nixcfg.rules.policy import is_fixed

VERSION = 1


class Known(NamedTuple):
    """One accepted finding; `line` is its source line without the spaces around it."""

    file: str
    code: str
    line: str


class BaselineError(ValueError):
    """The text is no baseline; the message says why."""


def accepted(problems: Iterable[Problem]) -> "Counter[Known]":
    """What a baseline of these findings holds. What keeps a file from being read is never in it."""
    listed = list(problems)
    return Counter(known for known in _known(listed) if known)


def as_text(baseline: "Counter[Known]") -> str:
    """The baseline as a file that is read and reviewed like any other."""
    findings = [known._asdict() for known in sorted(baseline.elements())]
    text = json.dumps({"version": VERSION, "findings": findings}, indent=2, ensure_ascii=False)
    return f"{text}\n"


def parse(text: str) -> "Counter[Known]":
    """Read what as_text wrote. Raises BaselineError."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise BaselineError(f"it is not JSON: {error}") from error
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise BaselineError(f"it has no `version: {VERSION}`")
    try:
        return Counter(Known(**each) for each in data["findings"])
    except (KeyError, TypeError) as error:
        raise BaselineError(f"each of its findings needs {', '.join(Known._fields)}") from error


def without(
    problems: Iterable[Problem], baseline: "Counter[Known]"
) -> "tuple[list[Problem], Counter[Known]]":
    """The findings that are new, and what the baseline holds that is found no longer."""
    listed = list(problems)
    left = Counter(baseline)
    new = []
    for problem, known in zip(listed, _known(listed), strict=True):
        if known and left[known] > 0:
            left[known] -= 1
        else:
            new.append(problem)
    return new, +left


def _known(problems: list[Problem]) -> list[Known | None]:
    return [
        None
        if problem.is_error and is_fixed(problem.rule)
        else Known(problem.file, problem.code, problem.line_text.strip())
        for problem in shown(problems)
    ]
