"""A Redis that starts after LiteLLM: taken up where the configuration names it, nowhere else."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway import Gateway
from vendors import OpenAI

MASTER_KEY = "sk-late-redis-0123456789abcdef"

FROM_VARIABLES = """\
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
"""
NAMED = f"""\
{FROM_VARIABLES}
general_settings:
  coordination_redis: {{url: os.environ/REDIS_URL}}
"""


@pytest.fixture
def proxies(start, tmp_path) -> Iterator[dict[str, Gateway]]:
    """Both started while there is no Redis at the other end of their REDIS_URL."""
    if shutil.which("redis-server") is None or shutil.which("redis-cli") is None:
        pytest.skip("redis-server is not installed")
    with OpenAI("sk-openai-0123456789") as vendor:
        starts = {}
        for name, config in {"variables": FROM_VARIABLES, "named": NAMED}.items():
            (tmp_path / f"{name}.yaml").write_text(config)
            variables = {
                "OPENAI_API_KEY": vendor.key,
                "REDIS_URL": f"unix://{tmp_path}/{name}.sock",
                **vendor.environment,
            }
            starts[name] = (tmp_path / f"{name}.yaml", variables)
        with start(starts, MASTER_KEY, tmp_path) as running:
            yield running


@pytest.fixture
def kept(proxies, tmp_path) -> Iterator[dict[str, int]]:
    """How much each proxy has in its Redis, which was started meanwhile, after some requests."""
    servers = []
    try:
        for name in proxies:
            options = ["--port", "0", "--unixsocket", f"{tmp_path}/{name}.sock"]
            options += ["--save", "", "--dir", str(tmp_path)]
            servers.append(subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL))
        deadline = time.monotonic() + 30
        while not all((tmp_path / f"{name}.sock").exists() for name in proxies):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for gateway in proxies.values():
            for _ in range(3):
                assert gateway.chat("gpt", "x").status == 200
        time.sleep(3)
        yield {name: size(tmp_path / f"{name}.sock") for name in proxies}
    finally:
        for server in servers:
            server.kill()
            server.wait(timeout=30)


def size(socket: Path) -> int:
    done = subprocess.run(
        ["redis-cli", "-s", str(socket), "dbsize"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return int(done.stdout)


def test_only_a_named_redis_is_taken_up(kept):
    assert kept["named"] > 0
    assert kept["variables"] == 0
