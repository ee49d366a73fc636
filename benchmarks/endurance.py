"""What came of a long run: its memory, its rows and its requests. Pure."""

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

#: Of the time, in which the memory is not looked at: LiteLLM makes what it needs.
WARM_UP = 0.25
#: Parts of the time, of which each is one measurement: samples that follow each other closely
#: differ less than the memory does.
PARTS = 12
#: Student's t for 95 %, of a line through PARTS points.
T = 2.228
MIB = 1 << 20


@dataclass(frozen=True)
class Sample:
    """`at` in seconds since the beginning, `memory` in MiB, `rows` of spend in the database, None
    without one, bytes of LiteLLM's `log` and in its own `files`."""

    at: float
    memory: float
    log: int = 0
    files: int = 0
    rows: int | None = None


@dataclass
class Endured:
    """What has come of it so far: requests, how many of them streams, the faults, how often a
    worker was replaced, and samples. `retention` is how long rows are kept, in seconds."""

    retention: float
    requests: int = 0
    streams: int = 0
    faults: list[str] = field(default_factory=list)
    replaced: int = 0
    samples: list[Sample] = field(default_factory=list)

    def progress(self) -> str:
        """A line while it runs."""
        last = self.samples[-1]
        rows = "" if last.rows is None else f", {last.rows:,} rows"
        return (
            f"{last.at / 60:.0f} min: {self.requests:,} requests, {len(self.faults)} lost, "
            f"{self.replaced} workers replaced, {last.memory:.0f} MiB{rows}"
        )

    def report(self) -> str:
        """What is said at the end."""
        seconds = self.samples[-1].at
        lines = [
            (
                f"{seconds / 60:.0f} minutes: {self.requests:,} requests, {self.streams:,} of them "
                f"streams, {len(self.faults)} lost"
            ),
            *(f"  {fault}" for fault in self.faults[:5]),
            f"workers replaced: {self.replaced}",
            self._memory(),
            f"log: {self._log():.0f} bytes a request",
            f"files of its own: {self._most('files') / MIB:.1f} MiB at most",
        ]
        if self.samples[-1].rows is not None:
            lines.append(self._rows())
        return "\n".join(lines)

    def _memory(self) -> str:
        seconds = self.samples[-1].at
        settled = [(each.at, each.memory) for each in self.samples if each.at >= WARM_UP * seconds]
        fit = slope(settled)
        if fit is None:
            return "memory: too short for a slope"
        rise, margin = fit
        return (
            f"memory: {settled[0][1]:.0f} MiB, at the end {settled[-1][1]:.0f}; {rise:+.0f} MiB an "
            f"hour, 95 % from {rise - margin:+.0f} to {rise + margin:+.0f}"
        )

    def _log(self) -> float:
        first, last = self.samples[0], self.samples[-1]
        return (last.log - first.log) / max(1, self.requests)

    def _most(self, what: str) -> float:
        return max(getattr(each, what) for each in self.samples)

    def _rows(self) -> str:
        last = self.samples[-1].rows
        most = max(each.rows or 0 for each in self.samples)
        return (
            f"rows of spend: {most:,} at most, {last:,} at the end of {self.requests:,}; "
            f"kept for {self.retention:.0f} s"
        )


def slope(samples: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Least squares through the means of PARTS parts of (seconds, MiB): MiB an hour, and what it
    may be wrong by at 95 %. None for too few."""
    if len(samples) < PARTS:
        return None
    cuts = [round(n * len(samples) / PARTS) for n in range(PARTS + 1)]
    parts = [samples[a:b] for a, b in itertools.pairwise(cuts)]
    at = [statistics.fmean(x for x, _ in part) / 3600 for part in parts]
    of = [statistics.fmean(y for _, y in part) for part in parts]
    fit = statistics.linear_regression(at, of)
    middle = statistics.fmean(at)
    spread = sum((x - middle) ** 2 for x in at)
    left = sum((y - fit.intercept - fit.slope * x) ** 2 for x, y in zip(at, of, strict=True))
    return fit.slope, T * math.sqrt(left / (PARTS - 2) / spread)
