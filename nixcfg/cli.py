"""The command line: arguments in, an exit code out. Everything else lives in the core.

Results go to stdout, talk to stderr. Exit codes: 0 fine, 1 problems or drift, 2 wrong usage,
3 a bug in nixcfg.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from nixcfg import __version__, wiring, write

if TYPE_CHECKING:
    from nixcfg.validate import Report

OK, PROBLEMS, BUG = 0, 1, 3


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="nixcfg")
@click.option(
    "-C",
    "directory",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Work on the project in DIR instead of the current folder.",
)
@click.pass_context
def nixcfg(context: click.Context, directory: Path) -> None:
    """A private LLM gateway for NixOS, from a few provider YAML files.

    \b
    nixcfg init          a project to start from
    nixcfg validate      what LiteLLM would really do with it
    nixcfg render        docker.nix and the LiteLLM files
    """
    context.obj = directory


@nixcfg.command()
@click.argument("directory", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def init(base: Path, directory: Path | None) -> int:
    """Make a project to start from in DIRECTORY (or here). Touches nothing that exists.

    \b
    Example: nixcfg init gateway
    """
    from nixcfg import starter  # noqa: PLC0415

    folder = base / (directory or Path())
    for path in starter.create(folder):
        click.echo(path)
    _say(f"Next: nixcfg -C {folder} render" if directory else "Next: nixcfg render")
    return OK


@nixcfg.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to tell the problems.",
)
@click.pass_obj
def validate(base: Path, form: str) -> int:
    """Check every file of the project, and say all that is wrong in one run.

    \b
    Example: nixcfg validate --format json
    """
    from nixcfg import report  # noqa: PLC0415

    checked = _validate(base)
    if form == "json":
        click.echo(report.as_json(checked.problems, checked.files))
    else:
        click.echo(report.as_text(checked.problems, checked.files, color=_color(sys.stdout)))
    return OK if checked.is_valid else PROBLEMS


@nixcfg.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The output folder, replaced as a whole.  [default: rendered/ in the project]",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and name what is not up to date.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand.")
@click.pass_obj
def render(base: Path, out: Path | None, check: bool, diff: bool, force: bool) -> int:
    """Validate the project, then write docker.nix and the LiteLLM files. All of them or none.

    \b
    Example: nixcfg render --diff
    """
    from nixcfg import render as rendering  # noqa: PLC0415
    from nixcfg import report  # noqa: PLC0415

    root = _root(base)
    checked = _validate(root)
    if checked.problems:
        _say(report.as_text(checked.problems, checked.files, color=_color(sys.stderr)))
    if checked.project is None:
        _say("Nothing was rendered: mend the errors first.")
        return PROBLEMS
    texts = rendering.files(checked.project)
    folder = _output_folder(root, out)
    if check or diff:
        plan = write.plan(folder, texts)
        _show(plan, as_diff=diff)
        return PROBLEMS if check and plan.changes else OK
    with write.lock(folder):
        plan = write.plan(folder, texts)
        if plan.edited and not force:
            _refuse(plan)
            return PROBLEMS
        write.apply(plan)
    _show(plan, as_diff=False)
    _say(f"{folder.name}/ is up to date ({len(plan.files)} files).")
    return OK


@nixcfg.command()
@click.argument("kind", type=click.Choice(["project", "provider"]), default="project")
def schema(kind: str) -> int:
    """Print the JSON Schema of nixcfg.yaml (project) or of a provider file, for editors.

    \b
    Example: nixcfg schema provider
    """
    from nixcfg import resources  # noqa: PLC0415

    click.echo(resources.schema_text(kind), nl=False)
    return OK


def main() -> None:
    """Run the command line and turn every way it can end into an exit code."""
    try:
        sys.exit(nixcfg.main(standalone_mode=False) or OK)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except write.WriteError as error:
        _say(f"nixcfg: {error}")
        sys.exit(PROBLEMS)
    except click.Abort:
        _say("Aborted.")
        sys.exit(PROBLEMS)
    except BrokenPipeError:
        # `nixcfg schema | head`: the reader has what it wanted. Without this, Python would
        # complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(PROBLEMS)
    except Exception as error:  # noqa: BLE001 (the one place that turns a bug into exit code 3)
        _bug(error)
        sys.exit(BUG)


def _root(base: Path) -> Path:
    from nixcfg import project  # noqa: PLC0415

    root = project.find(base)
    if root is None:
        raise click.UsageError(
            f"no nixcfg.yaml in {base.absolute()} or above; `nixcfg init` makes a project"
        )
    return root


def _validate(base: Path) -> "Report":
    from nixcfg import project  # noqa: PLC0415
    from nixcfg.validate import validate as validated  # noqa: PLC0415

    return validated(project.read(_root(base)))


def _output_folder(root: Path, out: Path | None) -> Path:
    folder = Path(os.path.abspath(out or root / wiring.RENDERED_DIR))  # noqa: PTH100 (no symlinks followed)
    if root.absolute().is_relative_to(folder):
        raise click.UsageError(f"--out {out} holds the project itself; name a folder of its own")
    return folder


def _show(plan: write.Plan, *, as_diff: bool) -> None:
    if as_diff:
        click.echo(write.diff(plan), nl=False)
        return
    for change in plan.changes:
        click.echo(f"{change.verb} {plan.folder.name}/{change.path}")


def _refuse(plan: write.Plan) -> None:
    for path in plan.edited:
        _say(f"{plan.folder.name}/{path} was not written by nixcfg as it stands.")
    _say("Nothing was rendered. Move your edits into nixcfg.yaml, providers/ or your own NixOS")
    _say("configuration (it wins over every rendered value); --force overwrites them.")


def _say(message: str) -> None:
    click.echo(message, err=True)


def _color(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ


def _bug(error: Exception) -> None:
    if os.environ.get("NIXCFG_DEBUG"):
        raise error
    at = error.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    place = f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at else "nowhere"
    _say(
        f"nixcfg {__version__} has a bug: {type(error).__name__} at {place}. "
        "Please report it with the output of the same command under NIXCFG_DEBUG=1."
    )
