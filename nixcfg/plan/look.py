"""Look for drift: ask systemd, the container engine and the gateway, and change nothing."""

import datetime as dt
import http.client
import os
from collections.abc import Iterator
from dataclasses import replace

from nixcfg.access.api import Api, ApiError
from nixcfg.access.desired import has_database
from nixcfg.gateway import container, machine
from nixcfg.gateway.client import Gateway, url_of
from nixcfg.gateway.stored import stored
from nixcfg.keys import read
from nixcfg.plan import drift
from nixcfg.plan.change import Change
from nixcfg.plan.facts import Facts
from nixcfg.project import wiring
from nixcfg.project.model import Machine

_SHOWN = "--property=Id,FragmentPath,DropInPaths"
_UNITS = ("litellm-proxy*", "podman-litellm-proxy*", "docker-litellm-proxy*")


def look(old: Facts, here: Machine) -> tuple[list[Change], list[str]]:
    """The drift of this machine, and what could not be found out."""
    found: list[Change] = []
    unknown: list[str] = []
    parts = {"units": units(), "containers": containers(old), "the database": database(old, here)}
    for what, part in parts.items():
        try:
            found += part
        except machine.UnknownError as error:
            unknown.append(f"Drift of {what} is not known: {error}.")
    return found, unknown


def units() -> Iterator[Change]:
    """Raises UnknownError."""
    listed = _systemctl("list-unit-files", "--plain", "--no-legend", *_UNITS)
    names = [line.split()[0] for line in listed.splitlines() if line]
    if not names:
        return
    blocks = _systemctl("show", _SHOWN, *names).split("\n\n")
    shown = [dict(line.split("=", 1) for line in block.splitlines()) for block in blocks]
    paths = {path for each in shown for path in drift.files_of(each)}
    yield from drift.of_units(shown, {path: os.path.realpath(path) for path in paths})


def _systemctl(*arguments: str) -> str:
    output = machine.run("systemctl", *arguments)
    if output.code != 0 and output.err:
        raise machine.UnknownError(output.err.partition("\n")[0])
    return output.out


def containers(old: Facts) -> Iterator[Change]:
    """Raises UnknownError."""
    for name in wiring.containers(old.instances):
        data = container.inspect(old.backend, name)
        image = container.image_of(old.backend, data) if data is not None else None
        yield from drift.of_container(old, name, data, image)


def database(old: Facts, here: Machine) -> Iterator[Change]:
    """Raises UnknownError."""
    if not has_database(here):
        return
    try:
        key, _ = read.master_key(here)
    except (read.KeyMissingError, read.KeyUnusableError) as error:
        raise machine.UnknownError(f"{error}".rstrip(".")) from None
    runs = replace(here, listen_address=old.listen_address, port=old.port)
    gateway = Gateway(url_of(runs), key)
    try:
        if found := stored(gateway):
            yield from drift.of_models(old, found)
        if old.access:
            actual = Api(gateway.url, key).rows()
            yield from drift.of_access(old, actual, dt.datetime.now(dt.UTC))
    except (OSError, http.client.HTTPException, ApiError) as error:
        raise machine.UnknownError(f"{gateway.url}: {error}") from None
