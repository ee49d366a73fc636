"""What was measured of the gateway, and the tables that are made of it. Pure."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

#: What the plan for users assumes: at the busiest time, and how full a worker may be then.
REQUESTS_A_USER_AND_MINUTE = 1.0
FULL = 0.5
#: What each worker opens to the database, unless LiteLLM is told otherwise.
POOL = 10


@dataclass(frozen=True)
class Figures:
    """One row. Rates in requests a second, times in milliseconds above the stand-in's own, CPU
    time in milliseconds a request, memory in MiB, shares of a core from 0 to 1."""

    knees: Sequence[float]
    p50: float
    p95: float
    cpu: Sequence[float]
    memory: float
    gateway_share: float
    other_share: float
    first_answer: float


@dataclass(frozen=True)
class Row:
    """`refused` says why there are no figures."""

    name: str
    figures: Figures | None = None
    refused: str = ""


def _span(values: Sequence[float], digits: int) -> str:
    middle = f"{statistics.median(values):.{digits}f}"
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def table(rows: Sequence[Row]) -> str:
    columns = (
        *("what", "requests/s within the objective", "at half of that: p50, ms", "p95, ms"),
        *("CPU a request, ms", "memory, MiB", "core of the gateway", "core of the others"),
        "start to first answer, s",
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
                    _span(figures.knees, 0) if max(figures.knees) else "none",
                    f"{figures.p50:.1f}",
                    f"{figures.p95:.1f}",
                    _span(figures.cpu, 1),
                    f"{figures.memory:.0f}",
                    f"{figures.gateway_share:.0%}",
                    f"{figures.other_share:.0%}",
                    f"{figures.first_answer:.1f}",
                )
            )
        )
    return "\n".join(lines)


def sizing(figures: Figures) -> str:
    """How many workers a number of users takes, by the row that is most like what they do."""
    rate = statistics.median(figures.knees) * FULL
    columns = ("users", "requests/s at the busiest time", "workers", "memory", "connections")
    lines = [_line(columns), "|" + " ---: |" * len(columns)]
    for users in (10, 100, 1_000, 10_000):
        arriving = users * REQUESTS_A_USER_AND_MINUTE / 60
        workers = math.ceil(arriving / rate)
        lines.append(
            _line(
                (
                    f"{users:,}",
                    f"{arriving:,.1f}",
                    f"{workers:,}",
                    f"{workers * figures.memory / 1024:,.1f} GiB",
                    f"{workers * POOL:,}",
                )
            )
        )
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
