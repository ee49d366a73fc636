"""The machine that is asked: this one, or another by the user's own ssh, over one connection."""

import contextlib
import os
import shlex
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nixcfg.gateway import machine

_END = "# end"
"""What says that ssh has brought all of a file."""
_PLAIN = ("env", "LC_ALL=C", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0")
_SSH_FAILED, _NO_PROGRAM = 255, 127


@dataclass(frozen=True, slots=True)
class Host:
    """A machine; `name` is what ssh calls it, "" for this one. `socket` is the connection that the
    questions share (ssh_config(5), ControlPath)."""

    name: str = ""
    socket: str = ""

    def run(self, program: str, *arguments: str) -> machine.Output:
        """Ask a program there. Raises UnknownError where it is absent, or gives no answer."""
        if not self.name:
            return machine.run(program, *arguments)
        words = shlex.join((*_PLAIN, program, *arguments))
        shared = ("-o", "ControlMaster=auto", "-o", "ControlPersist=10", "-S", self.socket)
        output = machine.run("ssh", "-o", "BatchMode=yes", *shared, "--", self.name, words)
        if output.code == _SSH_FAILED:
            raise self._failed(output)
        if output.code == _NO_PROGRAM:
            raise machine.UnknownError(f"there is no {program} on {self.name}")
        return output

    def _failed(self, output: machine.Output) -> machine.UnknownError:
        said = output.err.splitlines()
        return machine.UnknownError(f"ssh {self.name}: {said[-1] if said else 'no answer'}")

    def read(self, path: str) -> str:
        """The text of a file. Raises OSError, ValueError where it is no text, and UnknownError."""
        if not self.name:
            return Path(path).read_text("utf-8")
        output = self.run("sh", "-c", f"cat -- {shlex.quote(path)} && echo && echo '{_END}'")
        if "No such file" in output.err:
            raise FileNotFoundError(2, "is not there", path)
        if output.code != 0 or not output.out.endswith(_END):
            raise self._failed(output)
        return output.out.removesuffix(_END).removesuffix("\n")

    def real(self, paths: Iterable[str]) -> dict[str, str]:
        """Where each path leads in the end. Raises UnknownError."""
        asked = sorted(set(paths))
        if not self.name:
            return {path: os.path.realpath(path) for path in asked}
        if not asked:
            return {}
        output = self.run("realpath", "-m", "--", *asked)
        return dict(zip(asked, output.out.splitlines(), strict=True))

    def absent(self, paths: Iterable[str]) -> frozenset[str]:
        """The files that are not there, as far as this user may look. Raises UnknownError."""
        asked = sorted(set(paths))
        if not self.name:
            return frozenset(filter(_is_absent, asked))
        output = self.run("stat", "--format=", "--", *asked) if asked else None
        lines = output.err.splitlines() if output else ()
        return frozenset(
            path for path in asked if any(f"'{path}': No such file" in line for line in lines)
        )

    def is_root(self) -> bool:
        """Whether nothing is hidden there. Raises UnknownError."""
        return self.run("id", "-u").out == "0" if self.name else machine.is_root()


HERE = Host()


@contextlib.contextmanager
def reached(name: str) -> Iterator[Host]:
    """The machine that ssh calls `name`, "" for this one, until the end of the block."""
    if not name:
        yield HERE
        return
    with tempfile.TemporaryDirectory(prefix="nixcfg-") as folder:
        host = Host(name, f"{folder}/ssh")
        try:
            yield host
        finally:
            # It would end by itself, ten seconds after the last question.
            with contextlib.suppress(machine.UnknownError):
                machine.run("ssh", "-S", host.socket, "-O", "exit", "--", name)


def _is_absent(path: str) -> bool:
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False  # only root can say
    return False
