"""`nixcfg providers`, the name that a part of `nixcfg status` had."""

import json
import sys
from pathlib import Path

import click

from nixcfg.commands import OK
from nixcfg.commands.context import find_root, json_option, understood_project
from nixcfg.commands.output import advise, fitted, width_of
from nixcfg.commands.status import provider_table


@click.command()
@json_option
@click.pass_obj
def command(base: Path, form: str) -> int:
    """List the project's providers.

    Another name for what `nixcfg status --providers` shows: models, key variables, key files, and
    the configurations that load them; the one that the container loads is marked with *.

    \b
    Example: nixcfg status --providers
    """
    from nixcfg.providers.overview import overview

    project = understood_project(find_root(base))
    rows = overview(project)
    if form == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return OK
    click.echo(provider_table(rows, {machine.model_config for machine in project.machines}))
    told = "This is a part of `nixcfg status --providers`, which also says what runs."
    advise(fitted(told, width_of(sys.stderr)))
    return OK
