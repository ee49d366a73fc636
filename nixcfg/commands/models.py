"""`nixcfg models`."""

import json
import sys

import click

from nixcfg.commands import OK, PROBLEMS, complete
from nixcfg.commands.context import json_option, today
from nixcfg.commands.output import report


@click.command()
@click.argument("pattern", default="", shell_complete=complete.models)
@click.option("--all", "everything", is_flag=True, help="Also retired ones, embeddings, images ...")
@json_option
def command(pattern: str, everything: bool, form: str) -> int:
    """List the models that LiteLLM knows.

    With context window, price and retirement. PATTERN is a part of provider/model, or has * and
    ? in it. Prices are US dollars for a million tokens.

    \b
    Example: nixcfg models anthropic/claude-sonnet
    """
    from nixcfg.commands.output import table, width_of
    from nixcfg.providers import catalogue

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
