"""`nixcfg keys`: another name for `nixcfg access keys`, and for `adopt` below it."""

from typing import Any

import click

from nixcfg.commands import OK, access


@click.group(invoke_without_command=True)
@access.asking
@click.pass_context
def command(context: click.Context, /, **asked: Any) -> int:
    """List the keys in the database: `nixcfg access keys`."""
    return OK if context.invoked_subcommand else int(context.invoke(access.keys, **asked))


command.add_command(access.adopt)
