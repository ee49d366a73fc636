"""What the page asks nixcfg, in the browser: findings and fixes of one LiteLLM configuration.

It runs inside Pyodide (worker.js), where there is no disk but its own and no network at all.
"""

import datetime as dt
import json

from nixcfg import check, fixing
from nixcfg.knowledge import choose, default, known
from nixcfg.problems.shown import shown
from nixcfg.problems.text import as_text, summary
from nixcfg.project.standalone import Configuration, Part
from nixcfg.yamltext import reader
from nixcfg.yamltext.document import Document

_NAME = "config.yaml"


def releases() -> str:
    """The releases of LiteLLM that can be asked for, newest first, and the usual one."""
    return json.dumps({"known": known()[::-1], "default": default().version})


def checked(text: str, release: str) -> str:
    """The findings, each as at the terminal, in ANSI colours."""
    document = reader.parse(text, _NAME)
    problems = _problems(document, release)
    fixes = [problem.fix for problem in problems if problem.fix]
    return json.dumps(
        {
            "summary": summary(problems, 1),
            "safe": sum(fix.safe for fix in fixes),
            "unsafe": sum(not fix.safe for fix in fixes),
            "findings": [
                {
                    "code": problem.code,
                    "severity": problem.severity,
                    "line": problem.span.line,
                    "column": problem.span.column,
                    "length": problem.span.length,
                    "text": as_text([problem], 1, color=True).rpartition("\n\n")[0],
                }
                for problem in shown(problems)
            ],
        }
    )


def fixed(text: str, release: str, unsafe: bool) -> str:
    """The text after `nixcfg fix`, or `nixcfg fix --unsafe`, and how many problems that fixed."""
    document = reader.parse(text, _NAME)
    result = fixing.fix(
        {_NAME: document}, lambda now: _problems(now[_NAME], release), unsafe=unsafe
    )
    return json.dumps({"text": result.documents[_NAME].text, "fixed": len(result.fixed)})


def _problems(document: Document, release: str) -> list[check.Problem]:
    configuration = Configuration((Part(document),))
    today = dt.datetime.now(tz=dt.UTC).date()
    return list(check.standalone([configuration], today, choose(release)).problems)
