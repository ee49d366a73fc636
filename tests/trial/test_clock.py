"""The clock of a case: it runs ahead while a stand-in holds, and not while there is work."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from nixcfg.trial.clock import Clock

PROGRAM = """
import asyncio, datetime, json, sys, time
from nixcfg.trial import clock
clock.install(sys.argv[1], skips=True)

async def main():
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    began, wall = time.monotonic(), time.time()
    try:
        await asyncio.wait_for(reader.read(1), float(sys.argv[3]))
        said = "answer"
    except TimeoutError:
        said = "timeout"
    writer.close()
    print(json.dumps([said, time.monotonic() - began, time.time() - wall]), flush=True)

print(time.time() % 60, flush=True)
asyncio.run(main())
"""


@contextmanager
def waiting(
    clock: Clock, seconds: float
) -> Iterator[tuple["subprocess.Popen[str]", socket.socket]]:
    """A program that waits so long for a byte, and the connection to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        words = [sys.executable, "-c", PROGRAM, str(clock.path), str(port), str(seconds)]
        child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        try:
            connection, _ = server.accept()
            with connection:
                yield child, connection
        finally:
            child.kill()
            child.communicate()


def has_gone(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False


@pytest.mark.parametrize(
    ("patience", "delay", "expected", "passed"),
    [(100.0, 300.0, "timeout", 100.0), (300.0, 100.0, "answer", 100.0)],
)
def test_a_long_wait_takes_a_moment(
    tmp_path: Path, patience: float, delay: float, expected: str, passed: float
):
    clock = Clock(tmp_path / "clock", skips=True)
    began = time.monotonic()
    with (
        waiting(clock, patience) as (child, connection),
        clock.watched(lambda: False),
        clock.asking(),
        clock.busy(),
    ):
        went = clock.hold(delay, lambda seconds: has_gone(connection, seconds))
        if not went:
            connection.send(b"x")
        assert child.stdout is not None
        minute, line = child.stdout.readline(), child.stdout.readline()
    said, on_clock, on_wall = json.loads(line)
    assert (said, went) == (expected, expected == "timeout")
    assert passed - 1 < on_clock < passed + 60  # who holds has begun before
    assert passed - 1 < on_wall < passed + 60
    assert float(minute) < 30  # a case begins with a minute; a slow machine may be late
    assert time.monotonic() - began < 60


def test_nothing_jumps_while_there_is_work(tmp_path: Path):
    clock = Clock(tmp_path / "clock", skips=True)
    with (
        waiting(clock, 3000) as (child, connection),
        clock.watched(lambda: False),
        clock.asking(),
        clock.busy(),
        clock.busy(),
    ):
        assert clock.hold(0.5, lambda seconds: has_gone(connection, seconds)) is False
        connection.send(b"x")
        assert child.stdout is not None
        child.stdout.readline()
        said, on_clock, _ = json.loads(child.stdout.readline())
    assert said == "answer"
    assert on_clock < 100


def test_a_leap_wakes_who_sleeps(tmp_path: Path):
    clock = Clock(tmp_path / "clock", skips=True)
    with waiting(clock, 3000) as (child, _):
        clock.leap(3001)
        assert child.stdout is not None
        child.stdout.readline()
        said, on_clock, _ = json.loads(child.stdout.readline())
    assert said == "timeout"
    assert on_clock >= 3000


@pytest.mark.parametrize(("is_asked", "is_asking"), [(True, True), (False, False)])
def test_nothing_jumps_while_something_is_unread_or_no_one_waits(
    tmp_path: Path, is_asked: bool, is_asking: bool
):
    clock = Clock(tmp_path / "clock", skips=True)
    with ExitStack() as stack:
        stack.enter_context(waiting(clock, 3000))
        stack.enter_context(clock.watched(lambda: is_asked))
        if is_asking:
            stack.enter_context(clock.asking())
        time.sleep(1)
        assert clock.now() - time.monotonic() < 1


def test_who_sleeps_by_itself_is_woken(tmp_path: Path):
    clock = Clock(tmp_path / "clock", skips=True)
    with waiting(clock, 3000) as (child, _), clock.watched(lambda: False), clock.asking():
        assert child.stdout is not None
        child.stdout.readline()
        said, on_clock, _ = json.loads(child.stdout.readline())
    assert said == "timeout"
    assert on_clock >= 3000
