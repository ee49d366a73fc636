"""`nixcfg ask`."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS, complete, reached
from nixcfg.commands.context import find_root, host_option, project_here, valid_project
from nixcfg.commands.output import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixcfg.gateway.ask import Outcome
    from nixcfg.gateway.client import Gateway
    from nixcfg.gateway.targets import Target
    from nixcfg.project.model import Project


@click.command()
@click.argument("question", nargs=-1)
@click.option(
    "--model",
    default="",
    metavar="NAME",
    shell_complete=complete.served,
    help="The model to ask.  [default: the first of the configuration]",
)
@click.option("--mock", is_flag=True, help="Start a gateway for it, with canned answers.")
@reached.url_option
@reached.key_file_option
@host_option
@reached.timeout_option(120.0)
@click.pass_obj
def command(
    base: Path,
    *,
    question: tuple[str, ...],
    model: str,
    mock: bool,
    url: str | None,
    key_file: Path | None,
    host: str | None,
    seconds: float,
) -> int:
    """Ask the gateway one question, and stream its answer.

    Then the time to the first token, tokens and price. Without QUESTION it is read from standard
    input. Costs what the answer costs.

    \b
    Examples:
      nixcfg ask "What is the meaning of life?"
      nixcfg ask --mock "Hello"
    """
    from nixcfg.gateway import ask, targets

    text = " ".join(question) or _typed()
    if mock and url:
        raise click.UsageError("--mock starts a gateway of its own; leave --url out")
    whole = (project_here if mock else valid_project)(find_root(base), host)
    config = whole.machine.loaded
    names = [model] if model else []
    found = targets.wanted(whole, config, names, everything=not model)
    target = next((each for each in found if "*" not in each.name), None)
    if target is None:
        raise click.UsageError("name a model with --model")
    with _asked(whole, url, key_file, mock=mock) as gateway:
        outcome = ask.ask(gateway, target, "stream", seconds, question=text, tell=_tell)
    click.echo()
    _report(outcome, target, mock=mock)
    return PROBLEMS if outcome.status == "failed" else OK


def _typed() -> str:
    if sys.stdin.isatty():
        raise click.UsageError('what is the question? nixcfg ask "..."')
    return sys.stdin.read()


def _tell(text: str) -> None:
    click.echo(text, nl=False)
    sys.stdout.flush()


@contextlib.contextmanager
def _asked(
    whole: "Project", url: str | None, key_file: Path | None, *, mock: bool
) -> "Iterator[Gateway]":
    from nixcfg.commands.running import launched
    from nixcfg.gateway import process

    if not mock:
        trying = "Without a gateway: nixcfg ask --mock ..."
        yield reached.gateway(whole, url, key_file, otherwise=trying)
        return
    port = process.free_port(0)
    with launched(whole, whole.machine.loaded, mock=True, port=port) as (running, _):
        yield running.gateway


def _report(outcome: "Outcome", target: "Target", *, mock: bool) -> None:
    if outcome.status == "failed":
        report(f"error: {target.name}: {outcome.message}")
        report(f"  {outcome.mend}")
        return
    prompt, answer = outcome.prompt_tokens, outcome.completion_tokens
    cost = target.cost(prompt, answer)
    price = "price not known" if cost is None else f"${cost:.5f}"
    if mock:
        price = "nothing to pay" if cost is None else f"{price} if it were real"
    first = "" if outcome.first is None else f"first token after {outcome.first:.2f} s, "
    report(
        f"{target.name}: {first}all after {outcome.total:.2f} s; "
        f"{prompt} + {answer} tokens, {price}"
    )
