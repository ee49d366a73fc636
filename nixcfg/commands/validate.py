"""`nixcfg validate`."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import today, validated
from nixcfg.commands.output import wants_color

if TYPE_CHECKING:
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
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.pass_obj
def command(base: Path, files: tuple[Path, ...], form: str, strict: bool) -> int:
    """Report all that is wrong with the project, in one run.

    With FILE, check ordinary LiteLLM configurations instead, each with what it includes; a file
    of a nixcfg project is checked as part of it. `nixcfg explain CODE` says more about a finding.

    \b
    Example: nixcfg validate --format json
    """
    from nixcfg.problems import report
    from nixcfg.problems.problem import Severity

    if files:
        problems, count = _of_files(base, files)
    else:
        checked = validated(base)
        problems, count = list(checked.problems), checked.files
    text = report(form, problems, count, color=wants_color(sys.stdout))
    if text:
        click.echo(text)
    failing = {Severity.ERROR, *([Severity.WARNING] if strict else [])}
    return PROBLEMS if any(problem.severity in failing for problem in problems) else OK


def _of_files(base: Path, files: Iterable[Path]) -> "tuple[list[Problem], int]":
    """The problems of the files, and how many were read."""
    from nixcfg import check
    from nixcfg.problems.problem import Problem
    from nixcfg.project.find import project_root, read_project
    from nixcfg.project.standalone import read_configuration

    ordinary = []
    wanted: dict[Path, list[str]] = {}
    for file in dict.fromkeys(files):
        root = project_root((base / file).parent)
        own = _name_in(root, base / file) if root else None
        if root and own:
            wanted.setdefault(root, []).append(own)
        else:
            ordinary.append(read_configuration(base / file, str(file)))
    checked = check.standalone(ordinary, today())
    problems, count = list(checked.problems), checked.files
    for root, names in wanted.items():
        found = check.validate(read_project(root), today()).problems
        problems += [problem for problem in found if problem.file in names]
        count += len(names)
    return sorted(problems, key=Problem.sort_key), count


def _name_in(root: Path, file: Path) -> str | None:
    """What a project calls one of its own files, None for any other file."""

    from nixcfg.project import wiring

    name = os.path.relpath(file, root)
    folder = os.path.dirname(name)  # noqa: PTH120 (text in, text out)
    is_provider = folder == wiring.PROVIDERS_DIR and name.endswith((".yaml", ".yml"))
    return name if is_provider or name == wiring.PROJECT_FILE else None
