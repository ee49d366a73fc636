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
    fish: put  nixcfg completion fish | source    into ~/.config/fish/config.fish

    For zsh the script loads compinit, where nothing has done so before. The package for Nix
    installs all three.

    \b
    Example: nixcfg completion fish
    """
    from click.shell_completion import get_completion_class

    from nixcfg import cli

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 (the argument allows no other)
    script = found(cli.nixcfg, {}, "nixcfg", "_NIXCFG_COMPLETE").source()
    if shell == "fish":
        # click's own script takes the text between the first two commas, and a summary has some.
        script = script.replace('split "," $completion', 'split -m 1 "," $completion')
    if shell == "zsh":
        script = f"{_COMPINIT}{script}"
    click.echo(script)
    return OK


_COMPINIT = """\
#compdef nixcfg
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
"""
"""Without compinit zsh does not know `compdef`, and the last line of the script fails. The first
line has to stay where it is, for a script that lies in a folder of fpath."""
