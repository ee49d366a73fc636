"""`nixcfg remove-provider`."""

from pathlib import Path

import click

from nixcfg.commands import OK, PROBLEMS, complete
from nixcfg.commands.context import (
    amended,
    example_files,
    find_root,
    json_option,
    read,
    refusing,
    today,
)
from nixcfg.commands.output import print_changes, report


@click.command()
@click.argument("name", shell_complete=complete.providers)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def command(base: Path, name: str, yes: bool, form: str) -> int:
    """Remove a provider from the project.

    With its file go its profile memberships and the secrets that no other provider uses. A
    model_config that names it becomes `all`. Key files on the machine stay.

    \b
    Example: nixcfg remove-provider groq --yes
    """
    from nixcfg.disk import files
    from nixcfg.providers import ask
    from nixcfg.providers.remove import remove

    root = find_root(base)
    if not yes:
        if not ask.is_terminal() or form == "json":
            raise click.UsageError("add --yes: there is no one to ask")
        with refusing():
            texts = remove(read(root), name, example_files(root), today()).texts
        for each in files.plan(root, texts):
            report(f"  {each.verb} {each.path}")
        if not ask.confirm(f"Remove {name}?"):
            report("Nothing was changed.")
            return PROBLEMS
    _, changes = amended(root, lambda sources: remove(sources, name, example_files(root), today()))
    print_changes(changes, ["nixcfg render", "sudo nixos-rebuild switch"], form)
    return OK
