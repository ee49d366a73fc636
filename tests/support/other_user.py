"""The program as another user than root runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from program import ROOT

NOBODY = 65534


def run_as(
    user: int, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """`nixcfg` as a user, with an interpreter that this user can run; skips where there is none."""
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    place = ":".join([str(ROOT), *(each for each in sys.path if each.endswith("-packages"))])
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/python{version}"):
        try:
            done = subprocess.run(
                [python, "-P", "-m", "nixcfg", *map(str, arguments)],
                env={
                    "PATH": os.environ["PATH"],
                    "LC_ALL": "C.UTF-8",
                    "PYTHONPATH": place,
                    "HOME": "/nonexistent",
                    "SOURCE_DATE_EPOCH": "0",
                    **environment,
                },
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
                user=user,
                group=user,
                extra_groups=[],
            )
        except OSError:
            continue
        if "No module named" not in done.stderr:
            return done
    pytest.skip("another user cannot run Python or read nixcfg here")
