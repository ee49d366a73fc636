"""`nixcfg use`."""

from pathlib import Path

import click

from nixcfg.commands import OK, complete
from nixcfg.commands.context import amended, find_root, json_option, today
from nixcfg.commands.output import print_changes


@click.command()
@click.argument("config", shell_complete=complete.configs)
@click.option(
    "--host",
    metavar="NAME",
    shell_complete=complete.hosts,
    help="Change this host of nixcfg.yaml, not what all of them have in common.",
)
@json_option
@click.pass_obj
def command(base: Path, config: str, host: str | None, form: str) -> int:
    """Choose what the container loads.

    CONFIG is a provider, a profile, or all; it becomes model_config in nixcfg.yaml.

    \b
    Example: nixcfg use all
    """
    from nixcfg.providers.use import use

    _, changes = amended(find_root(base), lambda sources: use(sources, config, today(), host))
    then = ["nixcfg render", "sudo nixos-rebuild switch"]
    print_changes(changes, then, form, model_config=config)
    return OK
