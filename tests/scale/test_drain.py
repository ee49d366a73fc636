"""What becomes of an answer that has begun when the container stops.

The module gives LiteLLM `drainSeconds` less five (modules/litellm-proxy/image.nix,
tests/nix/test_instances.py), so a stream of ten seconds less than `drainSeconds` ends by itself.
"""

import http.client
import json
import os
import secrets
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from gateway import Gateway, gateway
from load import Outcome, ask
from patient import PatientOpenAI

DRAIN_SECONDS = 45
#: More than the 30 seconds that LiteLLM gives by itself.
STREAM_SECONDS = DRAIN_SECONDS - 10
MASTER_KEY = f"sk-{secrets.token_hex(24)}"
MODULE = {
    "GRACEFUL_SHUTDOWN_TIMEOUT": str(DRAIN_SECONDS - 5),
    "TIMEOUT_WORKER_HEALTHCHECK": "60",
}
#: It leaves its process number behind, and is LiteLLM from then on.
START = 'echo $$ > "$HOME/pid"; exec "$0" -c "from litellm import run_server; run_server()" "$@"'


STARTS: dict[str, dict[str, str]] = {
    "LiteLLM alone": {},
    "one worker": MODULE,
    "two workers": MODULE | {"NUM_WORKERS": "2"},
}


def stream(proxy: Gateway) -> Outcome:
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=120)) as connection:
        return ask(connection, MASTER_KEY, "m", is_stream=True)


def stopped(environment: dict[str, str], folder: Path) -> Outcome:
    """What becomes of a stream during which LiteLLM is stopped as the engine does it."""
    folder.mkdir()
    with PatientOpenAI(f"sk-proj-{secrets.token_hex(24)}", STREAM_SECONDS) as vendor:
        params = {"model": "openai/m", "api_base": f"{vendor.url}/v1", "api_key": vendor.key}
        entry = {"model_name": "m", "litellm_params": params}
        config = folder / "config.yaml"
        config.write_text(json.dumps({"model_list": [entry]}))
        program = ("/bin/sh", "-c", START, sys.executable)
        with (
            gateway(config, environment, MASTER_KEY, folder / "log", program) as proxy,
            ThreadPoolExecutor(1) as pool,
        ):
            outcome = pool.submit(stream, proxy)
            while not vendor.seen and not outcome.done():
                time.sleep(0.05)
            time.sleep(1)  # its first piece has gone through
            os.kill(int((folder / "log-home" / "pid").read_text()), signal.SIGINT)
            return outcome.result()


@pytest.fixture(scope="module")
def outcomes(litellm: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("drain")
    with ThreadPoolExecutor(len(STARTS)) as pool:
        running = {name: pool.submit(stopped, STARTS[name], folder / name) for name in STARTS}
        return {name: each.result() for name, each in running.items()}


@pytest.mark.parametrize("name", STARTS)
def test_a_stream_that_has_begun_when_the_container_stops(name: str, outcomes: dict[str, Outcome]):
    ended = outcomes[name]
    assert ended.began
    assert (ended.fault == "") is (name != "LiteLLM alone"), ended
