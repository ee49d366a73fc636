"""What was measured of the gateway, and the tables that are made of it. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nixcfg.plan import size


@dataclass(frozen=True)
class Figures:
    """One row. Rates in requests a second, times in milliseconds above the stand-in's own, CPU
    time in milliseconds a request, memory in MiB, shares of a core from 0 to 1; `slower` is what
    the rates and times have been corrected by."""

    knees: Sequence[float]
    p50: float
    p95: float
    cpu: Sequence[float]
    memory: float
    gateway_share: float
    other_share: float
    first_answer: float
    slower: float


@dataclass(frozen=True)
class Row:
    """`refused` says why there are no figures."""

    name: str
    figures: Figures | None = None
    refused: str = ""


def _span(values: Sequence[float], digits: int) -> str:
    middle = f"{statistics.median(values):.{digits}f}"
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _rates(knees: Sequence[float]) -> str:
    return _span(knees, 1 if max(knees) < 20 else 0) if max(knees) else "none"


def table(rows: Sequence[Row]) -> str:
    columns = (
        *("what", "requests/s within the objective", "at half of that: p50, ms", "p95, ms"),
        *("CPU a request, ms", "memory, MiB", "core of the gateway", "core of the others"),
        *("start to first answer, s", "the core was slower by"),
    )
    lines = [_line(columns), "| --- |" + " ---: |" * (len(columns) - 1)]
    for row in rows:
        figures = row.figures
        if figures is None:
            lines.append(_line((row.name, f"refused: {row.refused}", *[""] * (len(columns) - 2))))
            continue
        lines.append(
            _line(
                (
                    row.name,
                    _rates(figures.knees),
                    f"{figures.p50:.1f}",
                    f"{figures.p95:.1f}",
                    _span(figures.cpu, 1),
                    f"{figures.memory:.0f}",
                    f"{figures.gateway_share:.0%}",
                    f"{figures.other_share:.0%}",
                    f"{figures.first_answer:.1f}",
                    f"{figures.slower:.2f}",
                )
            )
        )
    return "\n".join(lines)


def sizing(rate: float, memory: float) -> str:
    """What `nixcfg size` says for numbers of users, with a database."""
    columns = (
        *("users", "requests/s at the busiest time", "instances", "workers in each"),
        *("memory", "connections"),
    )
    lines = [_line(columns), "|" + " ---: |" * len(columns)]
    for users in (10, 100, 1_000, 10_000):
        arriving = users * size.REQUESTS_A_USER_AND_MINUTE / 60
        wanted = size.size(arriving, size.Carried("", rate, memory), database=True)
        lines.append(
            _line(
                (
                    f"{users:,}",
                    f"{arriving:,.1f}",
                    f"{wanted.instances}",
                    f"{wanted.workers}",
                    f"{wanted.memory / 1024:,.1f} GiB",
                    f"{wanted.connections}",
                )
            )
        )
    return "\n".join(lines)


def data(rows: Sequence[Row], where: str, typical: Mapping[str, str]) -> dict[str, Any]:
    """The content of nixcfg/plan/carried.json: of each row, what a worker carries and holds."""
    found = {
        row.name: {
            "rate": round(statistics.median(row.figures.knees), 1),
            "memory": round(row.figures.memory),
        }
        for row in rows
        if row.figures
    }
    return {"where": where, "typical": typical, "rows": found}


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
