"""What the gateway takes from its database, beside or instead of the files."""

import http.client
from collections.abc import Iterator, Sequence

from nixcfg.doctor import Check, ok, skipped, warning
from nixcfg.gateway.client import Gateway
from nixcfg.gateway.stored import stored
from nixcfg.project.model import MODELS, Machine

_CLOSE = "database_config: ignored in nixcfg.yaml lets the files alone decide: docs/access.md."
_SOME = 5


def checks(here: Machine, gateway: Gateway) -> Iterator[Check]:
    """Models and settings of the database that count. `gateway` has the master key."""
    name = "database"
    try:
        found = stored(gateway)
    except (OSError, http.client.HTTPException) as problem:
        yield skipped(name, f"the gateway broke off: {type(problem).__name__}")
        return
    if found is None:
        yield skipped(name, "the gateway does not list where its models come from")
        return
    added = found.models
    of_files = {entry["model_name"] for entry in here.loaded.litellm[MODELS]}
    both = [each for each in added if each in of_files]
    if both:
        message = f"it has deployments of {_listed(both)}, with which those of the files take turns"
        yield warning(name, message, _CLOSE)
    if rest := [each for each in added if each not in of_files]:
        yield warning(name, f"it adds {_listed(rest)}", _CLOSE)
    if found.settings:
        yield warning(name, f"it sets {_listed(found.settings)} of general_settings", _CLOSE)
    if not added and not found.settings:
        yield ok(name, "it holds keys and spend, and no model or setting")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SOME]) + (" ..." if len(names) > _SOME else "")
