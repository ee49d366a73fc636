"""`metrics: true` of nixcfg.yaml, in the real LiteLLM with several workers."""

import re
import secrets
from pathlib import Path
from typing import Any

import pytest
from gateway import Gateway
from vendors import OpenAI

pytestmark = pytest.mark.slow

PROJECT = "metrics: true\nredis: {host: redis.example.org}\n"
PROVIDER = """\
model_list:
  - model_name: gpt
    litellm_params:
      model: openai/gpt-4o

environment_variables:
  OPENAI_API_KEY: ${OPENAI_API_KEY}

litellm_settings:
  callbacks: [dynamic_rate_limiter_v3]
"""
REQUESTS = 12


@pytest.fixture(scope="module")
def proxies(start: Any, render: Any, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("metrics")
    started = {}
    with OpenAI("sk-proj-" + secrets.token_hex(24)) as vendor:
        environment = {"OPENAI_API_KEY": vendor.key, "OPENAI_BASE_URL": f"{vendor.url}/v1"}
        # Nothing answers there, and LiteLLM counts without it.
        environment |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1"}
        for name, text in (("with", PROJECT), ("without", "model_config: all\n")):
            project = folder / name
            (project / "providers").mkdir(parents=True)
            (project / "nixcfg.yaml").write_text(text)
            (project / "providers" / "openai.yaml").write_text(PROVIDER)
            started[name] = (render(project) / "all.yaml", {**environment, "NUM_WORKERS": "2"})
            (folder / f"{name}-tmp").mkdir()
            started[name][1]["TMPDIR"] = str(folder / f"{name}-tmp")
        with start(started, "sk-" + secrets.token_hex(16), folder) as running:
            yield running


def requests_in(metrics: str) -> float:
    pattern = r"^litellm_proxy_total_requests_metric_total\{.*\} (\S+)$"
    return sum(map(float, re.findall(pattern, metrics, re.MULTILINE)))


def test_any_worker_tells_what_all_have_done(proxies: dict[str, Gateway]):
    gateway = proxies["with"]
    for _ in range(REQUESTS):
        assert gateway.chat("gpt", "hello").status == 200
    told = {requests_in(gateway.request("GET", "/metrics/").body.decode()) for _ in range(8)}
    assert told == {REQUESTS}
    assert len(list(multiprocess(gateway).glob("counter_*.db"))) == 2


def test_without_it_there_are_no_metrics(proxies: dict[str, Gateway]):
    gateway = proxies["without"]
    assert gateway.request("GET", "/metrics/").status == 404
    assert not multiprocess(gateway).exists()


def multiprocess(gateway: Gateway) -> Path:
    """Where the workers of a proxy put down what they have counted; LiteLLM makes the folder."""
    return gateway.log.parent / f"{gateway.log.stem}-tmp" / "litellm_prometheus_multiproc"
