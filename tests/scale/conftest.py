"""Real PostgreSQL, real Redis, and two instances of the real LiteLLM that use them."""

import os
import secrets
import shutil
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
import services
from services import Postgres, Redis
from vendors import OpenAI


@pytest.fixture(scope="session")
def litellm() -> None:
    absent = [m for m in ("litellm", "fastapi", "uvicorn", "apscheduler") if not find_spec(m)]
    if absent:
        pytest.skip(f"litellm[proxy] is not installed here: no {', '.join(absent)}")


@pytest.fixture(scope="session")
def redis(litellm: None) -> Iterator[Redis]:  # noqa: ARG001
    if reason := services.absent("redis-server"):
        pytest.skip(reason)
    with services.redis() as running:
        yield running


@pytest.fixture(scope="session")
def postgres(litellm: None) -> Iterator[Postgres]:  # noqa: ARG001
    if reason := services.absent("postgresql"):
        pytest.skip(reason)
    with services.postgres() as running:
        yield running


@pytest.fixture(scope="module")
def vendor() -> Iterator[OpenAI]:
    """The vendor of every model."""
    with OpenAI(f"sk-proj-{secrets.token_hex(24)}") as running:
        yield running


@pytest.fixture(scope="module")
def needs() -> None:
    """Skip where something is absent that only a package can bring."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a systemd in namespaces")
    for program in ("nix-instantiate", "nginx", "curl", "flock"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
