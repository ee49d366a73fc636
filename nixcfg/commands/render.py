"""`nixcfg render`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import find_root, validated
from nixcfg.commands.output import (
    advise,
    advise_next,
    is_quiet,
    masked_diff,
    painted,
    print_problems,
    report,
    wants_color,
)

if TYPE_CHECKING:
    from nixcfg.disk.folder import Plan


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The output folder, replaced as a whole.  [default: rendered/ in the project]",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 and name what is not up to date."
)
@click.option(
    "-n", "--dry-run", "--diff", "diff", is_flag=True, help="Write nothing; show what would change."
)
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand.")
@click.pass_obj
def command(base: Path, out: Path | None, check: bool, diff: bool, force: bool) -> int:
    """Validate the project, then write its NixOS module.

    docker.nix and the LiteLLM files are all written, or none of them.

    \b
    Example: nixcfg render --diff
    """
    from nixcfg.commands import steps
    from nixcfg.disk.folder import apply, lock, plan
    from nixcfg.render.files import rendered_files

    root = find_root(base)
    checked = validated(root)
    if checked.problems:
        print_problems(checked.problems, checked.files, brief=checked.is_valid)
    if checked.project is None:
        report("Nothing was rendered: fix the errors first.")
        return PROBLEMS
    folder = _output_folder(root, out)
    if check or diff:
        planned = plan(folder, rendered_files(checked.project))
        _print_diff(planned) if diff else _print(planned)
        if check and planned.is_module_behind:
            report(f"The module in {folder.name}/ is not that of this nixcfg: nixcfg render.")
        return PROBLEMS if check and planned.changes else OK
    rendered = rendered_files(checked.project)  # before the lock, so that no one waits for us
    with lock(folder):
        planned = plan(folder, rendered)
        if planned.edited and not force:
            _refuse(planned)
            return PROBLEMS
        is_new = not folder.exists()
        apply(planned)
    if not is_quiet():
        _print_written(planned)
    advise(f"{folder.name}/ is up to date ({len(planned.files)} files).")
    if out is None and not is_quiet():
        has_changed = bool(planned.changes)
        advise_next(
            steps.after_render(
                root, folder, checked.project, is_new=is_new, has_changed=has_changed
            )
        )
    return OK


def _output_folder(root: Path, out: Path | None) -> Path:
    from nixcfg.project import wiring

    # abspath, not resolve: the folder is replaced, so a symlink in its place is refused later.
    folder = Path(os.path.abspath(out or root / wiring.RENDERED_DIR))  # noqa: PTH100
    if Path(os.path.realpath(root)).is_relative_to(os.path.realpath(folder)):
        raise click.UsageError(f"--out {out} holds the project itself; name a folder of its own")
    return folder


def _print_diff(plan: "Plan") -> None:
    """What a person reads: without the manifest, and the module's own files in one line."""
    from nixcfg.disk.folder import MANIFEST
    from nixcfg.project.wiring import MODULE

    color = wants_color(sys.stdout)
    count = 0
    for change in plan.changes:
        if change.path.startswith(f"{MODULE}/"):
            count += 1
        elif change.path != MANIFEST:
            click.echo(painted(masked_diff(change, f"{plan.folder.name}/"), color=color), nl=False)
    if count:
        report(f"{plan.folder.name}/{MODULE}/: {count} files of the module")


def _print(plan: "Plan") -> None:
    for change in plan.changes:
        click.echo(f"{change.verb} {plan.folder.name}/{change.path}")


def _print_written(plan: "Plan") -> None:
    """Like _print, but a new copy of the module, which is the same for everyone, is one line."""
    from nixcfg.project.wiring import MODULE

    count = 0
    for change in plan.changes:
        if change.old is None and change.path.startswith(f"{MODULE}/"):
            count += 1
            continue
        if count:
            click.echo(f"create {plan.folder.name}/{MODULE}/ ({count} files)")
            count = 0
        click.echo(f"{change.verb} {plan.folder.name}/{change.path}")


def _refuse(plan: "Plan") -> None:
    if plan.is_foreign:
        kept = ", ".join(plan.edited[:5]) + (" ..." if plan.edited[5:] else "")
        report(f"{plan.folder} is not a folder that nixcfg rendered: it holds {kept}.")
        taken = [path for path in plan.edited if path not in plan.foreign]
        over = f", writes over {', '.join(taken)}" if taken else ""
        report(
            "Nothing was rendered. Name a folder of its own; --force renders beside what is\n"
            f"there{over} and keeps the rest."
        )
        return
    for path in plan.edited:
        report(f"{plan.folder.name}/{path} is not as nixcfg wrote it.")
    report(
        "Nothing was rendered. Keep your changes in nixcfg.yaml, providers/ or your own NixOS\n"
        "configuration, which wins over every rendered value; --force overwrites them."
    )
