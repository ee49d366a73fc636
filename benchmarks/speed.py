"""What one core of the real LiteLLM carries, by what it is asked, and what that means for users.

    python benchmarks/speed.py [--repetitions 3] [--objective 100] [--rows plain ...] [--write]

The gateway has a core of its own. Requests arrive at a given rate, and the highest rate is looked
for at which 19 of 20 answers are there at most `--objective` milliseconds later than from the
stand-in itself, and none is missing. Rates, CPU times and delays are those of the core at its best
(`pace`). Each row is found again some times, which gives its interval.
A row is refused where other programs disturbed it (`probe.disturbed`): run it again, in quiet. It
needs two cores, nghttp2-client, redis-server and postgresql, and an hour.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import platform
import signal
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import arrivals
from arrivals import Answers, Question
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
from processes import Usage
from tables import Figures, Row, data, sizing, table

from nixcfg.plan.measured import FILE

WARM_RATE, WARM_SECONDS = 40.0, 20.0
PACKAGES = ("litellm", "uvicorn", "uvloop")


@dataclass(frozen=True)
class Kind:
    """A row: what is asked of what, and a rate to begin with."""

    name: str
    question: Question
    guess: float
    setup: Setup = field(default_factory=Setup)


#: What `nixcfg size` goes by.
TYPICAL = {
    "alone": "streamed in 100 pieces",
    "database": "streamed in 100 pieces, PostgreSQL and Redis",
}
KINDS = (
    Kind("plain", PLAIN, 80),
    Kind("streamed in 31 pieces", streamed(31), 9),
    Kind(TYPICAL["alone"], streamed(100), 4),
    Kind("plain, a prompt of 50 kB", LONG, 50),
    Kind("plain, a model without a price", WITHOUT_PRICE, 60),
    Kind("waiting 2 s for the vendor", WAITING, 60),
    Kind("/v1/messages", MESSAGES, 50),
    Kind("/v1/embeddings", EMBEDDINGS, 80),
    Kind("plain, Redis", PLAIN, 70, Setup(redis=True)),
    Kind("plain, PostgreSQL", PLAIN, 50, Setup(postgres=True)),
    Kind("plain, PostgreSQL and Redis", PLAIN, 45, Setup(redis=True, postgres=True)),
    Kind(TYPICAL["database"], streamed(100), 3, Setup(redis=True, postgres=True)),
)


def figures(machine: Bed, kind: Kind, repetitions: int, objective: float) -> Figures:
    """Raises DisturbedError."""
    alone = baseline(machine, kind.question, kind.guess)
    with machine.running(kind.setup) as running:
        _warm(running, kind)

        knees, factor, guess = [], 1.4, kind.guess
        for _ in range(repetitions):
            slower: list[float] = []

            def meets(rate: float, slower: list[float] = slower) -> bool:
                seen = probe(running, kind.question, rate)
                slower.append(seen.slower)
                above = seen.added(alone, 0.95)
                good = seen.answers.kept_up and above <= objective
                print(f"  {rate:.1f}/s: {above:.1f} ms, {good}", file=sys.stderr)
                return good

            found = knee(meets, guess, factor=factor)[0]
            knees.append(found * statistics.fmean(slower))
            guess, factor = found or guess, 1.2
        half = (guess / 2) or 1.0
        seen = [probe(running, kind.question, half) for _ in range(repetitions)]
        return _figures(running, knees, alone, seen)


def _warm(running: Running, kind: Kind) -> None:
    """The first requests are slow: what LiteLLM needs is made then. And some hundred requests
    after its start Python looks through all that has been made, which stops it for half a second,
    once."""
    arrivals.ask(running.target, PLAIN, WARM_RATE, WARM_SECONDS, Usage.now)
    probe(running, kind.question, kind.guess / 2)


def _figures(
    running: Running, knees: Sequence[float], alone: Answers, seen: Sequence[Probe]
) -> Figures:
    def added(part: float) -> float:
        return statistics.median(each.added(alone, part) for each in seen)

    return Figures(
        knees,
        added(0.5),
        added(0.95),
        [each.cpu for each in seen],
        running.memory(),
        statistics.median(each.gateway_share for each in seen),
        statistics.median(each.other_share for each in seen),
        running.first_answer,
        statistics.median(each.slower for each in seen),
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
    parser.add_argument("--objective", type=float, default=100.0, metavar="MILLISECONDS")
    parser.add_argument("--rows", nargs="*", metavar="NAME")
    parser.add_argument("--write", action="store_true", help="keep it for `nixcfg size`")
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
    found = data(rows, where(), TYPICAL)
    if row := found["rows"].get(TYPICAL["database"]):
        print(f"\n{sizing(row['rate'], row['memory'])}")
    if options.write:
        lacking = {*TYPICAL.values()} - {*found["rows"]}
        if lacking:
            sys.exit(f"not written: nothing is known of {', '.join(sorted(lacking))}")
        FILE.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
