"""`nixcfg use`."""

from pathlib import Path

import click

from nixcfg import complete
from nixcfg.commands import OK, amended, find_root, json_option, tell, today


@click.command()
@click.argument("config", shell_complete=complete.configs)
@json_option
@click.pass_obj
def command(base: Path, config: str, form: str) -> int:
    """Choose what the container loads.

    CONFIG is a provider, a profile, or all; it becomes model_config in nixcfg.yaml.

    \b
    Example: nixcfg use all
    """
    from nixcfg import amend

    amendment, changes = amended(
        find_root(base), lambda sources: amend.use(sources, config, today())
    )
    then = ["nixcfg render", "sudo nixos-rebuild switch"]
    tell(changes, then, form, model_config=amendment.project.machine.model_config)
    return OK
