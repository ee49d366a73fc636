"""Two real LiteLLM processes behind the real nginx, run by the units of the module."""

import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

# booting.py and units.nix, vendors.py and gateway.py are there.
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / each) for each in ("proxy", "nix")]

from fleet import Fleet, Fleets, PatientOpenAI, free_ports  # noqa: E402


@pytest.fixture(scope="session")
def needs() -> None:
    """Skip where something is absent that only a package can bring."""
    absent = [
        m for m in ("litellm", "fastapi", "uvicorn", "apscheduler", "redis") if not find_spec(m)
    ]
    if absent:
        pytest.skip(f"litellm[proxy] is not installed here: no {', '.join(absent)}")
    for program in ("nix-instantiate", "nginx", "redis-server", "curl", "flock"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="module")
def vendor() -> Iterator[PatientOpenAI]:
    with PatientOpenAI(f"sk-proj-{secrets.token_hex(24)}") as running:
        yield running


@pytest.fixture(scope="module")
def redis() -> Iterator[int]:
    """A real Redis on a port of its own."""
    (port,) = free_ports(1)
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        running.terminate()
        running.wait(timeout=30)


@pytest.fixture(scope="module")
def fleet(needs: None, redis: int, vendor: PatientOpenAI, tmp_path_factory) -> Iterator[Fleet]:  # noqa: ARG001
    """The machine with both instances ready, on the configuration `first`."""
    with Fleets(tmp_path_factory.mktemp("fleet"), redis, vendor).booted() as running:
        yield running
