"""What each part of the gateway's configuration gives or costs, one change at a time.

    python benchmarks/variants.py [--rounds 3] [--seconds 120] [--only NAME ...]

Every round measures the base and then each change of it, at one rate that all of them carry, so
that what disturbs for a while disturbs all; a figure is divided by that of the base of its round.
CPU time is what counts: LiteLLM is one thread, and the time that a request takes of it is what
bounds the number of them. A change is refused where no round of it was undisturbed.
"""

import argparse
import signal
import statistics
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from arrivals import Question
from bed import PLAIN, Bed, Setup, bed, streamed
from probe import DisturbedError, probe
from speed import where


@dataclass(frozen=True)
class Family:
    """A base, and what is asked of it and of each change."""

    name: str
    base: Setup
    question: Question
    rate: float
    changes: dict[str, Setup]


@dataclass
class Measured:
    """By round, or nothing where it was disturbed. MiB, seconds, milliseconds. `late` is whether it
    answered fewer requests than arrived."""

    late: bool = False
    cpu: list[float | None] = field(default_factory=list)
    p95: list[float | None] = field(default_factory=list)
    latest: list[float | None] = field(default_factory=list)
    memory: list[float | None] = field(default_factory=list)
    start: list[float | None] = field(default_factory=list)


def _environment(**variables: str) -> Setup:
    return Setup(environment=variables)


def _section(name: str, **values: object) -> Setup:
    return Setup(settings={name: values})


DATABASE = Setup(redis=True, postgres=True)
#: What people write who write it themselves, and what LiteLLM's documentation begins with.
BY_HAND = {
    "by hand: the image and a configuration": {"by_hand": True},
    "by hand, --detailed_debug": {"by_hand": True, "arguments": ["--detailed_debug"]},
}


def _of_database(**values: object) -> Setup:
    return replace(DATABASE, settings={"general_settings": values})


def _by_hand(base: Setup) -> dict[str, Setup]:
    return {name: replace(base, **changed) for name, changed in BY_HAND.items()}


PLAIN_CHANGES = {
    "the same again": Setup(),
    **_by_hand(Setup()),
    "granian (--run_granian)": Setup(arguments=["--run_granian"]),
    "gunicorn (--run_gunicorn)": Setup(arguments=["--run_gunicorn"]),
    "2 workers on the one core": Setup(workers=2),
    "LITELLM_LOG=ERROR": _environment(LITELLM_LOG="ERROR"),
    "LITELLM_LOG=INFO": _environment(LITELLM_LOG="INFO"),
    "JSON_LOGS=True": _environment(JSON_LOGS="True"),
    "callbacks: [prometheus]": _section("litellm_settings", callbacks=["prometheus"]),
    "DISABLE_AIOHTTP_TRANSPORT=True": _environment(DISABLE_AIOHTTP_TRANSPORT="True"),
    "disable_cooldowns: true": _section("router_settings", disable_cooldowns=True),
    "enable_pre_call_checks: true": _section("router_settings", enable_pre_call_checks=True),
    "MALLOC_ARENA_MAX=2": _environment(MALLOC_ARENA_MAX="2"),
    "MALLOC_TRIM_THRESHOLD_=131072": _environment(MALLOC_TRIM_THRESHOLD_="131072"),
    "PYTHONMALLOC=malloc": _environment(PYTHONMALLOC="malloc"),
    "PYTHONOPTIMIZE=2": _environment(PYTHONOPTIMIZE="2"),
    "PYTHON_GC_THRESHOLD=10000,50,50": _environment(PYTHON_GC_THRESHOLD="10000,50,50"),
    "Redis": Setup(redis=True),
    "PostgreSQL": Setup(postgres=True),
    "PostgreSQL and Redis": DATABASE,
    "Redis, 2 instances on the one core, nginx": Setup(redis=True, instances=2),
}
DATABASE_CHANGES = {
    "the same again": DATABASE,
    **_by_hand(DATABASE),
    "a key without a limit": replace(DATABASE, limits={}),
    "LEGACY_MULTI_INSTANCE_RATE_LIMITING=true": replace(
        DATABASE, environment={"LEGACY_MULTI_INSTANCE_RATE_LIMITING": "true"}
    ),
    "LITELLM_TPM_TOKEN_RESERVATION_ENABLED=false": replace(
        DATABASE, environment={"LITELLM_TPM_TOKEN_RESERVATION_ENABLED": "false"}
    ),
    "use_redis_transaction_buffer": _of_database(use_redis_transaction_buffer=True),
    "disable_spend_logs": _of_database(disable_spend_logs=True),
    "disable_spend_updates": _of_database(disable_spend_updates=True),
    "disable_budget_reservation": _of_database(disable_budget_reservation=True),
    "disable_token_counter": replace(
        DATABASE, settings={"litellm_settings": {"disable_token_counter": True}}
    ),
    "store_prompts_in_spend_logs": _of_database(store_prompts_in_spend_logs=True),
    "database_connection_pool_limit: 2": _of_database(database_connection_pool_limit=2),
    "database_connection_pool_limit: 50": _of_database(database_connection_pool_limit=50),
    "proxy_batch_write_at: 60": _of_database(proxy_batch_write_at=60),
    "enable_redis_auth_cache": replace(
        DATABASE, settings={"litellm_settings": {"enable_redis_auth_cache": True}}
    ),
}
STREAM_CHANGES = _by_hand(Setup()) | {
    name: PLAIN_CHANGES[name]
    for name in (
        "the same again",
        "granian (--run_granian)",
        "LITELLM_LOG=ERROR",
        "DISABLE_AIOHTTP_TRANSPORT=True",
        "PYTHON_GC_THRESHOLD=10000,50,50",
    )
}
FAMILIES = (
    Family("plain", Setup(), PLAIN, 30.0, PLAIN_CHANGES),
    Family("plain, PostgreSQL and Redis", DATABASE, PLAIN, 20.0, DATABASE_CHANGES),
    Family("streamed in 31 pieces", Setup(), streamed(31), 8.0, STREAM_CHANGES),
)


def measure(
    machine: Bed, family: Family, setup: Setup, into: Measured, seconds: float = 0.0
) -> None:
    cpu = p95 = latest = memory = start = None
    with suppress(DisturbedError), machine.running(setup) as running:
        probe(running, family.question, family.rate)  # what LiteLLM makes at first
        seen = probe(running, family.question, family.rate, seconds)
        into.late |= not seen.answers.kept_up
        if seen.answers.kept_up:
            cpu, p95, latest = seen.cpu, seen.answers.percentile(0.95), max(seen.answers.times)
            memory, start = running.memory(), running.first_answer
    into.cpu.append(cpu)
    into.p95.append(p95)
    into.latest.append(latest)
    into.memory.append(memory)
    into.start.append(start)


def _ratio(ours: Sequence[float | None], base: Sequence[float | None]) -> str:
    ratios = [a / b for a, b in zip(ours, base, strict=True) if a and b]
    if not ratios:
        return "refused"
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def table(family: Family, base: Measured, found: dict[str, Measured]) -> str:
    def middle(values: Sequence[float | None]) -> str:
        known = [each for each in values if each]
        return f"{statistics.median(known):.1f}" if known else "refused"

    columns = ("CPU a request", "p95", "latest answer", "memory", "start to first answer")
    lines = [f"| {family.name} | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(columns)]
    lines.append(
        f"| the base | {middle(base.cpu)} ms | {middle(base.p95)} ms | {middle(base.latest)} ms "
        f"| {middle(base.memory)} MiB | {middle(base.start)} s |"
    )
    for name, ours in found.items():
        pairs = ((ours.cpu, base.cpu), (ours.p95, base.p95), (ours.latest, base.latest))
        pairs += ((ours.memory, base.memory), (ours.start, base.start))
        ratios = ["too slow"] * len(pairs) if ours.late else [_ratio(*pair) for pair in pairs]
        lines.append(f"| {name} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.0, help="of each look: five at least")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these changes")
    options = parser.parse_args()
    print(f"{where()}; {options.rounds} rounds.")
    with bed() as machine:
        for family in FAMILIES:
            changes = {
                name: setup
                for name, setup in family.changes.items()
                if not options.only or name in options.only
            }
            base, found = Measured(), {name: Measured() for name in changes}
            for _ in range(options.rounds):
                measure(machine, family, family.base, base, options.seconds)
                for name, setup in changes.items():
                    measure(machine, family, setup, found[name], options.seconds)
                    print(f"  {name}: {found[name].cpu[-1]}", file=sys.stderr)
            print(f"\n{table(family, base, found)}", flush=True)


if __name__ == "__main__":
    main()
