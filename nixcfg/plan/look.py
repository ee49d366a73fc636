"""Look for drift: ask systemd, the container engine and the gateway, and change nothing."""

import datetime as dt
import http.client
from collections.abc import Iterator
from dataclasses import replace

from nixcfg.access.api import Api, ApiError
from nixcfg.access.desired import has_database
from nixcfg.gateway import container, machine
from nixcfg.gateway.client import Gateway, url_of
from nixcfg.gateway.host import HERE, Host
from nixcfg.gateway.stored import stored
from nixcfg.keys import read
from nixcfg.plan import drift
from nixcfg.plan.change import Change
from nixcfg.plan.facts import DEPLOYED, LOCAL, Facts
from nixcfg.project import wiring
from nixcfg.project.model import Machine

_SHOWN = "--property=Id,FragmentPath,DropInPaths"
_UNITS = (
    "litellm-proxy*",
    "podman-litellm-proxy*",
    "docker-litellm-proxy*",
    "redis-litellm-proxy*",
)
_NGINX = "/etc/nginx/nginx.conf"
_ENGINES = ("podman", "docker")


def look(old: Facts, wanted: Machine, host: Host = HERE) -> tuple[list[Change], list[str]]:
    """The drift of a machine, and what could not be found out.

    `wanted` is the machine of the sources. Only a machine itself reaches its gateway's database.
    """
    found: list[Change] = []
    unknown: list[str] = []
    parts = {
        "files": files(old, host),
        "units": units(old, host),
        "containers": containers(old, host),
        "the database": database(old, wanted, host),
    }
    for what, part in parts.items():
        try:
            found += part
        except machine.UnknownError as error:
            unknown.append(f"Drift of {what} is not known: {error}.")
    return found, unknown


def files(old: Facts, host: Host = HERE) -> Iterator[Change]:
    """Raises UnknownError."""
    asked = [DEPLOYED, *([_NGINX] if old.instances > 1 else [])]
    absent = host.absent(asked)
    real = host.real(asked)
    yield from drift.of_files({path: real[path] for path in asked if path not in absent})


def units(old: Facts, host: Host = HERE) -> Iterator[Change]:
    """Raises UnknownError."""
    further = ["nginx.service"] * (old.instances > 1)
    further += ["postgresql.service"] * (old.database == LOCAL)
    asked = (*_UNITS, *further)
    listed = _systemctl(host, "list-unit-files", "--plain", "--no-legend", *asked)
    names = [line.split()[0] for line in listed.splitlines() if line]
    shown = _shown(host, names)
    real = host.real(path for each in shown for path in drift.files_of(each))
    yield from drift.of_units(shown, real)


def _shown(host: Host, names: list[str]) -> list[dict[str, str]]:
    if not names:
        return []
    blocks = _systemctl(host, "show", _SHOWN, *names).split("\n\n")
    return [dict(line.split("=", 1) for line in block.splitlines()) for block in blocks]


def _systemctl(host: Host, *arguments: str) -> str:
    output = host.run("systemctl", *arguments)
    if output.code != 0 and output.err:
        raise machine.UnknownError(output.err.partition("\n")[0])
    return output.out


def containers(old: Facts, host: Host = HERE) -> Iterator[Change]:
    """Raises UnknownError."""
    for name in wiring.containers(old.instances):
        data = container.inspect(old.backend, name, host)
        image = container.image_of(old.backend, data, host) if data is not None else None
        yield from drift.of_container(old, name, data, image)
    for backend in _ENGINES:
        try:
            listed = container.listed(backend, host)
        except machine.UnknownError:
            if backend == old.backend:
                raise
            continue  # it is not here, or does not run
        found = drift.strangers(old, listed, backend)
        units = [wiring.container_unit(backend, each.name) for each in found]
        yield from drift.of_strangers(found, backend, _leading(host, units))


def _leading(host: Host, units: list[str]) -> dict[str, str]:
    """Where the files of units lead, as far as there is a systemd that has them."""
    try:
        files = {each["Id"]: each["FragmentPath"] for each in _shown(host, units)}
    except machine.UnknownError:
        return {}
    real = host.real(filter(None, files.values()))
    return {unit: real.get(file, "") for unit, file in files.items()}


def database(old: Facts, wanted: Machine, host: Host = HERE) -> Iterator[Change]:
    """Raises UnknownError."""
    if not has_database(wanted):
        return
    if host.name:
        raise machine.UnknownError("it is asked on the machine itself")
    try:
        key, _ = read.master_key(wanted)
    except (read.KeyMissingError, read.KeyUnusableError) as error:
        raise machine.UnknownError(f"{error}".rstrip(".")) from None
    runs = replace(wanted, listen_address=old.listen_address, port=old.port)
    gateway = Gateway(url_of(runs), key)
    try:
        if found := stored(gateway):
            yield from drift.of_models(old, found)
        if old.access:
            actual = Api(gateway.url, key).rows()
            yield from drift.of_access(old, actual, dt.datetime.now(dt.UTC))
    except (OSError, http.client.HTTPException, ApiError) as error:
        raise machine.UnknownError(f"{gateway.url}: {error}") from None
