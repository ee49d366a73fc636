"""What a running gateway takes from its database and not from its files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nixcfg.gateway.client import Gateway


@dataclass(frozen=True, slots=True)
class Stored:
    """Names of models, and keys of general_settings."""

    models: tuple[str, ...]
    settings: tuple[str, ...]


def stored(gateway: Gateway) -> Stored | None:
    """What counts of the database; None where the gateway does not list its models so.

    `gateway` has the master key. Raises OSError and http.client.HTTPException.
    """
    models = gateway.get("/model/info", 30).json()
    settings = gateway.get("/config/list?config_type=general_settings", 30).json()
    entries = models.get("data") if isinstance(models, dict) else None
    if not isinstance(entries, list):
        return None
    return Stored(
        tuple(sorted({str(each.get("model_name")) for each in entries if _is_stored(each)})),
        tuple(
            sorted(
                str(each.get("field_name"))
                for each in (settings if isinstance(settings, list) else ())
                if isinstance(each, Mapping) and each.get("stored_in_db")
            )
        ),
    )


def _is_stored(entry: Any) -> bool:
    info = entry.get("model_info") if isinstance(entry, dict) else None
    return isinstance(info, dict) and info.get("db_model") is True
