"""Settings: in the section where LiteLLM honours them, and the same everywhere."""

from collections.abc import Iterable, Iterator

from nixcfg.model import Move, Project
from nixcfg.problem import Problem, Rule, Severity

MISPLACED = Rule("NX201", Severity.WARNING, "a setting stands where LiteLLM ignores it")
CONFLICT = Rule("NX202", Severity.ERROR, "one setting is given differently in two places")


def check(moves: Iterable[Move]) -> Iterator[Problem]:
    """Settings that LiteLLM ignores where they stand."""
    for move in moves:
        section = move.setting.path[0]
        yield move.setting.document.problem(
            MISPLACED,
            move.setting.path,
            f"{move.key} has no effect in {section}",
            help=f"LiteLLM honours it in {move.section}; nixcfg renders it there.",
            key=True,
        )


def conflicts(project: Project) -> Iterator[Problem]:
    """Settings that cannot be merged into one configuration; each is told once."""
    told = set()
    for config in project.configs:
        for conflict in config.conflicts:
            first, *others = conflict.settings
            other = next(s for s in others if s.value != first.value)
            where = (first.document.name, first.path, other.document.name, other.path)
            if where in told:
                continue
            told.add(where)
            name = ".".join(map(str, conflict.place))
            yield other.document.problem(
                CONFLICT,
                other.path,
                f"{name} is {other.value!r} here and {first.value!r} in {first.document.name}",
                help=f"One proxy ({config.name}) loads both: make them equal, or decide in "
                f"nixcfg.yaml under {conflict.place[0]}.",
                related=[first.document.related(first.path, "the other value")],
            )
