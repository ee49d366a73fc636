"""`nixcfg client`."""

import http.client
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixcfg.commands import OK, complete, reached
from nixcfg.commands.context import find_root, host_option, valid_project
from nixcfg.commands.output import advise, report

if TYPE_CHECKING:
    from nixcfg.gateway.client import Gateway
    from nixcfg.gateway.clients import Setup
    from nixcfg.project.model import Project


@click.command()
@click.argument("name", required=False, metavar="[CLIENT]", shell_complete=complete.clients)
@click.option(
    "--model",
    default="",
    metavar="NAME",
    shell_complete=complete.served,
    help="The model to ask.  [default: the first of the configuration]",
)
@click.option("--write", is_flag=True, help="Put the settings into the client's own file.")
@click.option("--show-key", is_flag=True, help="Print the master key where it is referred to.")
@reached.url_option
@reached.key_file_option
@host_option
@click.pass_obj
def command(
    base: Path,
    *,
    name: str | None,
    model: str,
    write: bool,
    show_key: bool,
    url: str | None,
    key_file: Path | None,
    host: str | None,
) -> int:
    """Print the settings of a program that asks the gateway.

    Base URL, model and key in the form of aider, claude-code, codex, curl, open-webui, opencode or
    python. The key is referred to as $LITELLM_MASTER_KEY, and the model is looked for in the
    gateway, where that can be reached. Without CLIENT, list them.

    \b
    Examples:
      nixcfg client claude-code --write
      nixcfg client python --model gpt
    """
    from nixcfg.gateway import clients
    from nixcfg.gateway.client import url_of
    from nixcfg.project.nearest import nearest

    if name is None:
        click.echo("\n".join(clients.CLIENTS))
        return OK
    if name not in clients.CLIENTS:
        guess = nearest(name, clients.CLIENTS)
        listed = f"there are {', '.join(clients.CLIENTS)}; for any other, take what curl is told"
        hint = f"did you mean {guess}?" if guess else listed
        raise click.UsageError(f"no client {name} is known; {hint}")
    if write and show_key:
        raise click.UsageError("--show-key prints; a key that is written out in a file stays there")
    whole = valid_project(find_root(base), host)
    served = tuple(each for each in _rendered(whole) if "*" not in each)
    wanted = model or next(iter(served), "")
    if not wanted:
        raise click.UsageError("every model here is a wildcard; name one with --model")
    address = (url or url_of(whole.machine)).rstrip("/").removesuffix("/v1")
    gateway = _gateway(whole, url, key_file, must=show_key)
    _check(address, wanted, gateway, whole)
    target = clients.Target(
        url=address,
        model=wanted,
        models=served,
        key=gateway.key if show_key and gateway else "",
        is_open=whole.machine.auth == "open",
    )
    setup = clients.CLIENTS[name](target)
    if write:
        _write(name, setup)
    else:
        if setup.file:
            advise(f"In ~/{setup.file}:")
        click.echo(setup.text, nl=False)
    if not target.literal:
        _advise_key(whole)
    return OK


def _rendered(whole: "Project") -> list[str]:
    from nixcfg.project.model import MODELS

    entries = whole.machine.loaded.litellm[MODELS]
    return list(dict.fromkeys(entry["model_name"] for entry in entries))


def _gateway(
    whole: "Project", url: str | None, key_file: Path | None, *, must: bool
) -> "Gateway | None":
    """The gateway with its key; None where the key cannot be had, and need not (`must`)."""
    try:
        return reached.gateway(whole, url, key_file)
    except click.ClickException:
        if must:
            raise
        return None


def _check(address: str, model: str, gateway: "Gateway | None", whole: "Project") -> None:
    """Report whether the gateway serves the model now, as far as it can be asked."""
    from nixcfg.gateway.client import RefusedError
    from nixcfg.gateway.compare import covers
    from nixcfg.project.nearest import nearest

    if gateway is None:
        report(f"Not checked: the master key of {address} is not there for you.")
        return
    try:
        served = gateway.models()
    except RefusedError as error:
        report(f"Not checked: {address} answers {error.answer.status} to this master key.")
        return
    except (OSError, http.client.HTTPException):
        report(f"Not checked: no one answers on {address}; see `nixcfg status`.")
        return
    if model in served or any(covers(name, model) for name in _rendered(whole)):
        advise(f"Checked: {address} serves {model}.")
        return
    guess = nearest(model, served)
    raise click.ClickException(
        f"{address} does not serve {model}; "
        + (f"did you mean {guess}?" if guess else f"there are {', '.join(served[:8])}")
    )


def _write(name: str, setup: "Setup") -> None:
    from nixcfg.disk import files
    from nixcfg.disk.change import Change
    from nixcfg.disk.lock import locked
    from nixcfg.gateway import clients

    if not setup.file:
        raise click.UsageError(f"{name} has no settings file for this; leave --write out")
    path = Path.home() / setup.file
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent):
        old = path.read_bytes() if path.exists() else None
        try:
            new = clients.joined(setup, (old or b"").decode("utf-8"))
        except (clients.TakenError, UnicodeDecodeError) as error:
            advice = "Without --write you see what belongs there."
            raise click.ClickException(f"{path}: {error}. {advice}") from None
        if new.encode() == (old or b""):
            click.echo(f"{path} is so already")
            return
        files.apply(path.parent, [Change(path.name, old, new.encode())])
    click.echo(f"{'update' if old is not None else 'create'} {path}")
    advise(f"Next: {setup.start}")


def _advise_key(whole: "Project") -> None:
    from nixcfg.gateway.clients import VARIABLE
    from nixcfg.project import wiring

    file = wiring.place(whole.machine.master_key_file or wiring.GENERATED_MASTER_KEY)
    advise(f"The key: export {VARIABLE}=$(sudo cat {file})")
