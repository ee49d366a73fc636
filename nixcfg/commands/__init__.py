"""One module a command: arguments in, an exit code out. Here is what they share.

Results go to stdout, talk to stderr. Heavy imports stand inside the functions, so that
`nixcfg --help` and shell completion pay for none of them.
"""

import contextlib
import datetime as dt
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from nixcfg.amend import Amendment
    from nixcfg.project import Sources
    from nixcfg.validate import Report
    from nixcfg.write import Change

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

    return validate.validate(project.read(find_root(base)), today())


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Tell why a change of the project is refused, and leave with exit code 1."""
    from nixcfg import report
    from nixcfg.amend import AmendError

    try:
        yield
    except AmendError as error:
        if error.problems:
            color = wants_color(sys.stderr)
            say(report.as_text(error.problems, 0, color=color).rpartition("\n\n")[0])
        raise click.ClickException(f"{error}") from None


def amended(root: Path, make: "Callable[[Sources], Amendment]") -> "tuple[Amendment, list[Change]]":
    """Change a project: read it, amend it, and write the result, with no other nixcfg between."""
    from nixcfg import change, project, write

    with refusing(), write.locked(root):
        amendment = make(project.read(root))
        changes = change.plan(root, amendment.texts)
        change.apply(root, changes)
    return amendment, changes


def tell(changes: "Sequence[Change]", then: Sequence[str], form: str, **facts: object) -> None:
    """What was changed, on stdout (`form`: text or json), and what to do next."""
    if form == "json":
        import json

        told = [{"path": each.path, "change": each.verb} for each in changes]
        click.echo(json.dumps({**facts, "changes": told, "next": list(then)}, indent=2))
        return
    for each in changes:
        click.echo(f"{each.verb} {each.path}")
    say("Next: " + "\n      ".join(then))


def example_files(root: Path) -> dict[str, str]:
    """The files of secrets.example/ by name, which hold placeholders."""
    from nixcfg import wiring

    folder = root / wiring.EXAMPLES_DIR
    files = folder.iterdir() if folder.is_dir() else ()
    return {file.name: file.read_text("utf-8", "replace") for file in files if file.is_file()}


def today() -> dt.date:
    """The date that decides which models are retired."""
    return dt.datetime.now(tz=dt.UTC).date()


json_option = click.option(
    "--json",
    "form",
    flag_value="json",
    default="text",
    help="Tell the result as JSON, and ask nothing.",
)


def say(message: str) -> None:
    """Talk to the person; results go to stdout by click.echo."""
    click.echo(message, err=True)


def wants_color(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that shows colours (https://no-color.org)."""
    return stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")
