"""Whether the gateway stays as it is under load for long: its memory, and its requests.

    python benchmarks/endure.py [--minutes 30] [--recycle 2000] [--database] [--direct]

Two workers, each replaced after `--recycle` requests (0 for never), by LiteLLM's own
--max_requests_before_restart; behind nginx as the module has it, unless `--direct`. Clients that
keep their connections and never repeat a request ask until the time is over, every other request a
stream. Printed at the end: the requests that were lost, how often a worker was replaced, and the
slope of the memory with its standard error, without the first quarter of the time, in which LiteLLM
makes what it needs. A day of it: --minutes 1440.
"""

import argparse
import math
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from urllib.parse import urlsplit

from bed import ROOT, Bed, Running, Setup, bed
from front import absent, front

sys.path.insert(0, str(ROOT / "tests" / "scale"))

from load import Load, load

WORKERS = 2
EVERY_SECONDS = 5.0
#: Of the time, in which the memory is not looked at.
WARM_UP = 0.25


@dataclass(frozen=True)
class Endured:
    """What came of it. Memory in MiB, at seconds since the beginning."""

    record: Load
    memory: Sequence[tuple[float, float]]
    replaced: int


def slope(samples: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Least squares through (seconds, MiB): MiB an hour, and the standard error of that."""
    at, of = [x / 3600 for x, _ in samples], [y for _, y in samples]
    fit = statistics.linear_regression(at, of)
    middle = statistics.fmean(at)
    spread = sum((x - middle) ** 2 for x in at)
    left = sum((y - fit.intercept - fit.slope * x) ** 2 for x, y in zip(at, of, strict=True))
    return fit.slope, math.sqrt(left / max(1, len(samples) - 2) / spread)


def endure(
    machine: Bed, seconds: float, recycle: int, *, database: bool = False, direct: bool = False
) -> Endured:
    arguments: list[str] = []
    if recycle:
        arguments = ["--max_requests_before_restart", str(recycle)]
        arguments += ["--max_requests_before_restart_jitter", str(recycle // 2)]
    setup = Setup(workers=WORKERS, redis=True, postgres=database, arguments=arguments)
    with machine.running(setup) as running:
        own = urlsplit(running.target.base).port or 0
        with (
            nullcontext(own) if direct else front(own) as port,
            load(port, running.target.key, ["streamed-31"], clients=6, pause=0.05) as record,
        ):
            memory, replaced = _watched(running, seconds)
    return Endured(record, memory, replaced)


def _watched(running: Running, seconds: float) -> tuple[list[tuple[float, float]], int]:
    """The memory over that time, and how many processes came that were not there at first."""
    began, memory = time.monotonic(), []
    first = seen = running.pids
    while (passed := time.monotonic() - began) < seconds:
        memory.append((passed, running.memory()))
        seen = seen | running.pids
        time.sleep(min(EVERY_SECONDS, seconds / 20))
    return memory, len(seen - first)


def report(ended: Endured, seconds: float) -> str:
    settled = [each for each in ended.memory if each[0] >= WARM_UP * seconds]
    rise, error = slope(settled)
    first, last = settled[0][1], settled[-1][1]
    return (
        f"{seconds / 60:.0f} minutes: {ended.record.summary()}\n"
        f"workers replaced: {ended.replaced}\n"
        f"memory: {first:.0f} MiB, at the end {last:.0f}; {rise:+.0f} MiB an hour, "
        f"standard error {error:.0f}"
    )


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--recycle", type=int, default=2000, metavar="REQUESTS")
    parser.add_argument("--direct", action="store_true", help="without nginx in front")
    parser.add_argument("--database", action="store_true", help="with PostgreSQL")
    options = parser.parse_args()
    seconds = 60 * options.minutes
    if not options.direct and (reason := absent()):
        sys.exit(reason)
    with bed() as machine:
        ended = endure(
            machine,
            seconds,
            options.recycle,
            database=options.database,
            direct=options.direct,
        )
    print(report(ended, seconds))
    sys.exit(1 if ended.record.failed() else 0)


if __name__ == "__main__":
    main()
