"""What the gateway takes from its database, beside or instead of the files."""

import http.client
from collections.abc import Iterator
from typing import Any

from nixcfg.doctor import Check, ok, skipped, warning
from nixcfg.gateway.client import Gateway
from nixcfg.project.model import MODELS, Machine

_CLOSE = "database_config: ignored in nixcfg.yaml lets the files alone decide: docs/access.md."
_SOME = 5


def checks(here: Machine, gateway: Gateway) -> Iterator[Check]:
    """Models and settings of the database that count. `gateway` has the master key."""
    name = "database"
    try:
        models = gateway.get("/model/info", 30).json()
        settings = gateway.get("/config/list?config_type=general_settings", 30).json()
    except (OSError, http.client.HTTPException) as problem:
        yield skipped(name, f"the gateway broke off: {type(problem).__name__}")
        return
    entries = models.get("data") if isinstance(models, dict) else None
    if not isinstance(entries, list):
        yield skipped(name, "the gateway does not list where its models come from")
        return
    added = sorted({str(each.get("model_name")) for each in entries if _is_stored(each)})
    of_files = {entry["model_name"] for entry in here.loaded.litellm[MODELS]}
    both = [each for each in added if each in of_files]
    if both:
        message = f"it has deployments of {_listed(both)}, with which those of the files take turns"
        yield warning(name, message, _CLOSE)
    if rest := [each for each in added if each not in of_files]:
        yield warning(name, f"it adds {_listed(rest)}", _CLOSE)
    stored = [
        str(each.get("field_name"))
        for each in (settings if isinstance(settings, list) else ())
        if isinstance(each, dict) and each.get("stored_in_db")
    ]
    if stored:
        yield warning(name, f"it sets {_listed(sorted(stored))} of general_settings", _CLOSE)
    if not added and not stored:
        yield ok(name, "it holds keys and spend, and no model or setting")


def _is_stored(entry: Any) -> bool:
    info = entry.get("model_info") if isinstance(entry, dict) else None
    return isinstance(info, dict) and info.get("db_model") is True


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SOME]) + (" ..." if len(names) > _SOME else "")
