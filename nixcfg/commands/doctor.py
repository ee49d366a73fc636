"""`nixcfg doctor`."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import find_root, host_option, json_option, on_host, today, validated
from nixcfg.commands.output import report, wants_color

if TYPE_CHECKING:
    from nixcfg.doctor import Check

_COLORS = {"ok": "green", "warning": "yellow", "error": "red", "skipped": "bright_black"}


@click.command()
@host_option
@json_option
@click.pass_obj
def command(base: Path, host: str | None, form: str) -> int:
    """Look for what is wrong, and how to fix it.

    From the project to the port. Changes nothing, costs nothing, and shows no key. As an ordinary
    user it sees half of it, and names what `sudo nixcfg doctor` would see.

    \b
    Example: nixcfg doctor
    """
    from dataclasses import asdict, replace

    from nixcfg import doctor

    root = find_root(base)
    checked = validated(root)
    project = on_host(checked.project, host) if checked.project else None
    checks = []
    for check in doctor.examine(root, replace(checked, project=project), today()):
        checks.append(check)
        if form == "text":
            _print(check)
    counts = Counter(check.status for check in checks)
    if form == "json":
        data = {"checks": [asdict(check) for check in checks], "counts": counts}
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        report(", ".join(f"{counts[status]} {status}" for status in doctor.Status))
    return PROBLEMS if counts[doctor.Status.ERROR] else OK


def _print(check: "Check") -> None:
    status = f"{check.status:7}"
    if wants_color(sys.stdout):
        status = click.style(status, fg=_COLORS[check.status])
    click.echo(f"{status}  {check.name}: {check.message}")
    for line in check.details:
        click.echo(f"           | {line}")
    if check.mend:
        click.echo(f"         > {check.mend}")
