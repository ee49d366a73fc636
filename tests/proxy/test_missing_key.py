"""A missing key file, with the real LiteLLM behind start.py: who is asked, and what is answered."""

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway import MISSING_KEY, Gateway, gateway
from vendors import OpenAI

pytestmark = pytest.mark.slow

MODULE = Path(__file__).parents[2] / "modules/litellm-proxy"
MASTER_KEY = f"sk-{secrets.token_hex(24)}"

CONFIG = """
include: [more.yaml]
credential_list:
- credential_name: lost
  credential_values: {{api_key: os.environ/LOST_KEY}}
  credential_info: {{}}
model_list:
- model_name: here
  litellm_params: {{model: openai/one, api_key: os.environ/HERE_KEY, api_base: {url}}}
- model_name: lost
  litellm_params: {{model: openai/two, api_key: os.environ/LOST_KEY, api_base: {url}}}
- model_name: lost
  litellm_params: {{model: openai/more, api_key: os.environ/OTHER_KEY, api_base: {url}}}
- model_name: either
  litellm_params: {{model: openai/three, api_key: os.environ/LOST_KEY, api_base: {url}}}
- model_name: either
  litellm_params: {{model: openai/four, api_key: os.environ/HERE_KEY, api_base: {url}}}
- model_name: falls
  litellm_params: {{model: openai/five, api_key: os.environ/LOST_KEY, api_base: {url}}}
- model_name: by-credential
  litellm_params: {{model: openai/six, litellm_credential_name: lost, api_base: {url}}}
- model_name: any/*
  litellm_params: {{model: openai/*, api_key: os.environ/LOST_KEY, api_base: {url}}}
litellm_settings: {{num_retries: 3}}
router_settings: {{fallbacks: [{{falls: [here]}}], allowed_fails: 1}}
"""
INCLUDED = """
model_list:
- {{model_name: included, litellm_params: {{model: openai/x, api_key: x, api_base: {url}}}}}
"""


@pytest.fixture(scope="module")
def vendor() -> Iterator[OpenAI]:
    with OpenAI(f"sk-proj-{secrets.token_hex(24)}") as one:
        yield one


@pytest.fixture(scope="module")
def proxy(start, vendor: OpenAI, tmp_path_factory) -> Iterator[Gateway]:  # noqa: ARG001 (skips)
    folder = tmp_path_factory.mktemp("app")
    config, keys = folder / "config.yaml", folder / "environment"
    config.write_text(CONFIG.format(url=f"{vendor.url}/v1"))
    (folder / "more.yaml").write_text(INCLUDED.format(url=f"{vendor.url}/v1"))
    keys.write_text(f"HERE_KEY={vendor.key}\nLOST_KEY={MISSING_KEY}\nOTHER_KEY={MISSING_KEY}\n")
    litellm = Path(sys.executable).with_name("litellm")
    program = [sys.executable, "-I", str(MODULE / "start.py"), str(keys), str(litellm)]
    environment = {"CONFIG_FILE_PATH": str(config), "TMPDIR": str(folder)}
    with gateway(config, environment, MASTER_KEY, folder / "log", program) as running:
        yield running


@pytest.mark.parametrize("model", ["lost", "by-credential", "any/thing"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_the_answer_names_the_key_each_time_and_no_vendor_is_asked(
    proxy: Gateway, vendor: OpenAI, model: str, stream: bool
) -> None:
    vendor.forget()
    for _ in range(4):  # as often as would put a failing deployment aside
        answer = proxy.chat(model, "Hello?", stream=stream)
        assert answer.status == 403
        said = answer.json()["error"]["message"]
        assert "the gateway has no key for this model: LOST_KEY is missing" in said
    assert vendor.seen == []


def test_other_models_answer(proxy: Gateway, vendor: OpenAI) -> None:
    vendor.forget()
    assert proxy.chat("here", "Hello?").status == 200
    assert {vendor.key_in(seen) for seen in vendor.seen} == {vendor.key}


def test_a_model_with_another_deployment_goes_on_with_that(proxy: Gateway, vendor: OpenAI) -> None:
    vendor.forget()
    assert [proxy.chat("either", "Hello?").status for _ in range(6)] == [200] * 6
    assert {vendor.key_in(seen) for seen in vendor.seen} == {vendor.key}


def test_a_fallback_answers(proxy: Gateway) -> None:
    assert proxy.chat("falls", "Hello?").status == 200


def test_every_other_kind_of_request_is_refused_alike(proxy: Gateway) -> None:
    body = {"model": "lost", "input": "x", "max_tokens": 5, "prompt": "x"}
    for path in ("/embeddings", "/v1/messages", "/responses", "/images/generations"):
        messages = {"messages": [{"role": "user", "content": "x"}]}
        answer = proxy.request("POST", path, body | messages)
        assert "LOST_KEY is missing" in answer.body.decode(), path
        assert answer.status == 403


def test_the_models_are_listed_still(proxy: Gateway) -> None:
    listed = {each["id"] for each in proxy.request("GET", "/v1/models").json()["data"]}
    assert listed >= {"here", "lost", "either", "falls", "included"}
