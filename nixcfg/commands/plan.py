"""`nixcfg plan`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, size
from nixcfg.commands.context import find_root, json_option, valid_project
from nixcfg.commands.output import report

if TYPE_CHECKING:
    from nixcfg.plan.change import Change
    from nixcfg.plan.compare import Plan

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
    keys, image and settings, the containers that restart, and whether requests are lost
    meanwhile. Exit code 0 for nothing to do, 2 for changes, 1 where it cannot know.

    \b
    Examples:
      nixcfg plan
      nixcfg plan gateway.example.org --json
      nixcfg plan --users 500
    """
    if users is not None or requests is not None:
        return size.answer(base, users, requests, host, form)
    from nixcfg.plan.compare import plan
    from nixcfg.plan.facts import UnknownDeploymentError, absent_keys, deployed, wanted
    from nixcfg.plan.look import look

    project = valid_project(find_root(base))
    if project.hosts and host:
        name = host.rpartition("@")[2].partition(".")[0]
        project = valid_project(find_root(base), name)
    try:
        old, new = deployed(host or ""), wanted(project)
    except UnknownDeploymentError as error:
        raise click.ClickException(f"{error}") from None
    found = plan(old, new)
    if not host:
        drift, unknown = look(old, project.machine)
        found = replace(found, drift=tuple(drift), unsure=(*found.unsure, *unknown))
    absent = () if host else absent_keys(new)
    if form == "json":
        click.echo(
            json.dumps({**_data(found), "missing_keys": absent}, indent=2, ensure_ascii=False)
        )
    else:
        click.echo("\n".join(_lines(found)))
        for variable in absent:
            report(f"{variable}: {new.key_files[variable]} is missing on this machine.")
        for each in found.unsure:
            report(each)
    return OK if found.is_empty else CHANGES


def _data(plan: "Plan") -> dict[str, object]:
    return {
        "changes": _listed(plan.changes),
        "units": [
            {"unit": each.unit, "does": each.verb, "why": list(each.why)} for each in plan.effects
        ],
        "loses_requests": plan.loses,
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


def _lines(plan: "Plan") -> Iterator[str]:
    if plan.is_empty:
        yield "Nothing to do: what runs is what the sources say."
        return
    groups: dict[str, list[str]] = {}
    for each in plan.changes:
        title = _TITLES.get(each.what, "Machine")
        groups.setdefault(title, []).append(_line(each, is_named=title != "Machine"))
    for title, lines in groups.items():
        yield title
        yield from lines
    if plan.access:
        yield "Who may use what"
        for each in plan.access:
            yield _line(each, is_named=False)
    yield "Units"
    for effect in plan.effects:
        why = f" ({', '.join(effect.why)})" if effect.why else ""
        yield f"  {effect.unit} {effect.verb}{why}"
    if not plan.effects:
        yield "  none restarts"
    yield _cost(plan)
    if plan.drift:
        yield "Drift: on the machine and in no source, so a switch leaves it as it is"
        for each in plan.drift:
            yield _line(each, is_named=False)


def _line(change: "Change", *, is_named: bool) -> str:
    name = change.name if is_named else f"{change.what}: {change.name}"
    return f"  {change.kind.value} {name}" + (f"  {change.detail}" if change.detail else "")


def _cost(plan: "Plan") -> str:
    if plan.loses:
        return (
            "Requests are refused while LiteLLM starts, which takes 10 to 40 seconds. With\n"
            "instances: 2 in nixcfg.yaml a switch loses none (docs/scale.md)."
        )
    return "No request is lost."
