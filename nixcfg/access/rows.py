"""One team, user or key: its row in the database, its mark, and what makes it as desired. Pure.

Whatever nixcfg made says so in its metadata, under MARK: its name in nixcfg.yaml, which fields were
given, and a digest of all of them. What has no mark is looked at and never touched.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MARK = "nixcfg"
VALUE = "\0value"
"""Stands in a request for the value of the key, which is put in when the request is sent."""
ADMIN = "default_user_id"
"""The user whom LiteLLM makes of the master key, and puts into each team that it makes."""
_NEAR = 120.0
"""Seconds by which a moment may differ: LiteLLM takes a duration and adds it to its own clock."""

_ID = {"team": "team_id", "user": "user_id", "key": "key"}
_TOKEN = {"key": "token"}
_UPDATE = {"team": "/team/update", "user": "/user/update", "key": "/key/update"}

Row = Mapping[str, Any]
Call = tuple[str, Mapping[str, Any]]
"""A route of the admin API, and the JSON that is posted to it."""


@dataclass(frozen=True)
class Wanted:
    """What nixcfg.yaml has under a name: an entry of access.json.

    `belongs` are columns that follow from the names in it, such as team_id. `also` is kept in the
    mark.
    """

    kind: str
    name: str
    entry: Mapping[str, Any]
    belongs: Mapping[str, Any] = field(default_factory=dict)
    also: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fields(self) -> Mapping[str, Any]:
        """What LiteLLM is given; a team or a key that was blocked when it left is open again."""
        opened = {} if self.kind == "user" else {"blocked": False}
        return {**opened, **self.entry["fields"]}

    @property
    def mark(self) -> dict[str, Any]:
        given = self.entry["fields"]
        text = json.dumps(self.entry, sort_keys=True)
        return {
            "name": self.name,
            "owns": sorted(given),
            "metadata": sorted(given.get("metadata", ())),
            "digest": hashlib.sha256(text.encode()).hexdigest()[:16],
            **self.also,
        }

    @property
    def metadata(self) -> dict[str, Any]:
        return {**self.entry["fields"].get("metadata", {}), MARK: self.mark}


def hashed(value: str) -> str:
    """A key as LiteLLM's database knows it."""
    return hashlib.sha256(value.encode()).hexdigest()


def mark_of(row: Row) -> Mapping[str, Any]:
    """The mark in a row, {} for what is not ours."""
    mark = (row.get("metadata") or {}).get(MARK)
    return mark if isinstance(mark, dict) and isinstance(mark.get("name"), str) else {}


def name_of(row: Row) -> str:
    """The name in nixcfg.yaml of what is ours, "" for what is not."""
    return str(mark_of(row).get("name", ""))


def adoption(kind: str, row: Row, name: str) -> Call:
    """The request with which nixcfg takes over what it has not made; the next run does the rest."""
    metadata = {**(row.get("metadata") or {}), MARK: {"name": name, "owns": [], "digest": ""}}
    return _UPDATE[kind], {_ID[kind]: _id(kind, row), "metadata": metadata}


def made(wanted: Wanted) -> dict[str, Any]:
    """The fields of something new, with its mark."""
    given = {name: value for name, value in wanted.belongs.items() if value is not None}
    return {**given, **wanted.fields, "metadata": wanted.metadata}


def update(wanted: Wanted, row: Row, now: dt.datetime) -> tuple[str, Call] | None:
    """What differs, and the request that makes a row what is desired; None where it is."""
    entry, had = wanted.entry, mark_of(row)
    differs = [name for name, value in wanted.fields.items() if _differs(row, name, value)]
    differs += [name for name, value in wanted.belongs.items() if (row.get(name) or None) != value]
    gone = [name for name in had.get("owns", ()) if name not in entry["fields"]]
    until = _until(row, entry["expires"], now) if "expires" in entry else {}
    if not differs and not gone and not until and had == wanted.mark:
        return None
    # LiteLLM replaces the metadata as a whole, and has some of the fields in it.
    dropped = {*had.get("metadata", ()), *had.get("owns", ()), "metadata", MARK}
    kept = {k: value for k, value in (row.get("metadata") or {}).items() if k not in dropped}
    body = {
        _ID[wanted.kind]: _id(wanted.kind, row),
        **{name: _empty(row[name]) for name in gone if name in row},
        **wanted.belongs,
        **wanted.fields,
        **until,
        "metadata": {**kept, **wanted.metadata},
    }
    why = [*differs, *gone, *(["expires"] if until else ())] or ["what LiteLLM does not show"]
    return ", ".join(dict.fromkeys(why)), (_UPDATE[wanted.kind], body)


def _id(kind: str, row: Row) -> str:
    return str(row[_TOKEN.get(kind, _ID[kind])])


def _differs(row: Row, name: str, value: Any) -> bool:
    """Whether a row shows another value than is wanted.

    What LiteLLM fills up or does not show (object_permission, soft_budget) is left to the digest.
    """
    shown = row.get("metadata") or {}
    if name == "metadata":
        return any(shown.get(key) != inner for key, inner in value.items())
    shown = shown if name in shown else row
    is_nested = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    if isinstance(value, dict) or is_nested or name not in shown or name == "soft_budget":
        return False
    return bool((shown[name] or False if isinstance(value, bool) else shown[name]) != value)


def _empty(value: Any) -> Any:
    """What takes a limit away: LiteLLM reads null as nothing said where a list or a mapping is."""
    return type(value)() if isinstance(value, list | dict) else None


def is_over(expires: str | None, now: dt.datetime) -> bool:
    """Whether a moment of access.json has passed."""
    return expires is not None and _moment(expires) <= now


def expiring(expires: str | None, now: dt.datetime) -> dict[str, Any]:
    """The duration that LiteLLM is given for a moment."""
    if expires is None:
        return {}
    return {"duration": f"{max(1, round((_moment(expires) - now).total_seconds()))}s"}


def _until(row: Row, expires: str | None, now: dt.datetime) -> dict[str, Any]:
    """The duration that makes a key expire when it should; {} where it does."""
    has = _moment(str(row["expires"])) if row.get("expires") else None
    if expires is None:
        return {"duration": "-1"} if has else {}
    wanted = _moment(expires)
    if has and (abs((has - wanted).total_seconds()) <= _NEAR or (has <= now and wanted <= now)):
        return {}
    return expiring(expires, now)


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
