"""The gateway that a command is to ask: where it is, and its master key."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from nixcfg.gateway.client import Gateway
    from nixcfg.project.model import Project

url_option = click.option(
    "--url", help="The gateway to ask.  [default: that of the project, on this machine]"
)
key_file_option = click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The gateway's master key.  [default: $LITELLM_MASTER_KEY, or the service's file]",
)


def gateway(whole: "Project | None", url: str | None, key_file: Path | None) -> "Gateway":
    """The gateway at `url`, or that of the project, with its master key where there is one."""
    from nixcfg.gateway.client import Gateway, url_of
    from nixcfg.keys import read
    from nixcfg.project import wiring

    address = url or (url_of(whole.machine) if whole else "")
    address = address if "://" in address else f"http://{address}"
    is_elsewhere = bool(url) and not wiring.is_loopback(address)
    if is_elsewhere and key_file is None and not os.environ.get(wiring.MASTER_KEY_VARIABLE):
        return Gateway(address)  # this machine's own key is not for others
    try:
        key, _ = read.master_key(whole.machine if whole else None, key_file)
    except read.KeyForbiddenError as error:
        raise click.ClickException(
            f"{error}\nRun it with sudo, or put the key into $LITELLM_MASTER_KEY."
        ) from None
    except (read.KeyMissingError, read.KeyUnusableError) as error:
        if url and not key_file:
            return Gateway(address)  # it may be an open one
        raise click.ClickException(
            f"{error}\nThe service makes it at its first start. For another gateway: --key-file, "
            "or $LITELLM_MASTER_KEY."
        ) from None
    return Gateway(address, key)
