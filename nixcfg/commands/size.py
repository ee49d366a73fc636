"""`nixcfg size`: another name for `nixcfg plan` with --users or --requests."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nixcfg.commands import OK
from nixcfg.commands.context import find_root, host_option, json_option, valid_project
from nixcfg.commands.output import report

if TYPE_CHECKING:
    from nixcfg.plan.size import Carried, Size

Command = Callable[..., Any]
_ONE_MACHINE = 64  # cores


def asking(command: Command) -> Command:
    """The options that say how much is asked."""
    for option in (
        click.option(
            "--requests",
            metavar="RATE",
            help="So many requests a second; - reads the rate or Prometheus' answer from stdin.",
        ),
        click.option(
            "--users",
            type=click.IntRange(1, 10_000_000),
            help="Say what so many users need, instead: instances, cores, memory, connections.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@asking
@host_option
@json_option
@click.pass_obj
def command(
    base: Path, users: int | None, requests: str | None, host: str | None, form: str
) -> int:
    """Say what so many users need: `nixcfg plan --users`.

    By what one worker of the real LiteLLM was measured to carry (docs/scale.md), half full at the
    busiest time, when each user asks once a minute.

    \b
    Examples:
      nixcfg size --users 500
      nixcfg size --requests 8
    """
    if users is None and requests is None:
        raise click.UsageError("say how much is asked: --users 500, or --requests 8 a second")
    return answer(base, users, requests, host, form)


def answer(base: Path, users: int | None, requests: str | None, host: str | None, form: str) -> int:
    """Print what is needed, and what nixcfg.yaml has to say for it."""
    from nixcfg.plan import size as sizing
    from nixcfg.plan.measured import measured

    if users is not None and requests is not None:
        raise click.UsageError("--users or --requests: choose one")
    if requests is None:
        rate = (users or 0) * sizing.REQUESTS_A_USER_AND_MINUTE / 60
    else:
        rate = _rate(requests)
    machine = valid_project(find_root(base), host).machine
    found = measured()
    has_database = machine.database is not None
    worker = sizing.carried(found, database=has_database)
    wanted = sizing.size(rate, worker, database=has_database)
    said = sizing.lines(wanted, machine)
    if form == "json":
        data = {
            "requests_per_second": rate,
            "instances": wanted.instances,
            "workers": wanted.workers,
            "cores": wanted.cores,
            "memory_mib": round(wanted.memory),
            "connections": wanted.connections,
            "nixcfg.yaml": said,
            "by": {"what": worker.what, "requests_per_second": worker.rate, "on": found["where"]},
        }
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return OK
    click.echo("\n".join((_asked(rate, users), *_lines(worker, wanted, said))))
    if wanted.instances == machine.instances == 1:
        report("One instance refuses requests while it restarts; `instances: 2` loses none.")
    if wanted.cores > _ONE_MACHINE:
        report("So many cores are several machines: `hosts` in nixcfg.yaml (docs/scale.md).")
    report(f"Measured on {found['where']}. Another machine: benchmarks/speed.py.")
    return OK


def _rate(requests: str) -> float:
    from nixcfg.plan.size import BadAnswerError, busiest

    try:
        return busiest(sys.stdin.read() if requests == "-" else requests)
    except BadAnswerError as error:
        name = "standard input" if requests == "-" else repr(requests)
        raise click.UsageError(f"--requests: {name}: {error}") from None


def _asked(rate: float, users: int | None) -> str:
    from nixcfg.plan.size import REQUESTS_A_USER_AND_MINUTE

    asked = f"{rate:,.2g} requests a second" if rate < 10 else f"{rate:,.0f} requests a second"
    if users is None:
        return asked
    each = f"{REQUESTS_A_USER_AND_MINUTE:g} a minute each at the busiest time"
    return f"{_some(users, 'user')}, {each}: {asked}"


def _lines(worker: "Carried", wanted: "Size", said: dict[str, object]) -> Iterator[str]:
    from nixcfg.plan.size import FULL

    yield f"  one worker carries  {worker.rate:.1f} a second ({worker.what})"
    yield f"  planned to be       {FULL:.0%} full, so that a switch is borne"
    each = " each" * (wanted.instances > 1)
    yield f"  instances           {wanted.instances}, with {_some(wanted.workers, 'worker')}{each}"
    yield f"  cores               {wanted.cores}, and one for everything else"
    yield f"  memory              {wanted.memory / 1024:.1f} GiB"
    if wanted.connections:
        yield f"  connections         {wanted.connections} to PostgreSQL"
    if said:
        yield "In nixcfg.yaml:"
        yield from (f"  {key}: {value}" for key, value in said.items())
    else:
        yield "nixcfg.yaml has that."


def _some(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
