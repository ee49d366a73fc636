"""What the real LiteLLM can carry on this machine, and what that means for a number of users.

    python benchmarks/sizing.py

Starts LiteLLM with one and two workers, one and two instances, with and without real Redis and
PostgreSQL, asks it for some seconds through a round-robin client, several times over, and prints
the two tables of docs/scale.md. The vendor is a stand-in in a process of its own.

What counts is CPU time a request: it says how many requests a core carries, and other load on the
machine changes it least. How much of that there was is printed, too.
"""

import asyncio
import json
import signal
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "scale"), str(ROOT)]

import services  # noqa: E402
import toolchain  # noqa: E402
from gateway import gateway  # noqa: E402
from tables import (  # noqa: E402
    REPETITIONS,
    SECONDS,
    SETUPS,
    Figures,
    Setup,
    noise,
    plan,
    table,
)
from usage import Usage, memory_of, session_of  # noqa: E402
from vendor import vendor  # noqa: E402

WARM_UP_SECONDS = 3.0
#: A measurement waits so long until other programs use less than so many cores, and is taken so
#: many times until they did; the quietest counts.
PATIENCE_SECONDS = 10.0
QUIET = 0.1
ATTEMPTS = 3


MASTER_KEY = "sk-benchmark-0123456789abcdef"
CONFIG: dict[str, Any] = {
    "model_list": [],
    "litellm_settings": {"num_retries": 0},
    "general_settings": {},
}


# The vendor.


# The clients.


async def _client(port: int, request: bytes, until: float, times: list[float]) -> int:
    """Asks over one connection until the time is over; how many answers were none."""
    failed = 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    try:
        while (began := time.monotonic()) < until:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"content-length: " in head:
                length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
                body = await reader.readexactly(int(length))
            else:
                body = await reader.readuntil(b"\r\n0\r\n\r\n")
            times.append(time.monotonic() - began)
            failed += not head.startswith(b"http/1.1 200 ") or b"word" not in body
    finally:
        writer.close()
    return failed


async def _load(
    ports: list[int], request: bytes, connections: int, seconds: float
) -> tuple[list[float], int]:
    times: list[float] = []
    until = time.monotonic() + seconds
    turns = (ports[n % len(ports)] for n in range(connections))
    failed = await asyncio.gather(*(_client(port, request, until, times) for port in turns))
    return times, sum(failed)


def _request(model: str, key: str, *, stream: bool) -> bytes:
    question = {"role": "user", "content": "What is the meaning of life? " * 20}
    body = json.dumps({"model": model, "messages": [question], "stream": stream})
    return (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


# What processes use.


# One measurement.


@dataclass(frozen=True)
class Backends:
    """What LiteLLM is started with."""

    api_base: str
    redis: services.Redis
    postgres: services.Postgres
    prisma: toolchain.Toolchain


def measure(setup: Setup, backends: Backends, folder: Path) -> Figures:
    model = f"after-{setup.delay}"
    answers = {
        "model": f"openai/{model}",
        "api_base": backends.api_base,
        "api_key": "sk-stand-in",
    }
    config = CONFIG | {"model_list": [{"model_name": model, "litellm_params": answers}]}
    (folder / "config.yaml").write_text(json.dumps(config))
    environment = {"NUM_WORKERS": str(setup.workers), "LITELLM_LOG": "ERROR"}
    if setup.redis:
        environment["REDIS_URL"] = backends.redis.socket_url
    if setup.postgres:
        environment |= backends.prisma.environment(folder / "migrations")
        environment |= {
            "DATABASE_URL": backends.postgres.socket_url,
            "LITELLM_SALT_KEY": MASTER_KEY,
        }
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                gateway(folder / "config.yaml", environment, MASTER_KEY, folder / f"{n}.log")
            )
            for n in range(setup.instances)
        ]
        key = MASTER_KEY
        if setup.postgres:
            answer = running[0].request("POST", "/key/generate", {"rpm_limit": 10**9})
            if answer.status != 200:
                sys.exit(f"no key was made: {answer.body!r}")
            key = answer.json()["key"]
        request = _request(model, key, stream=setup.stream)
        ports = [each.port for each in running]
        sessions = {session_of(each) for each in running}
        return _figures(setup, ports, request, sessions)


def _figures(setup: Setup, ports: list[int], request: bytes, sessions: set[int]) -> Figures:
    asyncio.run(_load(ports, request, setup.connections, WARM_UP_SECONDS + setup.delay))
    alone, _ = asyncio.run(_load(ports[:1], request, 1, 2.0 + 2 * setup.delay))
    taken: list[Figures] = []
    while len(taken) < ATTEMPTS and not any(each.other_load < QUIET for each in taken):
        _wait_until_quiet()
        taken.append(_asked(setup, ports, request, sessions, 1000 * statistics.median(alone)))
    return min(taken, key=lambda figures: figures.other_load)


def _wait_until_quiet() -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        before = Usage.now(set())
        time.sleep(1)
        used = Usage.now(set()).since(before)
        if used.machine - used.ours - used.services < QUIET:
            return


def _asked(
    setup: Setup, ports: list[int], request: bytes, sessions: set[int], alone: float
) -> Figures:
    before, began = Usage.now(sessions), time.monotonic()
    times, failed = asyncio.run(_load(ports, request, setup.connections, SECONDS + setup.delay))
    seconds, used = time.monotonic() - began, Usage.now(sessions).since(before)
    count = len(times)
    ours = used.litellm + used.engine + used.services + used.ours
    cuts = statistics.quantiles(times, n=100)
    return Figures(
        rate=count / seconds,
        alone=alone,
        p50=1000 * cuts[49],
        p99=1000 * cuts[98],
        cpu=1000 * used.litellm / count,
        engine_cpu=1000 * used.engine / count,
        services_cpu=1000 * used.services / count,
        memory=memory_of(sessions, setup.instances * setup.workers),
        other_load=max(0.0, used.machine - ours) / seconds,
        failed=failed,
    )


# The tables.


def _ready_services(stack: ExitStack) -> Backends:
    if reason := services.absent("redis-server", "postgresql"):
        sys.exit(reason)
    try:
        prisma = toolchain.installed()
    except toolchain.AbsentError as error:
        sys.exit(str(error))
    return Backends(
        stack.enter_context(vendor()),
        stack.enter_context(services.redis()),
        stack.enter_context(services.postgres()),
        prisma,
    )


def main() -> None:
    # However it ends, the services, the vendor and the folders go with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    results: dict[Setup, list[Figures]] = {setup: [] for setup in SETUPS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nixcfg-sizing-")))
        backends = _ready_services(stack)
        # Whole rounds, so that what disturbs for a while disturbs every row.
        for repetition in range(REPETITIONS):
            for n, setup in enumerate(SETUPS):
                backends.redis.forget()
                own = folder / f"{repetition}-{n}"
                own.mkdir()
                figures = measure(setup, backends, own)
                results[setup].append(figures)
                print(f"{repetition + 1}/{REPETITIONS} {setup.name}: {figures}", file=sys.stderr)
    print(f"{table(results)}\n\n{noise(results)}\n\n{plan(results)}")


if __name__ == "__main__":
    main()
