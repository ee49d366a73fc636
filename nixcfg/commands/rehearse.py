"""`nixcfg rehearse`."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nixcfg.commands import OK, PROBLEMS, complete
from nixcfg.commands.context import config_of, find_root, host_option, json_option, valid_project
from nixcfg.commands.output import say
from nixcfg.commands.running import last_words, shortened

if TYPE_CHECKING:
    from nixcfg.project.model import Config, Project


@click.command()
@click.argument("configs", metavar="[CONFIG]...", nargs=-1, shell_complete=complete.configs)
@host_option
@click.option("--verbose", is_flag=True, help="Show all that LiteLLM says.")
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
    project = valid_project(find_root(base), host)
    chosen = [config_of(project, name) for name in configs or (None,)]
    results = [_rehearse(project, config, verbose=verbose) for config in chosen]
    if form == "json":
        click.echo(json.dumps(results, indent=2, ensure_ascii=False))
    else:
        for result in results:
            _show(result)
    return PROBLEMS if any(result["errors"] or result["missing"] for result in results) else OK


def _rehearse(project: "Project", config: "Config", *, verbose: bool) -> dict[str, Any]:
    from nixcfg.gateway import launch, log, process
    from nixcfg.gateway.compare import Comparison, compare
    from nixcfg.render import render

    began = time.monotonic()
    result: dict[str, Any] = {"config": config.name, "models": 0, "missing": [], "errors": []}
    lacking = process.absent()
    if lacking:
        raise click.ClickException(process.not_installed(lacking))
    text = render.litellm_yaml(launch.unshared(project.machine, config))
    start = launch.rehearsed(project.machine, config, text, process.free_port(0))
    say(f"{config.name}: starting LiteLLM {process.version()} ...")

    def tick(_seconds: float, lines: Sequence[str]) -> None:
        for line in lines if verbose else ():
            say(line)

    try:
        with process.running(start, tick) as running:
            result["start_seconds"] = round(time.monotonic() - began, 1)
            compared = compare(config, running.gateway.models())
            list(running.lines(0.2))
            lines = running.log
    except process.StartError as error:
        lines = list(error.log)
        result["errors"] = [f"{error}"]
        compared = Comparison((), ())
    told = log.events(lines)
    result["models"] = len({entry["model_name"] for entry in config.litellm["model_list"]})
    result["missing"] = list(compared.missing)
    result["errors"] += dict.fromkeys(event.text for event in told if event.level == "error")
    result["warnings"] = list(dict.fromkeys(e.text for e in told if e.level == "warning"))
    if "start_seconds" not in result and len(result["errors"]) == 1:
        result["last_words"] = last_words(lines)
    result["seconds"] = round(time.monotonic() - began, 1)
    return result


def _show(result: dict[str, Any]) -> None:
    for name in result["missing"]:
        click.echo(f"{result['config']}: error: LiteLLM drops {name}; nobody could ask for it")
    for level in ("errors", "warnings"):
        for text in result[level]:
            click.echo(f"{result['config']}: {level[:-1]}: {shortened(text)}")
    for line in result.get("last_words", ()):
        click.echo(f"  {line}")
    up = f"up after {result['start_seconds']} s, " if "start_seconds" in result else ""
    served = result["models"] - len(result["missing"]) if up else 0
    click.echo(
        f"{result['config']}: {served} of {result['models']} models served, "
        f"{_count(result['errors'], 'error')}, {_count(result['warnings'], 'warning')}; "
        f"{up}{result['seconds']} s in all."
    )


def _count(things: Sequence[str], noun: str) -> str:
    return f"{len(things)} {noun}" + "s" * (len(things) != 1)
