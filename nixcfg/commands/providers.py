"""`nixcfg providers`."""

import json
import sys
from pathlib import Path

import click

from nixcfg.commands import OK
from nixcfg.commands.context import find_root, json_option, without_errors


@click.command()
@json_option
@click.pass_obj
def command(base: Path, form: str) -> int:
    """List the project's providers.

    With models, key variables, key files, and the configurations that load them; the one that
    the container loads is marked with *.

    \b
    Example: nixcfg providers
    """
    from nixcfg.commands.output import table, width_of
    from nixcfg.providers.overview import overview

    project = without_errors(find_root(base))
    rows = overview(project)
    if form == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return OK
    loaded = {machine.model_config for machine in project.machines}
    cells = [
        (
            row["name"],
            ", ".join(row["models"]) or "-",
            ", ".join(secret["variable"] for secret in row["secrets"]) or "-",
            ", ".join(secret["file"] for secret in row["secrets"]) or "-",
            ", ".join(f"{c}*" if c in loaded else c for c in row["configs"]),
        )
        for row in rows
    ]
    headers = ("name", "models", "key", "key file", "configs")
    click.echo(table(headers, cells, width_of(sys.stdout)))
    return OK
