"""A Redis that starts after LiteLLM: taken up where the configuration names it, nowhere else.

nixcfg therefore renders `coordination_redis` for the `redis` of nixcfg.yaml.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from gateway import Gateway
from vendors import OpenAI

pytestmark = pytest.mark.slow

MASTER_KEY = "sk-late-redis-0123456789abcdef"
PASSWORD = "late%redis"

PROVIDER = """\
model_list:
  - model_name: gpt
    litellm_params:
      model: openai/gpt-4o
"""
PROJECTS = {
    "variables": "model_config: all\n",
    "local": "redis: local\n",
    "elsewhere": "redis: {host: redis.example.org, password_file: /run/keys/redis}\n",
}


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return Path(tmp_path_factory.mktemp("late"))


@pytest.fixture(scope="module")
def servers(port: int, place: Path) -> dict[str, Sequence[str]]:
    """How to reach the Redis of each proxy, as redis-cli is told."""
    return {
        "variables": ["-s", f"{place}/variables.sock"],
        "local": ["-s", f"{place}/local.sock"],
        "elsewhere": ["-p", str(port), "-a", PASSWORD, "--no-auth-warning"],
    }


@pytest.fixture(scope="module")
def proxies(start, render, port: int, place: Path) -> Iterator[dict[str, Gateway]]:
    """All started while there is no Redis at the other end of their variables."""
    if shutil.which("redis-server") is None or shutil.which("redis-cli") is None:
        pytest.skip("redis-server is not installed")
    with OpenAI("sk-openai-0123456789") as vendor:
        starts = {}
        for name, text in PROJECTS.items():
            (place / name / "providers").mkdir(parents=True)
            (place / name / "nixcfg.yaml").write_text(text)
            (place / name / "providers" / "openai.yaml").write_text(PROVIDER)
            # As the module wires them.
            redis = {"REDIS_URL": f"unix://{place}/{name}.sock"}
            if name == "elsewhere":
                redis = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port)}
                redis["REDIS_PASSWORD"] = PASSWORD
            variables = {"OPENAI_API_KEY": vendor.key, **redis, **vendor.environment}
            starts[name] = (render(place / name) / "all.yaml", variables)
        with start(starts, MASTER_KEY, place) as running:
            yield running


@pytest.fixture(scope="module")
def kept(
    proxies: dict[str, Gateway], servers: dict[str, Sequence[str]], port: int, place: Path
) -> Iterator[dict[str, int]]:
    """How much each proxy has in its Redis, which was started meanwhile, after some requests."""
    running = []
    try:
        for name in proxies:
            options = ["--port", "0", "--unixsocket", f"{place}/{name}.sock"]
            if name == "elsewhere":
                options = ["--port", str(port), "--requirepass", PASSWORD]
            options += ["--save", "", "--dir", str(place)]
            running.append(subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL))
        deadline = time.monotonic() + 30
        while any(asked(server, "ping") != "PONG" for server in servers.values()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for gateway in proxies.values():
            for _ in range(3):
                assert gateway.chat("gpt", "x").status == 200
        time.sleep(3)
        yield {name: int(asked(server, "dbsize")) for name, server in servers.items()}
    finally:
        for server in running:
            server.kill()
            server.wait(timeout=30)


def asked(server: Sequence[str], question: str) -> str:
    command = ["redis-cli", *server, question]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.strip()


def test_only_a_named_redis_is_taken_up(kept: dict[str, int]):
    assert kept["local"] > 0
    assert kept["elsewhere"] > 0
    assert kept["variables"] == 0
