"""`nixcfg validate`."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import read, today, validated
from nixcfg.commands.output import wants_color

if TYPE_CHECKING:
    from nixcfg.knowledge import Choice
    from nixcfg.problems.problem import Problem


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="How to print the problems.",
)
@click.option(
    "--litellm",
    "release",
    metavar="VERSION",
    help="The LiteLLM release that FILE is for; a project's image names its own.",
)
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.pass_obj
def command(
    base: Path, files: tuple[Path, ...], form: str, release: str | None, strict: bool
) -> int:
    """Report all that is wrong with the project, in one run.

    With FILE, check ordinary LiteLLM configurations instead, each with what it includes; a file
    of a nixcfg project is checked as part of it. `nixcfg explain CODE` says more about a finding.

    \b
    Example: nixcfg validate --format json
    """
    from nixcfg.problems import report
    from nixcfg.problems.problem import Severity

    chosen = _chosen(release, files)
    if files:
        problems, count = _of_files(base, files, chosen)
    else:
        checked = validated(base)
        problems, count = list(checked.problems), checked.files
    text = report(form, problems, count, color=wants_color(sys.stdout))
    if text:
        click.echo(text)
    failing = {Severity.ERROR, *([Severity.WARNING] if strict else [])}
    return PROBLEMS if any(problem.severity in failing for problem in problems) else OK


def _chosen(release: str | None, files: Iterable[Path]) -> "Choice | None":
    """What is known of the release that the files are for."""
    from nixcfg.knowledge import choose

    if release is None:
        return None
    if not files:
        raise click.UsageError("--litellm needs FILE: the image of a project names its release.")
    chosen = choose(release)
    if not chosen.asked:
        raise click.UsageError(f"--litellm {release}: write a release such as 1.106.2.")
    return chosen


def _of_files(
    base: Path, files: Iterable[Path], chosen: "Choice | None"
) -> "tuple[list[Problem], int]":
    """The problems of the files, and how many were read."""
    from nixcfg import check
    from nixcfg.problems.problem import Problem
    from nixcfg.project.find import by_project
    from nixcfg.project.standalone import read_configuration

    problems: list[Problem] = []
    count = 0
    for root, names in by_project(base, files).items():
        if root is None:
            checked = check.standalone(
                [read_configuration(base / n, n) for n in names], today(), chosen
            )
            problems += checked.problems
            count += checked.files
        else:
            found = check.validate(read(root), today()).problems
            problems += [problem for problem in found if problem.file in names]
            count += len(names)
    return sorted(problems, key=Problem.sort_key), count
