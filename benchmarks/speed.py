"""What one core of the real LiteLLM carries, by what it is asked, and what that means for users.

    python benchmarks/speed.py [--repetitions 3] [--objective 10] [--rows plain ...]

The gateway has a core of its own. Requests arrive at a given rate, and the highest rate is looked
for at which 19 of 20 answers are there at most `--objective` milliseconds later than from the
stand-in itself, and none is missing. Each row is found again some times, which gives its interval.
A row is refused where other programs disturbed it (`probe.disturbed`): run it again, in quiet. It
needs two cores, nghttp2-client, redis-server and postgresql, and half an hour.
"""

import argparse
import datetime as dt
import importlib.metadata
import platform
import signal
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from arrivals import Question
from bed import (
    EMBEDDINGS,
    LONG,
    MESSAGES,
    PLAIN,
    WAITING,
    WITHOUT_PRICE,
    Bed,
    Running,
    Setup,
    bed,
    streamed,
)
from knee import knee
from probe import DisturbedError, Probe, baseline, probe
from tables import Figures, Row, sizing, table

PACKAGES = ("litellm", "uvicorn", "uvloop")


@dataclass(frozen=True)
class Kind:
    """A row: what is asked of what, and a rate to begin with."""

    name: str
    question: Question
    guess: float
    setup: Setup = field(default_factory=Setup)


#: What the table for users is made of.
TYPICAL = "streamed in 100 pieces, PostgreSQL and Redis"
KINDS = (
    Kind("plain", PLAIN, 80),
    Kind("streamed in 31 pieces", streamed(31), 15),
    Kind("streamed in 100 pieces", streamed(100), 6),
    Kind("plain, a prompt of 50 kB", LONG, 50),
    Kind("plain, a model without a price", WITHOUT_PRICE, 80),
    Kind("waiting 2 s for the vendor", WAITING, 80),
    Kind("/v1/messages", MESSAGES, 60),
    Kind("/v1/embeddings", EMBEDDINGS, 60),
    Kind("plain, Redis", PLAIN, 80, Setup(redis=True)),
    Kind("plain, PostgreSQL", PLAIN, 60, Setup(postgres=True)),
    Kind("plain, PostgreSQL and Redis", PLAIN, 60, Setup(redis=True, postgres=True)),
    Kind(TYPICAL, streamed(100), 6, Setup(redis=True, postgres=True)),
)


def figures(machine: Bed, kind: Kind, repetitions: int, objective: float) -> Figures:
    """Raises DisturbedError."""
    alone = baseline(machine, kind.question, kind.guess)
    with machine.running(kind.setup) as running:
        _warm(running, kind)

        def meets(rate: float) -> bool:
            seen = probe(running, kind.question, rate).answers
            above = seen.percentile(0.95) - alone.percentile(0.95)
            good = seen.kept_up and above <= objective
            print(f"  {rate:.1f}/s: {above:.1f} ms, {good}", file=sys.stderr)
            return good

        knees, factor, guess = [], 2.0, kind.guess
        for _ in range(repetitions):
            knees.append(knee(meets, guess, factor=factor)[0])
            guess, factor = knees[-1] or guess, 1.2
        half = statistics.median(knees) / 2 or 1.0
        seen = [probe(running, kind.question, half) for _ in range(repetitions)]
        return _figures(running, knees, alone.percentile(0.5), alone.percentile(0.95), seen)


def _warm(running: Running, kind: Kind) -> None:
    """The first requests are slow: what LiteLLM needs is made then."""
    probe(running, kind.question, kind.guess / 2)


def _figures(
    running: Running, knees: Sequence[float], p50: float, p95: float, seen: Sequence[Probe]
) -> Figures:
    return Figures(
        knees,
        statistics.median(each.answers.percentile(0.5) for each in seen) - p50,
        statistics.median(each.answers.percentile(0.95) for each in seen) - p95,
        [each.cpu for each in seen],
        running.memory(),
        statistics.median(each.gateway_share for each in seen),
        statistics.median(each.other_share for each in seen),
        running.first_answer,
    )


def where() -> str:
    """What the figures hold for: date, machine, versions."""
    with open("/proc/cpuinfo") as file:  # noqa: PTH123
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    day, python = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", platform.python_version()
    return f"{day}, {len(models)} x {models[0]}, Python {python}, {versions}"


def main() -> None:
    # However it ends, the services, the vendor and the folders go with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--objective", type=float, default=10.0, metavar="MILLISECONDS")
    parser.add_argument("--rows", nargs="*", metavar="NAME")
    options = parser.parse_args()
    rows = []
    with bed() as machine:
        for kind in KINDS:
            if options.rows and kind.name not in options.rows:
                continue
            print(kind.name, file=sys.stderr)
            try:
                found = figures(machine, kind, options.repetitions, options.objective)
                rows.append(Row(kind.name, found))
            except DisturbedError as error:
                rows.append(Row(kind.name, refused=str(error)))
    print(f"{where()}; {options.repetitions} repetitions.\n\n{table(rows)}")
    typical = [row.figures for row in rows if row.name == TYPICAL and row.figures]
    if typical and max(typical[0].knees):
        print(f"\n{sizing(typical[0])}")


if __name__ == "__main__":
    main()
