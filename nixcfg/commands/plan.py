"""`nixcfg plan`."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, size
from nixcfg.commands.context import find_root, json_option, on_host, validated
from nixcfg.commands.output import fitted, print_problems, report, width_of

if TYPE_CHECKING:
    from nixcfg.gateway.host import Host
    from nixcfg.plan.change import Change
    from nixcfg.plan.compare import Plan
    from nixcfg.plan.facts import Facts
    from nixcfg.project.model import Project

CHANGES = 2
CANNOT_KNOW = 1
_TITLES = {"model": "Models", "key": "Keys", "setting": "Settings", "environment": "Environment"}


@click.command()
@click.argument("host", required=False)
@size.asking
@json_option
@click.pass_obj
def command(
    base: Path, host: str | None, users: int | None, requests: str | None, form: str
) -> int:
    """Show what a switch would change, and what it costs.

    Compares the sources with what this machine runs, or HOST, which your own ssh reaches: models,
    keys, image and settings, the units that restart, and whether requests are lost meanwhile.
    Exit code 0 for nothing to do, 2 for changes, 1 where it cannot know.

    \b
    Examples:
      nixcfg plan
      nixcfg plan gateway.example.org --json
      nixcfg plan --users 500
    """
    if users is not None or requests is not None:
        return size.answer(base, users, requests, host, form)
    from nixcfg.gateway.host import reached
    from nixcfg.plan.facts import wanted

    reasons: list[str] = []
    project = _project(base, host, reasons)
    with reached(host or "") as asked:
        old = _deployed(asked, reasons)
        if project is None or old is None:
            return _unknown(reasons, form)
        new = wanted(project)
        found, absent = _found(project, old, new, asked)
    if form == "json":
        data = {**_data(found), "missing_keys": absent}
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        width = width_of(sys.stdout)
        click.echo("\n".join(fitted(line, width) for line in _lines(found, new)))
        where = f"on {host}" if host else "on this machine"
        for variable in absent:
            report(f"{variable}: {new.key_files[variable].file} is missing {where}.")
        for each in found.unsure:
            report(each)
    return OK if found.is_empty else CHANGES


def _unknown(reasons: list[str], form: str) -> int:
    if form == "json":
        click.echo(json.dumps({"cannot_know": reasons}, indent=2, ensure_ascii=False))
    for each in reasons:
        report(f"Error: {each}")
    return CANNOT_KNOW


def _found(
    project: "Project", old: "Facts", new: "Facts", asked: "Host"
) -> "tuple[Plan, tuple[str, ...]]":
    """The plan with its drift, and the variables whose key files are missing."""
    from nixcfg.gateway.machine import UnknownError
    from nixcfg.plan.compare import plan
    from nixcfg.plan.facts import absent_keys
    from nixcfg.plan.look import look

    drift, unknown = look(old, project.machine, asked)
    absent: tuple[str, ...] = ()
    try:
        absent = absent_keys(new, asked)
    except UnknownError as error:
        unknown.append(f"Whether the key files are there is not known: {error}.")
    found = plan(old, new)
    return replace(found, drift=tuple(drift), unsure=(*found.unsure, *unknown)), absent


def _project(base: Path, host: str | None, reasons: list[str]) -> "Project | None":
    """The sources, as the machine has them that is asked about; None where they have errors, of
    which the reason is added."""
    try:
        root = find_root(base)
        checked = validated(root)
        if checked.project is None:
            print_problems((each for each in checked.problems if each.is_error), checked.files)
            reasons.append("the sources have errors (nixcfg validate)")
            return None
        hosts = checked.project.hosts
        name = host.rpartition("@")[2].partition(".")[0] if host and hosts else None
        return on_host(checked.project, name)
    except click.UsageError as error:
        reasons.append(error.format_message())
        return None


def _deployed(asked: "Host", reasons: list[str]) -> "Facts | None":
    """What runs; None where that is not known, and the reason is added."""
    from nixcfg.plan.facts import UnknownDeploymentError, deployed

    try:
        return deployed(asked)
    except UnknownDeploymentError as error:
        reasons.append(f"{error}")
        return None


def _data(plan: "Plan") -> dict[str, object]:
    tables = plan.migrations
    return {
        "changes": _listed(plan.changes),
        "units": [
            {"unit": each.unit, "does": each.verb, "why": list(each.why)} for each in plan.effects
        ],
        "loses_requests": plan.loses,
        "refused_seconds": plan.refused,
        "costs": list(plan.costs),
        "migrations": tables
        and {"unit": tables.unit, "count": tables.count, "meanwhile": tables.meanwhile},
        "access": _listed(plan.access),
        "drift": _listed(plan.drift),
        "unsure": list(plan.unsure),
    }


def _listed(changes: "Sequence[Change]") -> list[dict[str, str]]:
    return [
        {"what": each.what, "kind": each.kind.name.lower(), "name": each.name,
         "detail": each.detail}
        for each in changes
    ]  # fmt: skip


def _lines(plan: "Plan", new: "Facts") -> Iterator[str]:
    if plan.is_empty:
        yield "Nothing to do: what runs is what the sources say."
        return
    yield from _changes(plan)
    yield "Units"
    for effect in plan.effects:
        why = f" ({', '.join(effect.why)})" if effect.why else ""
        yield f"  {effect.unit} {effect.verb}{why}"
    if not plan.effects:
        yield "  none is touched"
    if tables := plan.migrations:
        yield "Database"
        yield f"  {tables.unit} {tables.said}."
        if tables.meanwhile and not tables.loses:
            yield f"  {tables.meanwhile}"
    yield from plan.costs or ("No request is lost.",)
    if plan.refused and new.instances == 1:
        yield "With instances: 2 in nixcfg.yaml a switch loses none (docs/scale.md)."
    if plan.drift:
        yield "Drift: on the machine and in no source, so a switch leaves it as it is"
        for each in plan.drift:
            yield _line(each, is_named=False)


def _changes(plan: "Plan") -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for each in plan.changes:
        title = _TITLES.get(each.what, "Machine")
        groups.setdefault(title, []).append(_line(each, is_named=title != "Machine"))
    for each in plan.access:
        groups.setdefault("Who may use what", []).append(_line(each, is_named=False))
    for title, lines in groups.items():
        yield title
        yield from lines


def _line(change: "Change", *, is_named: bool) -> str:
    name = change.name if is_named else f"{change.what}: {change.name}"
    return f"  {change.kind.value} {name}" + (f"  {change.detail}" if change.detail else "")
