"""`nixcfg probe`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nixcfg.commands import OK, PROBLEMS, complete, reached
from nixcfg.commands.context import config_of, host_option, json_option, valid_project
from nixcfg.commands.output import report
from nixcfg.commands.reached import key_file_option, url_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixcfg.gateway.ask import Row
    from nixcfg.gateway.client import Gateway
    from nixcfg.gateway.compare import Comparison
    from nixcfg.gateway.targets import Target


@click.command()
@click.argument("config", required=False, shell_complete=complete.configs)
@host_option
@url_option
@click.option(
    "--model", "names", multiple=True, metavar="NAME", help="Ask this model (repeatable)."
)
@click.option("--all", "everything", is_flag=True, help="Ask all models, not one a provider.")
@key_file_option
@click.option(
    "-n", "--dry-run", is_flag=True, help="Only print what would be asked; ask no vendor."
)
@click.option("-y", "--yes", is_flag=True, help="Spend the money without a question.")
@reached.timeout_option(60.0)
@click.option(
    "--jobs",
    type=click.IntRange(1, 32),
    default=4,
    show_default=True,
    help="Models that are asked at the same time.",
)
@json_option
@click.pass_obj
def command(  # noqa: PLR0917 (click passes them by name)
    base: Path,
    config: str | None,
    host: str | None,
    url: str | None,
    names: tuple[str, ...],
    everything: bool,
    key_file: Path | None,
    dry_run: bool,
    yes: bool,
    seconds: float,
    jobs: int,
    form: str,
) -> int:
    """Ask a running gateway for its models.

    Each is asked plainly, with a system message, and streaming. Without --model and --all, one
    model of each provider, which tries every key. First it compares what the gateway serves with
    what CONFIG renders to: LiteLLM drops a deployment that it cannot use without a word to its
    users. Outside a project, name the gateway by --url.

    \b
    Examples:
      nixcfg probe --dry-run
      nixcfg probe --model gpt-4o --yes
    """
    from nixcfg.gateway import targets
    from nixcfg.gateway.compare import compare
    from nixcfg.project.find import project_root

    root = project_root(base)
    if root is None and not url:
        raise click.UsageError("outside a project, name the gateway: --url http://127.0.0.1:4000")
    whole = valid_project(root, host) if root else None
    chosen = config_of(whole, config) if whole else None
    gateway = reached.gateway(whole, url, key_file)
    served = reached.served(gateway, whole)
    comparison = compare(chosen, served) if chosen else None
    if whole and chosen:
        asked = targets.wanted(whole, chosen, names, everything=everything)
    else:
        asked = targets.unknown(names or (served if everything else served[:1]))
    skipped = [target for target in asked if target.skipped]
    asked = [target for target in asked if not target.skipped]
    rows: list[Row] = []
    if form == "text":
        _report_plan(gateway.url, asked, skipped)
    if not dry_run and asked:
        if not yes and not _may_spend(form):
            return PROBLEMS
        rows = _run(gateway, asked, jobs, seconds)
    printed = _json if form == "json" else _text
    printed(gateway.url, rows, skipped, comparison)
    failed = any(row.has_failed for row in rows)
    return PROBLEMS if failed or (comparison and comparison.missing) else OK


def _report_plan(url: str, asked: "Sequence[Target]", skipped: "Sequence[Target]") -> None:
    from nixcfg.gateway import ask

    count = len(asked) * len(ask.REQUESTS)
    dollars, unknown = ask.usual_cost(asked)
    cost = f"about ${dollars:.3f} if an answer has {ask.USUAL_TOKENS} tokens"
    if unknown:
        is_all = unknown == len(asked)
        cost = "price not known" if is_all else f"{cost}, and {unknown} without a known price"
    report(f"{url}: {count} requests to {', '.join(t.name for t in asked) or 'no model'} ({cost}).")
    for target in skipped:
        report(f"Not asked: {target.name}, {target.skipped}.")


def _may_spend(form: str) -> bool:
    if form == "json" or not sys.stdin.isatty():
        report("This costs money: add --yes, or --dry-run to see what would be asked.")
        return False
    return click.confirm("Send them?", default=True, err=True)


def _run(gateway: "Gateway", asked: "Sequence[Target]", jobs: int, seconds: float) -> "list[Row]":
    from nixcfg.gateway import ask

    count = len(asked) * len(ask.REQUESTS)
    if not sys.stderr.isatty():
        return ask.run(gateway, asked, jobs=jobs, seconds=seconds)
    with click.progressbar(length=count, label="Asking", file=sys.stderr) as bar:
        return ask.run(gateway, asked, jobs=jobs, seconds=seconds, tick=lambda: bar.update(1))


def _text(
    _url: str, rows: "Sequence[Row]", _skipped: "Sequence[Target]", compared: "Comparison | None"
) -> None:
    from nixcfg.commands.output import fitted, table, width_of
    from nixcfg.gateway import ask

    width = width_of(sys.stdout)
    if rows:
        headers = ("model", *ask.REQUESTS, "first token", "total", "tokens", "cost")
        click.echo(table(headers, [_cells(row) for row in rows], width))
    for row in rows:
        for outcome in row.causes:
            mark = "slow" if outcome.status == "slow" else "error"
            click.echo(
                fitted(f"{mark}: {row.target.name}, {outcome.kind}: {outcome.message}", width)
            )
            click.echo(fitted(f"  {outcome.mend}", width))
    if compared is None:
        return
    for name in compared.missing:
        click.echo(f"error: {name} is in the rendered configuration, and the gateway lacks it")
        click.echo(
            fitted(
                "  LiteLLM dropped it (`nixcfg rehearse` says why), or it runs an older "
                "configuration (`nixcfg render`, then switch).",
                width,
            )
        )
    if compared.unexpected:
        some = ", ".join(compared.unexpected[:5]) + (" ..." if compared.unexpected[5:] else "")
        click.echo(fitted(f"note: the gateway also serves {some}, which CONFIG does not", width))
    if not compared.missing:
        report("The gateway serves every model of the rendered configuration.")


def _cells(row: "Row") -> tuple[str, ...]:
    stream = row.outcomes[-1]
    tokens = [sum(getattr(o, f"{kind}_tokens") for o in row.outcomes) for kind in _TOKENS]
    return (
        row.target.name,
        *(f"{o.http or 'none'}" if o.status == "failed" else o.status for o in row.outcomes),
        "-" if stream.first is None else f"{stream.first:.2f} s",
        f"{sum(o.total for o in row.outcomes):.2f} s",
        f"{tokens[0]} + {tokens[1]}" if any(tokens) else "-",
        "-" if row.cost is None or not any(tokens) else f"${row.cost:.5f}",
    )


_TOKENS = ("prompt", "completion")


def _json(
    url: str,
    rows: "Sequence[Row]",
    skipped: "Sequence[Target]",
    compared: "Comparison | None",
) -> None:
    from dataclasses import asdict

    def cost(row: "Row") -> Any:
        return None if row.cost is None else round(row.cost, 8)

    data = {
        "url": url,
        "models": [
            {"name": r.target.name, "requests": [asdict(o) for o in r.outcomes], "cost": cost(r)}
            for r in rows
        ],
        "skipped": [{"name": target.name, "reason": target.skipped} for target in skipped],
        "missing": list(compared.missing) if compared else [],
        "unexpected": list(compared.unexpected) if compared else [],
    }
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
