"""Problems as they may be shown: without a secret, and no longer than anyone reads.

Every report begins here, so that none of them has to think of keys.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from nixcfg.keys.mask import masked
from nixcfg.problems.problem import Problem

_MAX_MESSAGE = 1000


def shown(problems: Iterable[Problem]) -> list[Problem]:
    """The same problems; a message may quote what is secret in the file of another."""
    problems = list(problems)
    secrets = secrets_of(problems)
    return [_shown(problem, secrets) for problem in problems]


def secrets_of(problems: Iterable[Problem]) -> frozenset[str]:
    """Every text that the rules, and the files that the problems are about, keep secret."""
    found: set[str] = set()
    files = set()
    for problem in problems:
        found.update(problem.hidden)
        files.add(problem.secrets)
        files.update(related.secrets for related in problem.related)
    return frozenset(found.union(*(secrets() for secrets in files)))


def _shown(problem: Problem, secrets: Collection[str]) -> Problem:
    return replace(
        problem,
        message=_short(problem.message, secrets),
        help=_short(problem.help, secrets),
        line_text=masked(problem.line_text, secrets, source=True),
        related=tuple(
            related._replace(message=_short(related.message, secrets))
            for related in problem.related
        ),
    )


def _short(text: str, secrets: Collection[str]) -> str:
    # What is shown is a part of what is masked: a key that is cut off in the middle is known still.
    text = masked(text[: 4 * _MAX_MESSAGE], secrets)
    return text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}..."
