"""What the database has, for a person to read: keys, and what was spent. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from nixcfg.access.changes import Actual
from nixcfg.access.rows import Row, name_of


def keys(actual: Actual, now: dt.datetime) -> list[dict[str, Any]]:
    """Every key, ours first: `managed`, `state` (active, blocked, expired), limits, and spend."""
    teams = {row["team_id"]: row.get("team_alias") or row["team_id"] for row in actual.teams}
    rows = [
        {
            "name": name_of(row) or row.get("key_alias") or row.get("key_name") or "",
            "managed": bool(name_of(row)),
            "state": _state(row, now),
            "team": teams.get(row.get("team_id"), row.get("team_id")),
            "user": row.get("user_id"),
            "models": row.get("models") or [],
            **_money(row),
            "expires": row.get("expires"),
        }
        for row in actual.keys
    ]
    return sorted(rows, key=lambda row: (not row["managed"], row["name"]))


def spend(actual: Actual, by_model: Mapping[str, float]) -> dict[str, list[dict[str, Any]]]:
    """What was spent, in US dollars, by team, key and model; the most first."""
    return {
        "teams": _spent((row.get("team_alias") or row["team_id"], row) for row in actual.teams),
        "keys": _spent(
            (str(row.get("key_alias") or row.get("key_name") or ""), row) for row in actual.keys
        ),
        "models": [
            {
                "name": name,
                "spend": spent,
                "max_budget": None,
                "left": None,
                "budget_duration": None,
            }
            for name, spent in sorted(by_model.items(), key=lambda each: (-each[1], each[0]))
        ],
    }


def models(activity: Iterable[Any]) -> dict[str, float]:
    """By model what was spent, out of the days of /user/daily/activity."""
    found: dict[str, float] = {}
    for day in activity:
        breakdown = day.get("breakdown") if isinstance(day, dict) else None
        for name, entry in ((breakdown or {}).get("models") or {}).items():
            spent = (entry.get("metrics") or entry).get("spend") or 0
            found[name] = found.get(name, 0.0) + float(spent)
    return found


def _spent(rows: Iterable[tuple[str, Row]]) -> list[dict[str, Any]]:
    found = [{"name": name, "managed": bool(name_of(row)), **_money(row)} for name, row in rows]
    return sorted(found, key=lambda row: (-row["spend"], row["name"]))


def _money(row: Row) -> dict[str, Any]:
    spent, budget = float(row.get("spend") or 0), row.get("max_budget")
    return {
        "spend": round(spent, 6),
        "max_budget": budget,
        "left": None if budget is None else round(max(0.0, float(budget) - spent), 6),
        "budget_duration": row.get("budget_duration"),
        "resets": row.get("budget_reset_at"),
    }


def _state(row: Row, now: dt.datetime) -> str:
    if row.get("blocked"):
        return "blocked"
    expires = row.get("expires")
    is_over = bool(expires) and dt.datetime.fromisoformat(str(expires)) <= now
    return "expired" if is_over else "active"
