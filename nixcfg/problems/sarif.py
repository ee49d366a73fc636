"""Problems in SARIF, for code scanning services and editors."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from nixcfg import __version__
from nixcfg.problems import pages
from nixcfg.problems.problem import Problem, Rule, Span
from nixcfg.problems.shown import shown


def as_sarif(problems: Sequence[Problem]) -> str:
    """SARIF 2.1.0, as code scanning services and editors read it; columns count characters."""
    problems = shown(problems)
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


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    page = pages.read(rule.code)
    return {
        "id": rule.code,
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.explanation},
        "help": {"text": f"Source: {page.source}"},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _sarif_result(problem: Problem, rule_index: int) -> dict[str, Any]:
    message = ". ".join(filter(None, (problem.message, problem.help)))
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
