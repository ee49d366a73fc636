"""What is measured, and the tables that are made of it."""

import math
import os
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from vendor import PIECES

REPETITIONS = 3


SECONDS = 6.0


CONNECTIONS = 32


#: What the plan for users assumes: at the busiest time, and how full a worker may be then.
REQUESTS_A_USER_AND_MINUTE = 1.0


FULL = 0.5


ANSWER_SECONDS = 10.0


#: Of the machines that a large number of users takes.
CORES = 8


#: What each worker opens to the database, unless LiteLLM is told otherwise.
POOL = 10


@dataclass(frozen=True)
class Setup:
    """One row of the table."""

    name: str
    instances: int = 1
    workers: int = 1
    redis: bool = False
    postgres: bool = False
    stream: bool = False
    #: How long the vendor takes, and how many ask at the same time.
    delay: float = 0.0
    connections: int = CONNECTIONS


ONE = Setup("1 instance, 1 worker")


BOTH = Setup("1 instance, 1 worker, PostgreSQL and Redis", redis=True, postgres=True)


STREAMED = Setup(f"1 instance, 1 worker, streamed in {PIECES} pieces", stream=True)


SETUPS = [
    ONE,
    Setup("1 instance, 2 workers", workers=2),
    Setup("2 instances, 1 worker each", instances=2),
    Setup("1 instance, 1 worker, Redis", redis=True),
    Setup("2 instances, 1 worker each, Redis", instances=2, redis=True),
    Setup("1 instance, 1 worker, PostgreSQL", postgres=True),
    BOTH,
    STREAMED,
    Setup("1 instance, 1 worker, 200 wait for 2 seconds", delay=2.0, connections=200),
]


@dataclass(frozen=True)
class Figures:
    """One measurement. CPU in milliseconds a request, memory in MiB a worker."""

    rate: float
    alone: float
    p50: float
    p99: float
    cpu: float
    engine_cpu: float
    services_cpu: float
    memory: float
    other_load: float
    failed: int


def _of(figures: list[Figures], name: str) -> float:
    return float(statistics.median(getattr(each, name) for each in figures))


def table(results: Mapping[Setup, list[Figures]]) -> str:
    base = results[ONE]
    columns = (
        *("what", "requests/s", "of the first row", "alone, ms", "p50, ms", "p99, ms"),
        *("CPU of LiteLLM a request, ms", "requests/s a core", "memory a worker, MiB"),
        "other load, cores",
    )
    lines = [f"| {' | '.join(columns)} |", "| --- |" + " ---: |" * 9]
    for setup, figures in results.items():
        pairs = zip(figures, base, strict=True)
        ratios = sorted(each.rate / first.rate for each, first in pairs)
        spread = "" if setup == ONE else f" ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        lines.append(
            f"| {setup.name} | {_of(figures, 'rate'):.0f} "
            f"| {statistics.median(ratios):.2f}{spread} "
            f"| {_of(figures, 'alone') - 1000 * setup.delay:.0f} "
            f"| {_of(figures, 'p50') - 1000 * setup.delay:.0f} "
            f"| {_of(figures, 'p99') - 1000 * setup.delay:.0f} | {_of(figures, 'cpu'):.1f} "
            f"| {1000 / _of(figures, 'cpu'):.0f} | {_of(figures, 'memory'):.0f} "
            f"| {_of(figures, 'other_load'):.2f} |"
        )
    return "\n".join(lines)


def noise(results: Mapping[Setup, list[Figures]]) -> str:
    everything = [each for figures in results.values() for each in figures]
    first = results[ONE]
    rates, others = [each.rate for each in first], [each.other_load for each in everything]
    engine = [each.engine_cpu for each in everything if each.engine_cpu]
    return (
        f"Repetitions: {len(first)}, of which the medians stand here; "
        f"{sum(each.failed for each in everything)} failed requests. The first row alone varied "
        f"from {min(rates):.0f} to {max(rates):.0f} requests/s. Other programs used "
        f"{statistics.median(others):.2f} cores in the median, {max(others):.2f} at most, of "
        f"{os.cpu_count()}. Prisma's engine, here WebAssembly instead of the native one, used "
        f"{statistics.median(engine):.1f} ms of CPU a request, and Redis and PostgreSQL together "
        f"{max(each.services_cpu for each in everything):.1f} ms at most: they stand in no column."
    )


def plan(results: Mapping[Setup, list[Figures]]) -> str:
    """Streamed answers, which cost most, with what Redis and PostgreSQL add."""
    cpu = {setup: _of(figures, "cpu") for setup, figures in results.items()}
    with_both = cpu[STREAMED] + cpu[BOTH] - cpu[ONE]
    memory = max(_of(figures, "memory") for figures in results.values())
    columns = (
        *("users", "requests/s at the busiest time", "answers under way", "workers"),
        *("memory for them", "database connections", "what to run"),
    )
    lines = [f"| {' | '.join(columns)} |", "|" + " ---: |" * 6 + " --- |"]
    for users in (10, 1_000, 100_000):
        rate = users * REQUESTS_A_USER_AND_MINUTE / 60
        cost = cpu[STREAMED] if users <= 10 else with_both
        workers = math.ceil(rate * cost / 1000 / FULL)
        lines.append(
            f"| {users:,} | {rate:,.1f} | {rate * ANSWER_SECONDS:,.0f} | {workers} "
            f"| {workers * memory / 1024:,.1f} GiB | {workers * POOL if users > 10 else 0:,} "
            f"| {_advice(users, workers)} |"
        )
    rate = 1000 / with_both * FULL
    return "\n".join(lines) + (
        f"\n\nOne worker, half full, with Redis and PostgreSQL: {rate:.0f} streamed answers a "
        f"second, or {rate * 60 / REQUESTS_A_USER_AND_MINUTE:.0f} users."
    )


def _advice(users: int, workers: int) -> str:
    if users <= 10:
        return "one instance and nothing else; a local PostgreSQL for keys and budgets"
    if users <= 1_000:
        return f"2 instances of {math.ceil(workers / 2)} workers, PostgreSQL and Redis beside them"
    machines = math.ceil(workers / CORES)
    return f"{machines} machines of {CORES} cores, PostgreSQL (behind a pooler) and Redis elsewhere"
