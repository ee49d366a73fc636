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
import math
import multiprocessing
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "tests" / "scale"), str(ROOT)]

import services  # noqa: E402
import toolchain  # noqa: E402
from gateway import Gateway, free_port, gateway  # noqa: E402

from nixcfg.gateway import machine  # noqa: E402

REPETITIONS = 3
WARM_UP_SECONDS = 3.0
SECONDS = 6.0
CONNECTIONS = 32
#: A measurement waits so long until other programs use less than so many cores, and is taken so
#: many times until they did; the quietest counts.
PATIENCE_SECONDS = 10.0
QUIET = 0.1
ATTEMPTS = 3
#: Pieces of a streamed answer; a vendor sends about one a token or two.
PIECES = 100

#: What the plan for users assumes: at the busiest time, and how full a worker may be then.
REQUESTS_A_USER_AND_MINUTE = 1.0
FULL = 0.5
ANSWER_SECONDS = 10.0
#: Of the machines that a large number of users takes.
CORES = 8
#: What each worker opens to the database, unless LiteLLM is told otherwise.
POOL = 10

MASTER_KEY = "sk-benchmark-0123456789abcdef"
CONFIG: dict[str, Any] = {
    "model_list": [],
    "litellm_settings": {"num_retries": 0},
    "general_settings": {},
}


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


# The vendor.


def _vendor(port: int, ready: Any) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(_Vendor, "127.0.0.1", port) as server:
            ready.set()
            await server.serve_forever()

    asyncio.run(serve())


def _answers() -> tuple[bytes, bytes]:
    head = {"id": "chatcmpl-StandIn", "created": 1764000000, "model": "stand-in"}
    usage = {"prompt_tokens": 12, "completion_tokens": PIECES, "total_tokens": 12 + PIECES}
    message = {"role": "assistant", "content": "word " * PIECES}
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
    plain = json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": usage})

    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "word "}]
    deltas += [{"content": "word "}] * (PIECES - 1) + [{}]
    lines = []
    for delta in deltas:
        choice = {"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}
        chunk = {**head, "object": "chat.completion.chunk", "choices": [choice]}
        lines.append(f"data: {json.dumps(chunk)}\n\n")
    lines.append("data: [DONE]\n\n")
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(plain)}\r\n\r\n{plain}".encode(),
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x\r\n%s\r\n" % (len(line), line.encode()) for line in lines)
        + b"0\r\n\r\n",
    )


class _Vendor(asyncio.Protocol):
    """Answers each request after as many seconds as its model's name says."""

    plain, streamed = _answers()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if b"content-length" not in fields:  # no question
            self._answer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            self.received = b""
            return
        if len(body) < int(fields[b"content-length"]):
            return
        self.received = b""
        asked = json.loads(body)
        answer = self.streamed if asked.get("stream") else self.plain
        delay = float(asked["model"].removeprefix("after-"))
        asyncio.get_running_loop().call_later(delay, self._answer, answer)

    def _answer(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)


@contextmanager
def vendor() -> Iterator[str]:
    """The stand-in, as the base URL of an OpenAI-compatible API."""
    port = free_port()
    ready = multiprocessing.Event()
    process = multiprocessing.Process(target=_vendor, args=(port, ready), daemon=True)
    process.start()
    try:
        if not ready.wait(30):
            sys.exit("the stand-in did not start")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.join()


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

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """CPU seconds since their start, by what a process is part of."""

    litellm: float
    engine: float
    services: float
    ours: float
    machine: float

    @classmethod
    def now(cls, sessions: set[int]) -> "Usage":
        litellm = engine = services = ours = 0.0
        mine = os.getpid()
        parents: dict[int, int] = {}
        found: list[tuple[int, str, int, float]] = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                text = (folder / "stat").read_text()
            except OSError:  # it has ended
                continue
            name = text[text.index("(") + 1 : text.rindex(")")]
            fields = text[text.rindex(")") + 2 :].split()
            pid = int(folder.name)
            parents[pid] = int(fields[1])
            used = (int(fields[11]) + int(fields[12])) / _TICK
            found.append((pid, name, int(fields[3]), used))
        for pid, name, session, used in found:
            if session in sessions:
                if name.startswith("node"):
                    engine += used
                else:
                    litellm += used
            elif pid == mine or (parents[pid] == mine and name.startswith("python")):
                ours += used
            elif _is_below(pid, mine, parents):
                services += used
        first = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
        idle = int(first[3]) + int(first[4])
        busy = (sum(map(int, first)) - idle) / _TICK
        return cls(litellm, engine, services, ours, busy)

    def since(self, earlier: "Usage") -> "Usage":
        return Usage(
            self.litellm - earlier.litellm,
            self.engine - earlier.engine,
            self.services - earlier.services,
            self.ours - earlier.ours,
            self.machine - earlier.machine,
        )


def _is_below(pid: int, ancestor: int, parents: Mapping[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == ancestor:
            return True
    return False


def _session(running: Gateway) -> int:
    """The session that the instance was started as, with its workers."""
    return os.getsid(next(each.pid for each in machine.listeners(running.port) if each.pid))


def _memory(sessions: set[int], workers: int) -> float:
    """MiB a worker of what the instances' Python processes hold, what they share counted once:
    with several workers also of the one that only watches them."""
    kilobytes = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) not in sessions:
                continue
            if (folder / "comm").read_text().startswith("node"):
                continue
            lines = (folder / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024 / workers


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
        sessions = {_session(each) for each in running}
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
        memory=_memory(sessions, setup.instances * setup.workers),
        other_load=max(0.0, used.machine - ours) / seconds,
        failed=failed,
    )


# The tables.


def _of(figures: list[Figures], name: str) -> float:
    return float(statistics.median(getattr(each, name) for each in figures))


def _table(results: Mapping[Setup, list[Figures]]) -> str:
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


def _noise(results: Mapping[Setup, list[Figures]]) -> str:
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


def _plan(results: Mapping[Setup, list[Figures]]) -> str:
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
    print(f"{_table(results)}\n\n{_noise(results)}\n\n{_plan(results)}")


if __name__ == "__main__":
    main()
