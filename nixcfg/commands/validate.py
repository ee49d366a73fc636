"""`nixcfg validate`."""

import sys
from pathlib import Path

import click

from nixcfg.commands import OK, PROBLEMS, validated, wants_color


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to tell the problems.",
)
@click.pass_obj
def command(base: Path, form: str) -> int:
    """Check every file of the project, and say all that is wrong in one run.

    \b
    Example: nixcfg validate --format json
    """
    from nixcfg import report

    checked = validated(base)
    if form == "json":
        click.echo(report.as_json(checked.problems, checked.files))
    else:
        click.echo(report.as_text(checked.problems, checked.files, color=wants_color(sys.stdout)))
    return OK if checked.is_valid else PROBLEMS
