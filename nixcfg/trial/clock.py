"""A clock for one case, which runs ahead while LiteLLM waits for a stand-in.

nixcfg and LiteLLM share five numbers in a file. While every request that LiteLLM sent is held by a
stand-in, LiteLLM's event loop, once it has nothing to do, jumps to its next timer or to the moment
at which the stand-in goes on, whichever is first: a time-out of a minute takes a moment. Work takes
as long as it does. Python's own library alone, because LiteLLM's process imports it.
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

_OFFSET, _IDLE, _RELEASE, _SEEN, _LEAP = range(5)
"""LiteLLM writes how far ahead it is and how often it had nothing to do; nixcfg the moment until
which all is held, which idleness it has seen, and how far it was asked to leap."""
_SIZE = 8
_NAP, _LOOK = 0.02, 0.001
_QUIET = 0.02
"""Seconds without an event after which LiteLLM is taken to wait; its threads may still work."""
_LEAP_SECONDS = 5.0
_BY_THE_MINUTE = ("utils", "router", "router_strategy", "router_utils", "caching", "proxy.hooks")
"""Modules of LiteLLM that count by the minute of the wall clock."""
_monotonic, _wall = time.monotonic, time.time


class _Memory:
    """Numbers that two processes share."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 5 * _SIZE)

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
        path.write_bytes(bytes(5 * _SIZE))
        self.path = path
        self.skips = skips
        self._memory = _Memory(path)
        self._lock = threading.Lock()
        self._busy = 0
        self._held: dict[int, tuple[float, float]] = {}
        self._publish()

    def now(self) -> float:
        """Seconds, of which only a difference means something."""
        return self._memory.now()

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """While something is under way that LiteLLM waits for, its clock does not jump."""
        with self._lock:
            self._busy += 1
            self._publish()
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1
                self._publish()

    def hold(self, seconds: float, has_gone: Callable[[float], bool]) -> bool:
        """Wait so long inside of `busy`; True if LiteLLM went before, which `has_gone` finds out
        within so many real seconds."""
        me, until = threading.get_ident(), self.now() + seconds
        look = _LOOK if self.skips else _NAP
        with self._lock:
            self._held[me] = until, -1.0
            self._busy -= 1
            self._publish()
        try:
            while self.now() < until:
                idle = self._memory[_IDLE]
                if has_gone(look):
                    return True
                with self._lock:
                    self._held[me] = until, idle
                    self._memory[_SEEN] = min(seen for _, seen in self._held.values())
            return False
        finally:
            with self._lock:
                del self._held[me]
                self._busy += 1
                self._publish()

    def leap(self, seconds: float) -> None:
        """Let so much time have passed for LiteLLM. Raises TimeoutError where it does not."""
        there = self.now() + seconds
        self._memory[_LEAP] += seconds
        give_up = _monotonic() + _LEAP_SECONDS
        while self.now() < there:
            if _monotonic() > give_up:
                raise TimeoutError("LiteLLM's clock stands still")
            time.sleep(_LOOK)

    def _publish(self) -> None:
        moments = [until for until, _ in self._held.values()]
        is_waited_for = bool(moments) and not self._busy
        self._memory[_RELEASE] = min(moments) if is_waited_for else math.inf


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
        self._leaped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main or (timeout is not None and timeout <= 0):
            return self._noted(super().select(timeout))
        until = math.inf if timeout is None else self._memory.now() + timeout
        self._memory[_IDLE] += 1
        while True:
            is_held = self._memory[_RELEASE] < math.inf
            left = until - self._memory.now()
            ready = super().select(max(min(left, _LOOK if is_held else _NAP), 0))
            if ready:
                return self._noted(ready)
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
        is_quiet = _monotonic() - self._event_at >= _QUIET
        if not is_quiet or memory[_SEEN] < memory[_IDLE]:
            return
        jump = min(until, memory[_RELEASE]) - memory.now()
        if 0 < jump < math.inf and memory[_RELEASE] < math.inf:
            memory[_OFFSET] += jump


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
