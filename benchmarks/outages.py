"""What is made to fail: each is a setup, and a block of time in which it does."""

import http.client
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stage import FALLBACK, MASTER_KEY, MODEL, Setup, Stage

MIB = 1 << 20
#: Of PostgreSQL's own file system, and of LiteLLM's /tmp: `resources.tmpSize` of the module.
DISK, TMP = 400, 256


@dataclass(frozen=True)
class Outage:
    """`seconds` is how long it lasts, and `after` how long clients go on asking then."""

    name: str
    setup: Setup
    happens: Callable[[Stage], AbstractContextManager[None]]
    seconds: float
    after: float = 30.0


SHARED = Setup(database=True)


def timeouts(**more: Any) -> Setup:
    router: Mapping[str, Any] = {"timeout": 10, "stream_timeout": 5, **more}
    return Setup(settings={"router_settings": router})


@contextmanager
def silent(stage: Stage) -> Iterator[None]:
    stage.vendor.silent.set()
    yield
    stage.vendor.silent.clear()


@contextmanager
def no_redis(stage: Stage) -> Iterator[None]:
    stage.redis.server.stop()
    yield
    stage.redis.server.start()


@contextmanager
def flapping_redis(stage: Stage) -> Iterator[None]:
    for _ in range(4):
        stage.redis.server.stop()
        time.sleep(3)
        stage.redis.server.start()
        time.sleep(3)
    yield


@contextmanager
def frozen_redis(stage: Stage) -> Iterator[None]:
    stage.redis.server.signal(signal.SIGSTOP)
    yield
    stage.redis.server.signal(signal.SIGCONT)


@contextmanager
def no_postgres(stage: Stage) -> Iterator[None]:
    stage.postgres.server.stop(signal.SIGINT)
    yield
    stage.postgres.server.start()


@contextmanager
def frozen_postgres(stage: Stage) -> Iterator[None]:
    stage.postgres.server.signal(signal.SIGSTOP)
    yield
    stage.postgres.server.signal(signal.SIGCONT)


def full(folder: Path) -> Path:
    """Writes a file until there is no room. Its path."""
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(MIB)):
            pass
    with suppress(OSError), filler.open("ab", buffering=0) as file:
        while file.write(bytes(512)):
            pass
    return filler


@contextmanager
def full_postgres(stage: Stage) -> Iterator[None]:
    """Also of its log, the next part of which it has no room for."""
    filler = full(stage.postgres.folder)
    yield
    filler.unlink()
    # As NixOS does, where it has ended for that.
    stage.postgres.server.stop(signal.SIGINT)
    stage.postgres.server.start()


@contextmanager
def full_tmp(stage: Stage) -> Iterator[None]:
    filler = full(stage.tmp)
    yield
    filler.unlink()


def jump(seconds: int) -> Callable[[Stage], AbstractContextManager[None]]:
    @contextmanager
    def happens(stage: Stage) -> Iterator[None]:
        stage.jump(seconds)
        yield

    return happens


@contextmanager
def out_of_memory(stage: Stage) -> Iterator[None]:
    """One request of 200 MB, where each instance has room for 100 more than it holds."""
    for each in stage.confined:
        each.limit(100 * MIB)
    connection = http.client.HTTPConnection("127.0.0.1", stage.port, timeout=60)
    message = {"role": "user", "content": "word " * (40 * MIB)}
    body = json.dumps({"model": MODEL, "messages": [message]})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {MASTER_KEY}"}
    with suppress(OSError, http.client.HTTPException):
        connection.request("POST", "/v1/chat/completions", body, headers)
        connection.getresponse()
    connection.close()
    if not any(each.killed() for each in stage.confined):
        sys.exit("nothing was killed for the limit of memory")
    yield


OUTAGES = (
    Outage("a vendor hangs, no timeout", Setup(), silent, 10, after=5),
    Outage("a vendor hangs, `timeout: 10`, `stream_timeout: 5`", timeouts(), silent, 60),
    Outage("the same, `num_retries: 0`", timeouts(num_retries=0), silent, 60),
    Outage(
        "the same, and a fallback",
        timeouts(num_retries=0, fallbacks=[{MODEL: [FALLBACK]}]),
        silent,
        60,
    ),
    Outage("Redis is stopped", SHARED, no_redis, 30, after=75),
    Outage("Redis stops and comes back, four times", SHARED, flapping_redis, 0, after=75),
    Outage("Redis hangs", SHARED, frozen_redis, 30, after=75),
    Outage("PostgreSQL is restarted", SHARED, no_postgres, 0, after=60),
    Outage("PostgreSQL is stopped", SHARED, no_postgres, 120, after=60),
    Outage("PostgreSQL hangs", SHARED, frozen_postgres, 120, after=60),
    Outage("the disk of PostgreSQL is full", replace(SHARED, disk=DISK), full_postgres, 60),
    Outage("the container's /tmp is full", replace(SHARED, tmp=TMP), full_tmp, 60),
    Outage("the clock jumps an hour ahead", replace(SHARED, clock=True), jump(3600), 60),
    Outage("the clock jumps an hour back", replace(SHARED, clock=True), jump(-3600), 60),
    Outage("no memory, one worker", Setup(), out_of_memory, 0, after=60),
    Outage("no memory, two workers", Setup(workers=2), out_of_memory, 0, after=60),
    Outage(
        "no memory, two instances behind nginx",
        Setup(instances=2, behind_nginx=True),
        out_of_memory,
        0,
        after=60,
    ),
)
"""In the order of the table."""
