"""A clock for one case, which runs ahead while LiteLLM waits.

nixcfg and LiteLLM share some numbers in a file. While a client waits, and stand-ins hold all that
LiteLLM has sent, or it has sent nothing, its event loop jumps to the next timer or to the moment at
which a stand-in goes on, whichever is first: a time-out of a minute takes a moment. Work takes as
long as it does. Python's own library alone, because LiteLLM's process imports it.
"""

import contextlib
import datetime as dt
import math
import mmap
import selectors
import struct
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_OFFSET, _IDLE, _RESTED, _RELEASE, _SEEN, _LEAP, _REST = range(7)
"""LiteLLM writes how far ahead it is, how often it began or ended to have nothing to do (odd: it
has nothing now), and which of these times was long enough to say so; nixcfg the moment until which
no one but LiteLLM does anything, which idleness it has seen, how far LiteLLM was asked to leap, and
how many real seconds without an event are enough."""
_COUNT, _SIZE = 7, 8
_NAP, _LOOK = 0.02, 0.001
_HELD_REST, _OWN_REST = 0.02, 0.2
"""LiteLLM's threads may still work: shorter where it waits for a vendor, which it does last."""
_WORK = 0.002
"""Seconds of a processor that other threads of LiteLLM take, from which on they are at work."""
_FAR = 3600.0
_LEAP_SECONDS, _SETTLE_SECONDS = 30.0, 5.0
"""Real seconds after which no one waits any longer for LiteLLM to leap, and to settle."""
_BY_THE_MINUTE = ("utils", "router", "router_strategy", "router_utils", "caching", "proxy.hooks")
"""Modules of LiteLLM that count by the minute of the wall clock."""
_monotonic, _wall = time.monotonic, time.time


class _Memory:
    """Numbers that two processes share."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _COUNT * _SIZE)

    def __getitem__(self, index: int) -> float:
        value: float = struct.unpack_from("d", self._map, index * _SIZE)[0]
        return value

    def __setitem__(self, index: int, value: float) -> None:
        struct.pack_into("d", self._map, index * _SIZE, value)

    def now(self) -> float:
        """Seconds of a clock that only goes forward."""
        return _monotonic() + self[_OFFSET]


class Clock:
    """nixcfg's side. `path` is the file; with `skips`, LiteLLM runs ahead."""

    def __init__(self, path: Path, *, skips: bool) -> None:
        path.write_bytes(bytes(_COUNT * _SIZE))
        self.path = path
        self.skips = skips
        self._memory = _Memory(path)
        self._memory[_RELEASE] = math.inf
        self._lock = threading.Lock()
        self._waiting = self._busy = 0
        self._held: dict[int, float] = {}

    def now(self) -> float:
        """Seconds, of which only a difference means something."""
        return self._memory.now()

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """While a client waits for LiteLLM; else its clock does not jump."""
        with self._counted("_waiting"):
            yield

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """While a stand-in does something that LiteLLM waits for, its clock does not jump."""
        with self._counted("_busy"):
            yield

    @contextlib.contextmanager
    def watched(self, is_asked: Callable[[], bool]) -> Iterator[None]:
        """While LiteLLM runs: `is_asked` says whether it has sent what no one has read yet."""
        ends = threading.Event()

        def watch() -> None:
            while not ends.wait(_LOOK):
                idle = self._memory[_IDLE]
                if not is_asked():
                    self._memory[_SEEN] = idle

        thread = threading.Thread(target=watch, daemon=True)
        if self.skips:
            thread.start()
        try:
            yield
        finally:
            ends.set()
            if self.skips:
                thread.join()

    def hold(self, seconds: float, has_gone: Callable[[float], bool]) -> bool:
        """Wait so long inside of `busy`; True if LiteLLM went before, which `has_gone` finds out
        within so many real seconds."""
        me, until = threading.get_ident(), self.now() + seconds
        look = _LOOK if self.skips else _NAP
        self._change(me, until)
        try:
            while self.now() < until:
                if has_gone(look):
                    return True
            return False
        finally:
            self._change(me, None)

    def _change(self, me: int, until: float | None) -> None:
        with self._lock:
            if until is None:
                del self._held[me]
            else:
                self._held[me] = until
            self._publish()

    @contextlib.contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        with self._lock:
            setattr(self, name, getattr(self, name) + 1)
            self._publish()
        try:
            yield
        finally:
            with self._lock:
                setattr(self, name, getattr(self, name) - 1)
                self._publish()

    def _publish(self) -> None:
        self._memory[_REST] = _HELD_REST if self._held else _OWN_REST
        is_quiet = self._waiting and self._busy == len(self._held)
        until = min(self._held.values(), default=self.now() + _FAR)
        self._memory[_RELEASE] = until if is_quiet else math.inf

    def settle(self) -> None:
        """Wait until LiteLLM has done what it does after an answer: count, and fill its cache."""
        give_up = _monotonic() + (_SETTLE_SECONDS if self.skips else 0)
        while _monotonic() < give_up:
            idle = self._memory[_IDLE]
            if idle % 2 and self._memory[_RESTED] == idle:
                return
            time.sleep(_LOOK)

    def leap(self, seconds: float) -> None:
        """Let so much time have passed for LiteLLM. Raises TimeoutError where it does not."""
        there = self.now() + seconds
        self._memory[_LEAP] += seconds
        give_up = _monotonic() + _LEAP_SECONDS
        while self.now() < there:
            if _monotonic() > give_up:
                raise TimeoutError("LiteLLM's clock stands still")
            time.sleep(_LOOK)


def install(path: str, *, skips: bool) -> None:
    """LiteLLM's side: a case begins at the start of a minute of the wall clock, because limits are
    counted by it; with `skips` all of its time is that of the clock."""
    memory = _Memory(Path(path))
    to_minute = 60 - _wall() % 60

    def ahead() -> float:
        return to_minute + memory[_OFFSET]

    time.time = lambda: _wall() + ahead()
    _shift_dates(ahead)
    if skips:
        time.monotonic = memory.now
        selectors.DefaultSelector = lambda: _Selector(memory)  # type: ignore[assignment, misc]


class _Selector(selectors.EpollSelector if sys.platform == "linux" else selectors.SelectSelector):  # type: ignore[misc]
    """What an event loop waits in, with a clock that jumps."""

    def __init__(self, memory: _Memory) -> None:
        super().__init__()
        self._memory = memory
        self._event_at = _monotonic()
        self._others = 0.0
        self._leaped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main or (timeout is not None and timeout <= 0):
            return self._noted(super().select(timeout))
        until = math.inf if timeout is None else self._memory.now() + timeout
        self._memory[_IDLE] += 1
        try:
            return self._waited(until)
        finally:
            self._memory[_IDLE] += 1

    def _waited(self, until: float) -> Any:
        while True:
            is_held = self._memory[_RELEASE] < math.inf
            left = until - self._memory.now()
            ready = super().select(max(min(left, _LOOK if is_held else _NAP), 0))
            if ready:
                return self._noted(ready)
            if self._rests(_HELD_REST):
                self._memory[_RESTED] = self._memory[_IDLE]
            self._leap()
            if self._memory.now() >= until:
                return ready
            self._jump(until)

    def _noted(self, ready: Any) -> Any:
        if ready:
            self._event_at = _monotonic()
        return ready

    def _leap(self) -> None:
        asked = self._memory[_LEAP]
        if asked > self._leaped:
            self._memory[_OFFSET] += asked - self._leaped
            self._leaped = asked

    def _jump(self, until: float) -> None:
        memory = self._memory
        if memory[_SEEN] < memory[_IDLE] or not self._rests(memory[_REST]):
            return
        release = memory[_RELEASE]
        jump = min(until, release) - memory.now()
        if release < math.inf and 0 < jump < math.inf:
            memory[_OFFSET] += jump

    def _rests(self, seconds: float) -> bool:
        """Whether nothing has happened for so long, and no other thread has worked meanwhile."""
        others = time.process_time() - time.thread_time()
        if others - self._others > _WORK:
            self._others, self._event_at = others, _monotonic()
        return _monotonic() - self._event_at >= seconds


def _shift_dates(ahead: Callable[[], float]) -> None:
    class Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, dt.datetime)

    class Shifted(dt.datetime, metaclass=Meta):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return dt.datetime.now(tz) + dt.timedelta(seconds=ahead())

        @classmethod
        def utcnow(cls) -> Any:
            return dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(seconds=ahead())

    module = types.ModuleType("datetime")
    module.__dict__.update({**vars(dt), "datetime": Shifted})
    instead = {id(dt.datetime): Shifted, id(dt): module}
    for name, each in list(sys.modules.items()):
        if name.removeprefix("litellm.").startswith(_BY_THE_MINUTE) and name.startswith("litellm"):
            for attribute, value in list(vars(each).items()):
                if id(value) in instead:
                    setattr(each, attribute, instead[id(value)])
