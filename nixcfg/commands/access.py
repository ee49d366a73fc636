"""`nixcfg access`: teams, users and keys in LiteLLM's database."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from nixcfg.commands import OK, PROBLEMS
from nixcfg.commands.context import host_option, json_option, valid_project
from nixcfg.commands.output import report
from nixcfg.commands.reached import key_file_option, url_option

if TYPE_CHECKING:
    from nixcfg.access.api import Api
    from nixcfg.access.changes import Actual, Change
    from nixcfg.project.model import Project

Command = Callable[..., Any]


def asking(command: Command) -> Command:
    """The options of what asks a gateway."""
    for option in (json_option, key_file_option, url_option, host_option):
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@click.option("-n", "--dry-run", is_flag=True, help="The same as `nixcfg access plan`.")
@asking
@click.pass_context
def command(context: click.Context, /, dry_run: bool, **asked: Any) -> int:
    """Look after teams, keys and budgets.

    `teams`, `users` and `keys` of nixcfg.yaml are put into LiteLLM's database by the unit
    litellm-proxy-access. These commands look at the same database, on this machine or by --url.

    \b
    Example: nixcfg access plan
    """
    if context.invoked_subcommand:
        if dry_run or any(asked[name] for name in ("host", "url", "key_file")):
            raise click.UsageError(f"write options behind {context.invoked_subcommand}")
        return OK
    if dry_run:
        return int(context.invoke(plan, **asked))
    click.echo(context.get_help())
    return OK


@command.command()
@asking
@click.pass_obj
def plan(base: Path, host: str | None, url: str | None, key_file: Path | None, form: str) -> int:
    """Show what the next run would change; write nothing.

    Values of keys that you cannot read are taken for current.

    \b
    Example: nixcfg access plan --url https://gateway.example.org --key-file master.txt
    """
    project = _project(base, host)
    changes, _ = _changes(project, _api(project, url, key_file), makes=False)
    if form == "json":
        listed = [
            {"kind": c.kind, "name": c.name, "action": c.action, "reason": c.reason}
            for c in changes
        ]
        click.echo(json.dumps({"changes": listed}, indent=2, ensure_ascii=False))
    else:
        _print(
            ("what", "action", "why"),
            [(f"{c.kind} {c.name}", c.action, c.reason or "-") for c in changes],
        )
        report(f"{len(changes)} to do." if changes else "All is as nixcfg.yaml wants it.")
    return PROBLEMS if any(change.action == "refuse" for change in changes) else OK


@command.command()
@asking
@click.pass_obj
def apply(base: Path, host: str | None, url: str | None, key_file: Path | None, form: str) -> int:
    """Make what differs as nixcfg.yaml wants it, as the unit does.

    On the machine the unit does it by itself. Values are read from the files of the keys, and made
    where a file is missing.

    \b
    Example: sudo nixcfg access apply
    """
    from nixcfg.access.api import ApiError
    from nixcfg.access.run import carry_out

    project = _project(base, host)
    api = _api(project, url, key_file)
    changes, values = _changes(project, api, makes=True)
    try:
        outcome = carry_out(api, changes, values, lambda _, line: report(line))
    except ApiError as error:
        _fail(error)
    if form == "json":
        click.echo(json.dumps({"done": outcome.done, "failed": outcome.failed}, indent=2))
    else:
        report(outcome.summary())
    return PROBLEMS if outcome.failed else OK


@command.command()
@asking
@click.pass_obj
def keys(base: Path, host: str | None, url: str | None, key_file: Path | None, form: str) -> int:
    """List the keys in the database: limits, what is left, and whose they are.

    \b
    Example: sudo nixcfg access keys
    """
    import datetime as dt

    from nixcfg.access import overview

    rows = overview.keys(_rows(_api_anywhere(base, host, url, key_file)), dt.datetime.now(dt.UTC))
    if form == "json":
        click.echo(json.dumps({"keys": rows}, indent=2, ensure_ascii=False))
        return OK
    headers = ("key", "state", "team", "user", "models", "spent", "left", "expires", "managed")
    _print(
        headers,
        [
            (
                row["name"],
                row["state"],
                row["team"] or "-",
                row["user"] or "-",
                ", ".join(map(str, row["models"])) or "all",
                _dollars(row["spend"]),
                _left(row),
                (row["expires"] or "-")[:10],
                "yes" if row["managed"] else "no",
            )
            for row in rows
        ],
    )
    return OK


@command.command()
@click.option("--by", type=click.Choice(["team", "key", "model"]), help="One table alone.")
@asking
@click.pass_obj
def spend(  # noqa: PLR0917 (click passes them by name)
    base: Path, by: str | None, host: str | None, url: str | None, key_file: Path | None, form: str
) -> int:
    """List what was spent, by team, key and model.

    Teams and keys: since their budget was last reset. Models: in the last 30 days.

    \b
    Example: sudo nixcfg access spend --by team
    """
    from nixcfg.access import overview

    api = _api_anywhere(base, host, url, key_file)
    found = overview.spend(_rows(api), overview.models(_activity(api)))
    if by:
        found = {f"{by}s": found[f"{by}s"]}
    if form == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return OK
    for kind, rows in found.items():
        if rows:
            cells = [(row["name"], _dollars(row["spend"]), _left(row)) for row in rows]
            _print((kind.removesuffix("s"), "spent", "left"), cells)
            click.echo()
    return OK


@command.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(["team", "user", "key"]), help="Where two have the name.")
@asking
@click.pass_obj
def adopt(  # noqa: PLR0917 (click passes them by name)
    base: Path,
    name: str,
    kind: str | None,
    host: str | None,
    url: str | None,
    key_file: Path | None,
    form: str,
) -> int:
    """Take over a team, user or key that is there under a name of nixcfg.yaml.

    It gets nixcfg's mark and nothing else; the next run gives it what nixcfg.yaml says.

    \b
    Example: sudo nixcfg access adopt research
    """
    from nixcfg.access.api import ApiError
    from nixcfg.access.desired import KINDS, entries
    from nixcfg.access.rows import adoption

    project = _project(base, host)
    wanted = [k for section, k in KINDS.items() if name in entries(project, section)]
    if not wanted:
        raise click.UsageError(f"nixcfg.yaml has no team, user or key {name}; add it there first")
    api = _api(project, url, key_file)
    found = [
        each for each in _foreign(_rows(api), name) if each[0] in wanted and kind in (None, each[0])
    ]
    if len(found) != 1:
        what = "; ".join(
            f"{k} {row.get('team_id') or row.get('token') or name}" for k, row in found
        )
        raise click.ClickException(
            f"there are several: {what} (--kind)" if found else f"nothing to take over: {name}"
        )
    kind, row = found[0]
    try:
        api.post(*adoption(kind, row, name))
    except ApiError as error:
        _fail(error)
    if form == "json":
        click.echo(json.dumps({"adopted": {"kind": kind, "name": name}}))
    report(f"{kind} {name} is managed here now. Next: nixcfg access plan")
    return OK


def _foreign(actual: "Actual", name: str) -> list[tuple[str, Any]]:
    """What has a name and no mark, with its kind."""
    from nixcfg.access.rows import name_of

    names: dict[str, list[tuple[Any, tuple[Any, ...]]]] = {
        "team": [(row, (row["team_id"], row.get("team_alias"))) for row in actual.teams],
        "user": [(row, (row["user_id"], row.get("user_alias"))) for row in actual.users],
        "key": [(row, (row.get("key_alias"),)) for row in actual.keys],
    }
    return [
        (kind, row)
        for kind, rows in names.items()
        for row, known in rows
        if name in known and not name_of(row)
    ]


def _project(base: Path, host: str | None) -> "Project":
    from nixcfg.access.desired import is_wanted
    from nixcfg.commands.context import find_root

    project = valid_project(find_root(base), host)
    if not is_wanted(project):
        raise click.UsageError("nixcfg.yaml has no teams, users or keys")
    return project


def _api(project: "Project | None", url: str | None, key_file: Path | None) -> "Api":
    from nixcfg.access.api import Api
    from nixcfg.commands import reached

    gateway = reached.gateway(project, url, key_file)
    return Api(gateway.url, gateway.key)


def _api_anywhere(base: Path, host: str | None, url: str | None, key_file: Path | None) -> "Api":
    """The same for what needs no project where the gateway is named."""
    from nixcfg.project.find import project_root

    root = project_root(base)
    if root is None and not url:
        raise click.UsageError("outside a project, name the gateway: --url http://127.0.0.1:4000")
    return _api(valid_project(root, host) if root else None, url, key_file)


def _rows(api: "Api") -> "Actual":
    from nixcfg.access.api import ApiError

    try:
        return api.rows()
    except ApiError as error:
        _fail(error)


def _activity(api: "Api") -> list[Any]:
    from nixcfg.access.api import ApiError

    try:
        return api.activity()
    except ApiError as error:
        _fail(error)


def _fail(error: Exception) -> NoReturn:
    raise click.ClickException(
        f"{error}\nSee `nixcfg doctor`, or name the gateway: --url"
    ) from None


def _changes(
    project: "Project", api: "Api", *, makes: bool
) -> "tuple[list[Change], dict[str, str]]":
    """What is left to do, and the values of the keys that could be read (or made)."""
    import datetime as dt

    from nixcfg.access.desired import desired, value_files
    from nixcfg.access.plan import plan as planned
    from nixcfg.access.rows import hashed
    from nixcfg.keys.virtual import Place, values
    from nixcfg.project import wiring

    rows = _rows(api)
    places = {
        each.name: Place(
            Path(wiring.place(each.file)),
            each.owner or "root",
            each.group or "root",
            each.mode or "0600",
        )
        for each in value_files(project)
    }
    found, _ = values(places, lambda _, line: report(line), makes=makes)
    hashes = {name: hashed(value) for name, value in found.items()}
    changes = planned(desired(project), rows, hashes, dt.datetime.now(dt.UTC))
    if makes:
        changes = [each for each in changes if each.kind != "key" or each.name in found]
    return changes, found


def _dollars(amount: float) -> str:
    return f"${amount:.4f}"


def _left(row: dict[str, Any]) -> str:
    if row["left"] is None:
        return "-"
    duration = f" a {row['budget_duration']}" if row["budget_duration"] else ""
    return f"{_dollars(row['left'])} of ${row['max_budget']:g}{duration}"


def _print(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from nixcfg.commands.output import table, width_of

    if rows:
        click.echo(table(headers, rows, width_of(sys.stdout)))
