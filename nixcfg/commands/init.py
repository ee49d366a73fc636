"""`nixcfg init`."""

from pathlib import Path

import click

from nixcfg.commands import OK
from nixcfg.commands.output import advise_next, is_quiet


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def command(base: Path, directory: Path | None) -> int:
    """Make a project to start from.

    In DIRECTORY, or here. Touches nothing that exists.

    \b
    Example: nixcfg init gateway
    """
    from nixcfg.commands import steps

    written = copy_starter(base / (directory or ""))
    if not is_quiet():
        click.echo("\n".join(written))
    advise_next(steps.after_init(directory))
    return OK


def copy_starter(folder: Path) -> list[str]:
    """Copy templates/project into `folder`; the paths written, relative to it.

    Raises WriteError, with nothing changed, if one of its files is there with another content.
    """
    from nixcfg.disk import files, shipped

    template = shipped.folder("templates") / "project"
    texts = {
        str(path.relative_to(template)): path.read_text(encoding="utf-8")
        for path in sorted(template.rglob("*"))
        if path.is_file()
    }
    return sorted(change.path for change in files.create(folder, texts))
