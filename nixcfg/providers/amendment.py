"""A change of a project: made in memory and validated as a whole before it is written. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nixcfg import check
from nixcfg.check import Report
from nixcfg.problems.problem import Problem, Steps
from nixcfg.project import shape, wiring
from nixcfg.project.find import Sources
from nixcfg.project.model import Project
from nixcfg.yamltext.document import Document

PLACEHOLDER = "replace-me\n"
"""What an example of a key file holds."""


class AmendError(Exception):
    """It cannot be done; the message says why, and what to do. `problems` are those of the
    project as it would be (or already is)."""

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Amendment:
    """Texts by path in the project, None for a file that goes, in the order to write them.

    The project validates after each of them. `report` is that of the amended project.
    """

    texts: Mapping[str, str | None]
    report: Report

    @property
    def project(self) -> Project:
        assert self.report.project is not None  # noqa: S101 (an invalid one is never built)
        return self.report.project


def amended_report(
    sources: Sources, machine: Document, providers: Mapping[str, Document], today: dt.date
) -> Report:
    """The project as it would be. That it has had no provider yet is no problem any more."""
    problems = tuple(p for p in sources.problems if p.file != wiring.PROVIDERS_DIR)
    return check.validate(Sources(sources.root, machine, dict(providers), problems), today)


def refuse_unreadable(sources: Sources) -> None:
    """A nixcfg.yaml that cannot be understood cannot be edited either."""
    document = sources.project
    problems = [*document.problems, *shape.check(document, "project")]
    errors = [problem for problem in problems if problem.is_error]
    if errors:
        raise AmendError(f"nothing was changed: {document.name} has errors", errors)


def refuse_invalid(report: Report, message: str) -> None:
    if not report.is_valid:
        raise AmendError(message, (p for p in report.problems if p.is_error))


def secrets_of(report: Report, provider: str) -> tuple[str, ...]:
    assert report.project is not None  # noqa: S101 (asked of valid projects only)
    return next(c.secrets for c in report.project.machine.configs if c.name == provider)


def example_path(variable: str) -> str:
    return wiring.key_file(variable, wiring.EXAMPLES_DIR)


def model_config_path(host: str) -> Steps:
    return ("hosts", host, "model_config") if host else ("model_config",)
