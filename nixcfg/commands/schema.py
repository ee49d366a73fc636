"""`nixcfg schema`."""

import click

from nixcfg.commands import OK


@click.command()
@click.argument("kind", type=click.Choice(["project", "provider"]), default="project")
def command(kind: str) -> int:
    """Print a JSON Schema, for editors.

    That of nixcfg.yaml (project) or of a provider file.

    \b
    Example: nixcfg schema provider
    """
    from nixcfg.disk import shipped

    click.echo(shipped.schema_text(kind), nl=False)
    return OK
