"""`nixcfg completion`."""

import click

from nixcfg.commands import OK


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print a shell's completion script.

    Tab then completes commands, providers, models and configurations.

    \b
    bash: put  eval "$(nixcfg completion bash)"   into ~/.bashrc
    zsh:  put  eval "$(nixcfg completion zsh)"    into ~/.zshrc
    fish: put  nixcfg completion fish | source   into ~/.config/fish/config.fish

    \b
    Example: nixcfg completion fish
    """
    from click.shell_completion import get_completion_class

    from nixcfg import cli

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 (the argument allows no other)
    click.echo(found(cli.nixcfg, {}, "nixcfg", "_NIXCFG_COMPLETE").source())
    return OK
