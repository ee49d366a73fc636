"""What settings are where a configuration does not give them, and how far the database has come."""

import enum
import inspect
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

_PIN = re.compile(r"litellm-proxy-extras==([0-9.]+[0-9])(?:\.post[0-9]+)?(?![0-9.])")


def defaults(sections: Mapping[str, Any]) -> dict[str, Any]:
    """By section the values that are no mapping, no list and not None; the number of migrations."""
    found: dict[str, Any] = {
        "litellm_settings": of_module(sections["litellm_settings"]["keys"]),
        "router_settings": of_router(sections["router_settings"]["keys"]),
    }
    count = migrations()
    return found if count is None else {**found, "migrations": count}


def of_module(names: Iterable[str]) -> dict[str, Any]:
    import litellm

    return scalars({name: getattr(litellm, name, None) for name in names})


def of_router(names: Iterable[str]) -> dict[str, Any]:
    """As a running router has them: its signature often says None, and means another value."""
    import litellm

    deployment = {"model_name": "m", "litellm_params": {"model": "openai/m", "api_key": "k"}}
    router = litellm.Router(model_list=[deployment])
    signature = inspect.signature(litellm.Router.__init__).parameters
    said = {name: signature[name].default for name in names if name in signature}
    return scalars({name: getattr(router, name, said.get(name)) for name in names})


def scalars(values: Mapping[str, Any]) -> dict[str, Any]:
    plain = {
        name: value.value if isinstance(value, enum.Enum) else value
        for name, value in sorted(values.items())
    }
    return {name: each for name, each in plain.items() if isinstance(each, (bool, int, float, str))}


def migrations() -> int | None:
    """How many migrations this release applies; None where its own build of them is not here."""
    pins = (found[1] for each in requires("litellm") or () if (found := _PIN.match(each)))
    try:
        if next(pins, "") != installed("litellm-proxy-extras").partition(".post")[0]:
            return None
    except PackageNotFoundError:
        return None
    import litellm_proxy_extras

    folder = Path(litellm_proxy_extras.__file__).parent / "migrations"
    return sum(1 for each in folder.iterdir() if (each / "migration.sql").is_file())
