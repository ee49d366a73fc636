"""One module a command: arguments in, an exit code out. Here is what they share.

Results go to stdout, talk to stderr. Heavy imports stand inside the functions, so that
`nixcfg --help` and shell completion pay for none of them.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from nixcfg.validate import Report

OK, PROBLEMS, USAGE, BUG = 0, 1, 2, 3


def find_root(base: Path) -> Path:
    """The project that `base` is in; a usage error if there is none."""
    from nixcfg import project

    root = project.find(base)
    if root is None:
        raise click.UsageError(
            f"no nixcfg.yaml in {base.absolute()} or above; `nixcfg init` makes a project"
        )
    return root


def validated(base: Path) -> "Report":
    """Read and check the project that `base` is in."""
    from nixcfg import project, validate

    return validate.validate(project.read(find_root(base)))


def say(message: str) -> None:
    """Talk to the person; results go to stdout by click.echo."""
    click.echo(message, err=True)


def wants_color(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that shows colours (https://no-color.org)."""
    return stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")
