"""The gateway that a command is to ask: where it is, and its master key."""

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

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


class _Seconds(click.FloatRange):
    """As long as a socket can wait. To click nan is neither too small nor too large."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        given = super().convert(value, param, ctx)
        if math.isnan(given):
            self.fail(f"{given} is not in the range", param, ctx)
        return given


def timeout_option(usual: float) -> "Callable[[Callable[..., Any]], Callable[..., Any]]":
    """--timeout, in seconds."""
    return click.option(
        "--timeout",
        "seconds",
        type=_Seconds(0.1, 86_400),
        default=usual,
        show_default=True,
        help="Seconds to wait for a word of the gateway.",
    )


def gateway(
    whole: "Project | None", url: str | None, key_file: Path | None, *, otherwise: str = ""
) -> "Gateway":
    """The gateway at `url`, or that of the project, with its master key where there is one.

    `otherwise` is a line that says what to do without a key.
    """
    from nixcfg.gateway.client import Gateway, url_of
    from nixcfg.keys import read
    from nixcfg.project import wiring

    more = f"\n{otherwise}" if otherwise else ""
    address = url or (url_of(whole.machine) if whole else "")
    address = address if "://" in address else f"http://{address}"
    is_elsewhere = bool(url) and not wiring.is_loopback(address)
    if is_elsewhere and key_file is None and not os.environ.get(wiring.MASTER_KEY_VARIABLE):
        return Gateway(address)  # this machine's own key is not for others
    try:
        key, _ = read.master_key(whole.machine if whole else None, key_file)
    except read.KeyForbiddenError as error:
        raise click.ClickException(
            f"{error}\nRun it with sudo, or put the key into $LITELLM_MASTER_KEY.{more}"
        ) from None
    except (read.KeyMissingError, read.KeyUnusableError) as error:
        if url and not key_file:
            return Gateway(address)  # it may be an open one
        raise click.ClickException(
            f"{error}\nThe service makes it at its first start. For another gateway: --key-file, "
            f"or $LITELLM_MASTER_KEY.{more}"
        ) from None
    return Gateway(address, key)


def served(gateway: "Gateway", whole: "Project | None") -> list[str]:
    """The names in /v1/models; an error that says what is wrong where there are none."""
    import http.client

    from nixcfg.gateway.client import RefusedError

    try:
        return gateway.models()
    except RefusedError as error:
        refused = error.answer.status in (400, 401, 403)
        raise click.ClickException(
            f"{gateway.url} does not take {'this' if gateway.key else 'a request without'} master "
            "key. It is in --key-file, $LITELLM_MASTER_KEY or the service's file (sudo)."
            if refused
            else f"{gateway.url} answers {error.answer.status} to /v1/models; {where(whole)}"
        ) from None
    except ConnectionRefusedError:
        raise click.ClickException(f"no one listens on {gateway.url}; {where(whole)}") from None
    except (TimeoutError, http.client.HTTPException, OSError) as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else f"{error}"
        raise click.ClickException(f"{gateway.url}: {reason}; {where(whole)}") from None


def where(whole: "Project | None") -> str:
    """Where to look when the gateway does not answer."""
    from nixcfg.gateway import engine
    from nixcfg.project import wiring

    if whole is None:
        return "is the address right?"
    unit = wiring.main_unit(engine.of(whole.machine), whole.machine.instances)
    return f"see `nixcfg doctor`, or: systemctl status {unit}"
