"""`nixcfg models`."""

import json
import sys
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS, complete
from nixcfg.commands.context import ask_its_release, json_option, today
from nixcfg.commands.output import report

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("pattern", default="", shell_complete=complete.models)
@click.option("--all", "everything", is_flag=True, help="Also retired ones, embeddings, images ...")
@json_option
@click.pass_obj
def command(base: "Path", pattern: str, everything: bool, form: str) -> int:
    """List the models that LiteLLM knows.

    With context window, price and retirement, as the release of your project has them. PATTERN is
    a part of provider/model, or has * and ? in it. Prices are US dollars for a million tokens.

    \b
    Example: nixcfg models anthropic/claude-sonnet
    """
    from nixcfg.commands.output import table, width_of
    from nixcfg.project.find import project_root
    from nixcfg.providers import catalogue

    ask_its_release(project_root(base))
    found = list(catalogue.search(pattern, today(), everything=everything))
    if form == "json":
        listed = [catalogue.as_data(facts, today()) for facts in found]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    elif found:
        rows = [catalogue.as_row(facts, today()) for facts in found]
        click.echo(table(catalogue.HEADERS, rows, width_of(sys.stdout)))
    if not found:
        report(f"No model has {pattern} in its name." + ("" if everything else " Try --all."))
        return PROBLEMS
    return OK
