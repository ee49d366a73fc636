"""What nixcfg finds, as values, and how it is shown: no key of a user's is in any of it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixcfg.problems.problem import Problem

FORMATS = ("text", "json", "sarif", "github", "gitlab")


def report(
    form: str,
    problems: "Sequence[Problem]",
    files: int,
    *,
    color: bool = False,
    fixes: str | None = None,
) -> str:
    """The problems in one of FORMATS. `fixes` is for the text: see as_text."""
    match form:
        case "json":
            from nixcfg.problems.plain import as_json

            return as_json(problems, files)
        case "sarif":
            from nixcfg.problems.sarif import as_sarif

            return as_sarif(problems)
        case "github":
            from nixcfg.problems.plain import as_github

            return as_github(problems)
        case "gitlab":
            from nixcfg.problems.plain import as_gitlab

            return as_gitlab(problems)
    from nixcfg.problems.text import as_text

    return as_text(problems, files, color=color, fixes=fixes)
