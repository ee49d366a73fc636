"""`nixcfg lsp`."""

import logging

import click

from nixcfg.commands import OK
from nixcfg.commands.context import today


@click.command()
def command() -> int:
    """Answer an editor, on standard input and output.

    A language server for nixcfg projects and LiteLLM configurations: findings while you write,
    what a setting means, completion, fixes. An editor starts it; docs/editors.md says how.

    \b
    Example: nixcfg lsp
    """
    try:
        from nixcfg.lsp import features
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise click.UsageError("it needs pygls: pip install 'nixcfg[lsp]'") from error
    # pygls logs every message at the level of a warning or below; stdout belongs to the editor.
    logging.disable(logging.WARNING)
    features.make(today).start_io()
    return OK
