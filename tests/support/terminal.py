"""A person at a terminal: the real program on a real pseudo-terminal, of a given width."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

SECONDS = 30.0
"""How long any one answer may take, on a busy machine."""

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x07")


class Terminal:
    """`with Terminal(command, folder) as person: person.reads("Models"); person.types("1")`."""

    def __init__(
        self, command: Sequence[str], folder: Path, *, columns: int = 80, **environment: str
    ) -> None:
        self.command, self.folder = command, folder
        self.columns = columns
        self.environment = {**os.environ, "TERM": "xterm", **environment}
        self.environment.pop("COLUMNS", None)
        self.screen = ""
        self._seen = 0

    def __enter__(self) -> Self:
        self._end, theirs = pty.openpty()
        size = struct.pack("HHHH", 24, self.columns, 0, 0)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
        self._process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 (no threads)
        )
        os.close(theirs)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(SECONDS)
        os.close(self._end)

    @property
    def pid(self) -> int:
        return self._process.pid

    def reads(self, text: str) -> str:
        """Wait until the program has shown `text`; gives what it showed since the last time."""
        give_up = time.monotonic() + SECONDS
        while True:
            found = self.screen.find(text, self._seen)
            if found >= 0:
                shown = self.screen[self._seen : found + len(text)]
                self._seen = found + len(text)
                return shown
            if not self._more(give_up):
                raise AssertionError(f"no {text!r} on the screen:\n{self.screen[self._seen :]}")

    def types(self, line: str) -> None:
        """Type a line and Enter."""
        self.press(line + "\r")

    def press(self, keys: str) -> None:
        """Type keys as they are. A person needs a moment after a question; so does readline,
        which notices a signal only once it waits for input."""
        time.sleep(0.1)
        os.write(self._end, keys.encode())

    def interrupts(self) -> None:
        """Ctrl-C, which the terminal turns into a signal."""
        self.press("\x03")

    def ends(self) -> int:
        """Read until the program ends; its exit code."""
        give_up = time.monotonic() + SECONDS
        while self._more(give_up):
            pass
        return self._process.wait(SECONDS)

    @property
    def lines(self) -> list[str]:
        """The screen without colours and cursor movements, line by line."""
        return [line.rstrip("\r") for line in _CONTROL.sub("", self.screen).split("\n")]

    def _more(self, give_up: float) -> bool:
        left = give_up - time.monotonic()
        if left <= 0:
            raise AssertionError(f"the program went silent:\n{self.screen[self._seen :]}")
        ready, _, _ = select.select([self._end], [], [], left)
        if not ready:
            return True
        try:
            data = os.read(self._end, 65536)
        except OSError:  # EIO: the other end is closed
            return False
        self.screen += data.decode(errors="replace")
        return bool(data)
