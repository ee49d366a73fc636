"""What is said of several places in the same words, as one finding. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from nixcfg.problems.problem import Problem, Related


def once(found: Iterable[Problem]) -> Iterator[Problem]:
    """Problems that say the same, as the first of them, with where the others are."""
    groups: dict[tuple[object, ...], list[Problem]] = {}
    for problem in found:
        said = (problem.code, problem.severity, problem.message, problem.help)
        groups.setdefault(said, []).append(problem)
    for first, *others in groups.values():
        related = tuple(Related(p.file, p.span, "here too", p.secrets) for p in others)
        edits = tuple(edit for p in (first, *others) if p.fix for edit in p.fix.edits)
        fix = first.fix._replace(edits=edits) if first.fix else None
        yield replace(first, related=(*first.related, *related), fix=fix)
