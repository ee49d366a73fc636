"""`nixcfg init`."""

from pathlib import Path

import click

from nixcfg.commands import OK, say


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def command(base: Path, directory: Path | None) -> int:
    """Make a project to start from.

    In DIRECTORY, or here. Touches nothing that exists.

    \b
    Example: nixcfg init gateway
    """
    from nixcfg.commands import starter

    for path in starter.make(base / (directory or "")):
        click.echo(path)
    say("Next: " + (f"cd {directory}; " if directory else "") + "nixcfg render")
    return OK
