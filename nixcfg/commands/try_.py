"""`nixcfg try`."""

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, PROBLEMS, complete
from nixcfg.commands.context import config_of, find_root, host_option, project_here
from nixcfg.commands.output import report
from nixcfg.commands.running import launched, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixcfg.gateway.launch import Launch
    from nixcfg.gateway.log import Event
    from nixcfg.gateway.process import Proxy
    from nixcfg.project.model import Config


@click.command()
@click.argument("config", required=False, shell_complete=complete.configs)
@host_option
@click.option("--mock", is_flag=True, help="Answer with a canned text: no key, no vendor, no cost.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Listen on this port.  [default: that of the project, or a free one]",
)
@click.option("--verbose", is_flag=True, help="Print all that LiteLLM prints.")
@click.pass_obj
def command(  # noqa: PLR0917 (click passes them by name)
    base: Path, config: str | None, host: str | None, mock: bool, port: int | None, verbose: bool
) -> int:
    """Run the gateway here, until Ctrl-C.

    The real LiteLLM, without NixOS: the one that is installed beside nixcfg, or else the pinned
    image, by podman or docker. It loads exactly what `nixcfg render` writes for CONFIG (the one
    that the container loads, if you name none), on 127.0.0.1. The keys are read from their files,
    or the environment where those are absent, and given to this one process.

    \b
    Examples:
      nixcfg try --mock
      nixcfg try claude
    """
    from nixcfg.gateway import log

    project = project_here(find_root(base), host)
    chosen = config_of(project, config)
    number = _port(project.machine.port, port)
    with launched(project, chosen, mock=mock, port=number, verbose=verbose) as (running, launch):
        _welcome(chosen, running, launch)
        events = log.events(running.log)
        _report_events([event for event in events if event.level in ("error", "warning")])
        try:
            _follow(running, verbose=verbose)
        except KeyboardInterrupt:
            report("\nEnding LiteLLM.")
            return OK
        finally:
            code = running.process.poll()
    report(f"LiteLLM ended by itself with exit code {code}.")
    return PROBLEMS


def _port(usual: int, wanted: int | None) -> int:
    from nixcfg.gateway import process

    if wanted is not None:
        if reason := process.unusable(wanted):
            raise click.ClickException(
                f"port {wanted} {reason}; leave --port out for a free one, or see `nixcfg doctor`"
            )
        return wanted
    port = process.free_port(usual)
    if port != usual:
        report(f"Port {usual} {process.unusable(usual) or 'was taken'}, so this is on {port}.")
    return port


def _welcome(config: "Config", running: "Proxy", launch: "Launch") -> None:
    names = list(dict.fromkeys(entry["model_name"] for entry in config.litellm["model_list"]))
    model = next((name for name in names if "*" not in name), names[0] if names else "MODEL")
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "Write a short poem about coding."}],
        "stream": True,
    }
    url = running.gateway.url
    click.echo(f"\nThe gateway answers on {url}, with {config.name}: {', '.join(names)}")
    click.echo("In another terminal:\n")
    if not launch.open:
        click.echo(f"  export LITELLM_MASTER_KEY={launch.master_key}")
        bearer = '    -H "Authorization: Bearer $LITELLM_MASTER_KEY" \\\n'
    else:
        bearer = ""
    click.echo(
        f"  curl -N {url}/chat/completions \\\n"
        f"{bearer}"
        f'    -H "Content-Type: application/json" \\\n'
        f"    -d {shlex.quote(json.dumps(body, ensure_ascii=False))}\n"
    )
    click.echo(f"Or a program that speaks to OpenAI: base URL {url}/v1" + _with_key(launch))
    click.echo("Ctrl-C ends it.\n")
    sys.stdout.flush()


def _with_key(launch: "Launch") -> str:
    return "" if launch.open else ", and that key, which is good for this session alone."


def _follow(running: "Proxy", *, verbose: bool) -> None:
    """Show what happens until LiteLLM ends."""
    from nixcfg.gateway import log

    while not running.has_ended:
        lines = list(running.lines(0.3))
        if verbose:
            for line in lines:
                report(line)
        else:
            _report_events(log.events(lines))


def _report_events(events: "Sequence[Event]") -> None:
    for event in events:
        if event.level != "info":
            mark = "" if event.level == "request" else f"{event.level}: "
            if "/health/" not in event.text:
                report(f"{mark}{shortened(event.text)}")
