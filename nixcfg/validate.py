"""All of a project's problems, and its model when there is one. Pure."""

from dataclasses import dataclass

from nixcfg import model, rules, shape
from nixcfg.model import Project
from nixcfg.problem import Problem
from nixcfg.project import Sources


@dataclass(frozen=True, slots=True)
class Report:
    """`files` were read; `project` is None where an error leaves nothing to render."""

    files: int
    problems: tuple[Problem, ...]
    project: Project | None

    @property
    def is_valid(self) -> bool:
        return not any(problem.is_error for problem in self.problems)


def validate(sources: Sources) -> Report:
    """Check every file by itself, then all of them together as far as they can be understood."""
    problems = list(sources.problems)
    usable = {}
    for name, document in sources.providers.items():
        found = [*document.problems, *shape.check(document, "provider")]
        problems += found
        if document.data is not None and not any(problem.is_error for problem in found):
            usable[name] = document
    found = [*sources.project.problems, *shape.check(sources.project, "project")]
    problems += found
    project = None
    if any(problem.is_error for problem in found):
        for name, document in usable.items():
            problems += rules.of_provider(model.provider(name, document))
    else:
        project = model.build(sources.project, usable)
        for provider in project.providers:
            problems += rules.of_provider(provider)
        problems += rules.of_project(project, sources.providers)
    problems.sort(key=Problem.sort_key)
    valid = not any(problem.is_error for problem in problems)
    return Report(1 + len(sources.providers), tuple(problems), project if valid else None)
