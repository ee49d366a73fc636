"""`nixcfg status`."""

import json
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import find_root, host_option, json_option, on_host, read, today
from nixcfg.commands.output import advise_next, print_problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nixcfg.doctor.status import Glance

_FEW = 8
"""Models and keys are named up to so many."""
_KEYS = {"set": "set", "missing": "MISSING", "unusable": "UNUSABLE", "hidden": "for root to see"}


@click.command()
@click.option("--providers", is_flag=True, help="Also list each provider, with keys and files.")
@host_option
@json_option
@click.pass_obj
def command(base: Path, *, providers: bool, host: str | None, form: str) -> int:
    """Show in ten lines what runs, and of what.

    Whether the gateway answers and since when, what it loads, which keys are set, the last error,
    and whether source, rendered files and gateway agree. Needs neither root nor nix, and says
    what it cannot see. Exit code 0 when the gateway answers, else 1.

    \b
    Example: nixcfg status
    """
    from dataclasses import asdict

    from nixcfg import check
    from nixcfg.doctor import status

    root = find_root(base)
    sources = read(root)
    checked = check.validate(sources, today())
    project, broken = check.understood(sources, checked)
    project = on_host(project, host) if project else None
    known = {config.name for config in project.machine.configs} if project else set()
    if project is None or project.machine.model_config not in known:
        print_problems((each for each in checked.problems if each.is_error), checked.files)
        return PROBLEMS
    found = status.glance(root, project, broken, checked)
    if form == "json":
        click.echo(json.dumps({**asdict(found), "next": found.next}, indent=2, ensure_ascii=False))
        return OK if found.answers else PROBLEMS
    _print(found)
    if providers:
        click.echo(f"\n{provider_table(found.overview, {found.config})}")
    advise_next([found.next] if found.next else [])
    return OK if found.answers else PROBLEMS


def provider_table(rows: "Iterable[dict[str, Any]]", loaded: Collection[str]) -> str:
    """Each provider with its models, keys and configurations, those that are `loaded` with *."""
    from nixcfg.commands.output import table, width_of

    cells = [
        (
            row["name"],
            ", ".join(row["models"]) or "-",
            ", ".join(secret["variable"] for secret in row["secrets"]) or "-",
            ", ".join(secret["file"] for secret in row["secrets"]) or "-",
            ", ".join(f"{c}*" if c in loaded else c for c in row["configs"]),
        )
        for row in rows
    ]
    headers = ("name", "models", "key", "key file", "configs")
    return table(headers, cells, width_of(sys.stdout))


def _print(found: "Glance") -> None:
    from nixcfg.commands.output import width_of

    width = width_of(sys.stdout)
    for name, value in _lines(found):
        line = f"{name:10}  {value}"
        # A glance is a line each: what is cut off here is whole in --json.
        click.echo(line if width is None or len(line) <= width else f"{line[: width - 3]}...")


def _lines(found: "Glance") -> "Iterator[tuple[str, str]]":
    yield "gateway", _gateway(found)
    yield "config", f"{found.config} ({', '.join(found.providers)})"
    yield "models", _some(found.models)
    groups = {
        word: [key.variable for key in found.keys if key.state == state]
        for state, word in _KEYS.items()
    }
    keys = "; ".join(f"{word}: {_some(names)}" for word, names in groups.items() if names)
    yield "keys", keys or "none needed"
    yield "image", found.image
    left_out = f"; left out: {', '.join(found.broken)}" if found.broken else ""
    yield "source", found.source + left_out
    yield "rendered", _rendered(found.rendered.message)
    if found.deployed is not None:
        yield "deployed", found.deployed.message
    if found.error is not None:
        yield "last error", found.error or "none in the log"
    elif found.state not in ("elsewhere", "absent", "foreign"):
        yield "last error", "the log is for root to see: sudo nixcfg status"


def _gateway(found: "Glance") -> str:
    import datetime as dt

    from nixcfg.doctor import status

    match found.state:
        case "answers" | "silent":
            verb = "answers" if found.answers else "runs, and does not answer yet"
            ago = status.ago(found.since, dt.datetime.now(tz=dt.UTC))
            return f"{found.url} {verb}" + (f", up for {ago}" if ago else "")
        case "foreign":
            return f"{found.url} answers, but not as a unit: nixcfg try, or another program"
        case "starting":
            return f"{found.url} is starting: an image is fetched, or LiteLLM needs some seconds"
        case "failed":
            return f"{found.url} does not answer: its unit has failed"
        case "stopped":
            return f"{found.url} does not answer: its unit is stopped"
        case "absent":
            return f"{found.url} does not answer: nothing is installed yet"
        case "elsewhere":
            return "not here: this is no NixOS, so only the project can be looked at"


def _rendered(message: str) -> str:
    """What the doctor says of rendered/, with the number of files instead of all their names."""
    said, colon, names = message.partition(": ")
    count = len(names.split(", "))
    return f"{said}: {count} file{'s' * (count != 1)}" if colon else said


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more
