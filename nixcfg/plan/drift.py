"""What a machine has that no source explains: of units, containers and the database. Pure."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nixcfg.access.changes import Actual
from nixcfg.access.plan import plan
from nixcfg.access.rows import ADMIN, Row, name_of
from nixcfg.gateway.container import Image, Listed, config_in, environment_in, published_in
from nixcfg.gateway.stored import Stored
from nixcfg.plan.change import Change, Kind
from nixcfg.plan.facts import Facts
from nixcfg.project import wiring
from nixcfg.project.model import MODELS

_STORE = "/nix/store/"
_LITELLM = re.compile(r"(^|[-_./])litellm([-_./:@]|$)")
_ALIASES = {"team": "team_alias", "user": "user_email", "key": "key_alias"}
_IDS = {"team": "team_id", "user": "user_id", "key": "key_name"}


def of_units(shown: Iterable[Mapping[str, str]], real: Mapping[str, str]) -> Iterator[Change]:
    """Units with a file or a drop-in that NixOS did not write.

    `shown` are Id, FragmentPath and DropInPaths, as `systemctl show` prints them; `real` says where
    each of these paths leads. What NixOS writes leads into the store, which no one edits.
    """
    for each in shown:
        for path in files_of(each):
            if not real[path].startswith(_STORE):
                yield Change("unit", Kind.CHANGED, each["Id"], path)


def files_of(shown: Mapping[str, str]) -> tuple[str, ...]:
    """The paths of a unit's own file and of its drop-ins."""
    return tuple(filter(None, [shown.get("FragmentPath"), *shown.get("DropInPaths", "").split()]))


def of_files(real: Mapping[str, str]) -> Iterator[Change]:
    """Files of /etc that NixOS did not write; `real` says where each of them leads."""
    for path, target in real.items():
        if not target.startswith(_STORE):
            yield Change("file", Kind.CHANGED, path, "is no link into the Nix store")


def of_container(
    old: Facts, name: str, data: Mapping[str, Any] | None, image: Image | None
) -> Iterator[Change]:
    """What a container runs beside what was deployed. `data` is what the engine reports of it,
    None where it has none."""
    status = data["State"].get("Status") if data is not None else "absent"
    if data is None or status != "running":
        yield Change("container", Kind.REMOVED, name, f"is {status}")
        return
    if image and image.is_named(old.image) is False:
        yield Change("container", Kind.CHANGED, name, f"runs {image.name}, and not {old.image}")
    path = config_in(data)
    if str(path) != old.config_file:
        loads = f"loads {path}" if path else "loads no configuration of the module"
        yield Change("container", Kind.CHANGED, name, f"{loads}, and not {old.config_file}")
    where, wanted = published_in(data), old.published.get(name)
    if wanted and wanted not in where:
        said = f"is published on {', '.join(where) or 'no port'}, and not {wanted}"
        yield Change("container", Kind.CHANGED, name, said)
    has = environment_in(data)
    for variable, value in sorted(old.environment.items()):
        if has.get(variable) != value:
            yield Change("container", Kind.CHANGED, name, f"has another {variable}")


def strangers(old: Facts, listed: Iterable[Listed], backend: str) -> list[Listed]:
    """The containers of an engine that look like LiteLLM, by name or image, and that the last
    switch did not deploy."""
    ours = {*wiring.containers(old.instances)} if backend == old.backend else set()
    return [
        each
        for each in listed
        if each.name not in {*ours, *wiring.TRANSIENT}
        and (each.name.startswith(wiring.CONTAINER) or _LITELLM.search(each.image.lower()))
    ]


def of_strangers(
    found: Iterable[Listed], backend: str, real: Mapping[str, str]
) -> Iterator[Change]:
    """Those of them that no unit of NixOS runs; `real` says where the file of a unit leads."""
    for each in found:
        if not real.get(wiring.container_unit(backend, each.name), "").startswith(_STORE):
            yield Change("container", Kind.ADDED, each.name, f"{backend} has it, of {each.image}")


def of_models(old: Facts, found: Stored) -> Iterator[Change]:
    """Models and settings of the database, which no file has."""
    of_files = {entry.get("model_name") for entry in old.config.get(MODELS) or ()}
    for name in found.models:
        if name in of_files:
            yield Change("model", Kind.CHANGED, name, "has more deployments in the database")
        else:
            yield Change("model", Kind.ADDED, name, "in the database alone")
    for name in found.settings:
        yield Change("setting", Kind.CHANGED, f"general_settings.{name}", "by the database")


def of_access(old: Facts, actual: Actual, now: dt.datetime) -> Iterator[Change]:
    """Teams, users and keys that others made, changed or took away.

    Where nixcfg looks after none (`old.access` is {}), all of them are made by hand on purpose.
    Values of keys are taken for current.
    """
    if not old.access:
        return
    users = [row for row in actual.users if row["user_id"] != ADMIN]
    for kind, rows in (("team", actual.teams), ("user", users), ("key", actual.keys)):
        for row in rows:
            if not name_of(row):
                yield Change(kind, Kind.ADDED, _called(kind, row), "made by hand")
    for each in plan(old.access, actual, {}, now):
        if each.action == "create":
            yield Change(each.kind, Kind.REMOVED, each.name, "deleted by hand")
        elif each.action == "update":
            yield Change(each.kind, Kind.CHANGED, each.name, f"{each.reason} changed by hand")


def _called(kind: str, row: Row) -> str:
    """What people call it: of a key never a value."""
    return str(row.get(_ALIASES[kind]) or row.get(_IDS[kind]) or "without a name")
