"""The command line in this process: arguments in, exit code and both outputs out."""

import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from nixcfg import cli


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def call(*arguments: str, cwd: Path, given: bytes = b"") -> Done:
    """Run a command as the installed program does, with `given` on its standard input."""
    out, err = io.StringIO(), io.StringIO()
    before = Path.cwd()
    os.chdir(cwd)
    try:
        with (
            mock.patch.multiple(
                sys,
                argv=["nixcfg", *arguments],
                stdin=io.TextIOWrapper(io.BytesIO(given)),
                stdout=out,
                stderr=err,
            ),
        ):
            try:
                cli.main()
            except SystemExit as end:
                code = end.code
    finally:
        os.chdir(before)
    assert isinstance(code, int)
    return Done(code, out.getvalue(), err.getvalue())
