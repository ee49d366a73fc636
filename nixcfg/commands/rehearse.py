"""`nixcfg rehearse`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS, complete
from nixcfg.commands.context import config_of, find_root, host_option, json_option, project_here
from nixcfg.commands.output import report
from nixcfg.commands.running import container_for, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixcfg.gateway.pinned import Container
    from nixcfg.gateway.rehearsal import Rehearsal
    from nixcfg.project.model import Config, Project


@click.command()
@click.argument("configs", metavar="[CONFIG]...", nargs=-1, shell_complete=complete.configs)
@host_option
@click.option("--verbose", is_flag=True, help="Print all that LiteLLM prints.")
@json_option
@click.pass_obj
def command(
    base: Path, configs: tuple[str, ...], host: str | None, verbose: bool, form: str
) -> int:
    """Start LiteLLM once on what would be rendered.

    For CI, and before a switch, to see what the real LiteLLM makes of it: with dummy keys, on a
    spare port, in a temporary folder, and gone afterwards. It finds what LiteLLM drops without a
    word to its users. No vendor is asked.

    \b
    Examples:
      nixcfg rehearse
      nixcfg rehearse claude all --json
    """
    project = project_here(find_root(base), host)
    chosen = [config_of(project, name) for name in configs or (None,)]
    container = container_for(project.machine)
    results = [_rehearse(project, config, container, verbose=verbose) for config in chosen]
    if form == "json":
        listed = [result.as_data() for result in results]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    else:
        for result in results:
            _print(result)
    return PROBLEMS if any(result.has_failed for result in results) else OK


def went_well(project: "Project") -> bool:
    """Rehearse what the container loads, print it, and say whether all of it is served."""
    container = container_for(project.machine)
    result = _rehearse(project, config_of(project, None), container, verbose=False)
    _print(result)
    return not result.has_failed


def _rehearse(
    project: "Project", config: "Config", container: "Container | None", *, verbose: bool
) -> "Rehearsal":
    from nixcfg.gateway import process
    from nixcfg.gateway.rehearsal import rehearse

    release = container.release if container else process.version()
    report(f"{config.name}: starting LiteLLM {release} ...")

    def tick(_seconds: float, lines: "Sequence[str]") -> None:
        for line in lines if verbose else ():
            report(line)

    return rehearse(project.machine, config, tick, container)


def _print(result: "Rehearsal") -> None:
    name = result.config
    for model in result.missing:
        click.echo(f"{name}: error: LiteLLM drops {model}; no one could ask for it")
    for level, texts in (("error", result.errors), ("warning", result.warnings)):
        for text in texts:
            click.echo(f"{name}: {level}: {shortened(text)}")
    for line in result.last_words:
        click.echo(f"  {line}")
    up = "" if result.start_seconds is None else f"up after {result.start_seconds} s, "
    click.echo(
        f"{name}: {result.served} of {result.models} models served, "
        f"{_count(result.errors, 'error')}, {_count(result.warnings, 'warning')}; "
        f"{up}{result.seconds} s in all."
    )


def _count(things: "Sequence[str]", noun: str) -> str:
    return f"{len(things)} {noun}" + "s" * (len(things) != 1)
