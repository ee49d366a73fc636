"""`nixcfg schema`."""

import json

import click

from nixcfg.commands import OK


@click.command()
@click.argument(
    "kind", type=click.Choice(["provider", "project", "litellm", "case"]), default="project"
)
@click.option(
    "--litellm",
    "release",
    metavar="VERSION",
    help="The LiteLLM release whose settings it has.  [default: the one that nixcfg renders]",
)
def command(kind: str, release: str | None) -> int:
    """Print a JSON Schema, for editors.

    That of nixcfg.yaml (project), of a provider file, or of any LiteLLM configuration, with every
    setting that LiteLLM reads: what it means, takes, and is by default. `case` is for the files of
    `nixcfg test`.

    \b
    Example: nixcfg schema provider
    """
    from nixcfg.disk import shipped
    from nixcfg.knowledge import choose
    from nixcfg.settings import schema

    if kind == "case":
        click.echo(shipped.schema_text(kind), nl=False)
        return OK
    chosen = choose(release or "")
    if release and not chosen.asked:
        raise click.UsageError(f"--litellm {release}: write a release such as 1.106.2.")
    found = schema.complete(kind, chosen.knowledge)
    click.echo(json.dumps(found, indent=1, ensure_ascii=False))
    return OK
