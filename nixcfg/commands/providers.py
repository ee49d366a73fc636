"""`nixcfg providers`."""

import json
import sys
from pathlib import Path

import click

from nixcfg.commands import OK, find_root, host_option, json_option, valid_project


@click.command()
@host_option
@json_option
@click.pass_obj
def command(base: Path, host: str | None, form: str) -> int:
    """List the project's providers.

    With models, key variables, key files, and the configurations that load them; the one that
    the container loads is marked with *.

    \b
    Example: nixcfg providers
    """
    from nixcfg import amend
    from nixcfg.table import table, width_of

    project = valid_project(find_root(base), host)
    rows = amend.overview(project)
    if form == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return OK
    shown = [
        (
            row["name"],
            ", ".join(row["models"]) or "-",
            ", ".join(secret["variable"] for secret in row["secrets"]) or "-",
            ", ".join(secret["file"] for secret in row["secrets"]) or "-",
            ", ".join(f"{c}*" if c == project.machine.model_config else c for c in row["configs"]),
        )
        for row in rows
    ]
    headers = ("name", "models", "key", "key file", "configs")
    click.echo(table(headers, shown, width_of(sys.stdout)))
    return OK
