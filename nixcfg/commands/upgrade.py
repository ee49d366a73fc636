"""`nixcfg upgrade`."""

import json
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import amended, find_root, json_option, read, refusing, today
from nixcfg.commands.output import advise, print_problems, report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixcfg.project.model import Project
    from nixcfg.upgrade.compare import Difference

_SIGNS = {"gain": "+", "loss": "-", "change": "~"}


@click.command()
@click.argument("release", metavar="[VERSION]", required=False)
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; exit 1 if there is a newer release, for CI and timers.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Write nothing; show what would be different.")
@click.option("--no-rehearse", is_flag=True, help="Do not start LiteLLM, even if it is installed.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    release: str | None,
    *,
    check: bool,
    dry_run: bool,
    no_rehearse: bool,
    form: str,
) -> int:
    """Show what another LiteLLM release changes, and take it.

    VERSION is a release such as 1.108.7; without it, the one that nixcfg renders by default. Shows
    what this project gains (+), what it loses (-) and what changes (~), starts LiteLLM once if
    that release is installed here, then sets the image in nixcfg.yaml and renders.

    \b
    Examples:
      nixcfg upgrade --check
      nixcfg upgrade 1.108.7 --dry-run
    """
    from nixcfg.check import validate
    from nixcfg.commands import render
    from nixcfg.upgrade.change import recommended, release_of, upgrade
    from nixcfg.upgrade.compare import differences

    root = find_root(ctx.obj)
    sources = read(root)
    old = release_of(sources)
    new = (release or recommended(old)).removeprefix("v")
    with refusing():
        amendment = upgrade(sources, new, today())
    before = validate(sources, today())
    found = differences(before, amendment.report, old, new)
    is_due = new != old
    if form == "json":
        data = {
            "from": old,
            "to": new,
            "differences": [
                {"effect": d.effect, "message": d.message, "place": d.place, "code": d.code}
                for d in found
            ],
        }
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        _print(found, old, new)
    if check or dry_run or not is_due:
        return PROBLEMS if check and is_due else OK
    if not amendment.report.is_valid:
        errors = [each for each in amendment.report.problems if each.is_error]
        print_problems(errors, amendment.report.files)
        report(f"Nothing was changed: the project would not validate for LiteLLM {new}.")
        return PROBLEMS
    if not no_rehearse and not _rehearsed(amendment.project, new):
        report("Nothing was changed. `--no-rehearse` goes on without LiteLLM's own word.")
        return PROBLEMS
    _, changes = amended(root, lambda sources: upgrade(sources, new, today()))
    for each in changes:
        click.echo(f"{each.verb} {each.path}")
    code: int = ctx.invoke(render.command)
    advise("Next: nixcfg pin, if you pin digests\n      sudo nixos-rebuild switch")
    return code


def _print(found: "Sequence[Difference]", old: str, new: str) -> None:
    from nixcfg import knowledge
    from nixcfg.knowledge import releases
    from nixcfg.upgrade.change import newest

    if new == old:
        latest = newest()
        more = f" nixcfg knows {latest} too: nixcfg upgrade {latest}." if latest != old else ""
        report(f"LiteLLM {old} is up to date.{more}")
        return
    click.echo(f"LiteLLM {old or 'of an unknown release'} -> {new}")
    for each in found:
        place = f"{each.place}: " if each.place else ""
        code = f" [{each.code}]" if each.code else ""
        click.echo(f"{_SIGNS[each.effect]} {place}{each.message}{code}")
    if not found:
        click.echo("  nothing changes for this project")
    for hole in releases.unresolved():
        report(f"Not known of either release: {hole}.")
    for release in (old, new):
        choice = knowledge.choose(release)
        if not choice.is_known:
            report(f"nixcfg does not know LiteLLM {release}: judged by {choice.knowledge.version}.")


def _rehearsed(project: "Project", release: str) -> bool:
    """Whether LiteLLM serves all models; True, with a word, where that release is not here."""
    from nixcfg.commands.rehearse import went_well
    from nixcfg.gateway import process

    installed = "" if process.absent() else process.version()
    if installed != release:
        here = f"LiteLLM {installed} is installed here" if installed else "LiteLLM is not installed"
        report(f"Not rehearsed: {here}; `pip install 'litellm[proxy]=={release}'` would do.")
        return True
    return went_well(project)
