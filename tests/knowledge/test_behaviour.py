"""Facts that no reading of LiteLLM shows, each seen on the real router and the real loader."""

from collections.abc import Callable
from typing import Any

import pytest

from nixcfg import knowledge

pytestmark = pytest.mark.slow

# Loads each configuration as the proxy does at its start, then asks a vendor that answers 500 to
# everything six times and counts what reaches it.
PROGRAM = """
import asyncio, logging, tempfile, threading, warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

warnings.simplefilter("ignore")
import yaml
import litellm
from litellm.proxy import proxy_server


logging.disable(logging.CRITICAL)
hits = []

class Vendor(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        hits.append({"key": self.headers["authorization"], "body": body.decode()})
        self.send_response(500)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}/v1"

async def load(config, times):
    defaults = {n: getattr(litellm, n) for n in ("allowed_fails", "drop_params", "num_retries")}
    hits.clear()
    result = {"error": "", "hits": 0}
    try:
        for entry in config.get("model_list", ()):
            entry["litellm_params"].setdefault("api_base", base)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(config, file)
            file.flush()
            router, _, general = await proxy_server.ProxyConfig().load_config(None, file.name)
        result["strategy"] = str(getattr(router.routing_strategy, "value", router.routing_strategy))
        result["drop_params"] = litellm.drop_params
        result["deployments"] = len(router.get_model_list() or ())
        messages = [{"role": "user", "content": "hello"}]
        for _ in range(times):
            try:
                await router.acompletion(model="m", messages=messages, num_retries=0)
            except Exception as problem:
                result["last"] = type(problem).__name__
            await asyncio.sleep(0.2)
        result["hits"] = len(hits)
        result["first"] = hits[0] if hits else None
    except Exception as problem:
        result["error"] = f"{type(problem).__name__}: {problem}"
    for name, value in defaults.items():
        setattr(litellm, name, value)
    return result

async def main():
    return {name: await load(config, times) for name, (config, times) in question.items()}

answer = asyncio.run(main())
"""


def config(section: str = "", settings: Any = None, **params: Any) -> dict[str, Any]:
    model = {"model": "openai/probe", "api_key": "sk-own", "max_retries": 0, **params}
    found: dict[str, Any] = {"model_list": [{"model_name": "m", "litellm_params": model}]}
    if section:
        found[section] = settings
    return found


def pair(section: str) -> dict[str, Any]:
    """Two deployments of one model, whose threshold stands in this section."""
    found = config(section, {"allowed_fails": 1}, api_key="sk-one")
    found["model_list"] += config(api_key="sk-two")["model_list"]
    return found


@pytest.fixture(scope="module")
def seen(ask_litellm: Callable[[str, Any], Any]) -> dict[str, Any]:
    cases = {
        "plain": (config(), 6),
        "fails, litellm": (pair("litellm_settings"), 8),
        "fails, router": (pair("router_settings"), 8),
        "fails, alone": (config("router_settings", {"allowed_fails": 1}), 6),
        "strategy, litellm": (config("litellm_settings", {"routing_strategy": "nonsense"}), 0),
        "strategy, router": (config("router_settings", {"routing_strategy": "least-busy"}), 0),
        "nonsense, router": (config("router_settings", {"routing_strategy": "nonsense"}), 0),
        "drop, litellm": (config("litellm_settings", {"drop_params": True}), 0),
        "drop, router": (config("router_settings", {"drop_params": True}), 0),
        "drop, general": (config("general_settings", {"drop_params": True}), 0),
        "unknown param": (config(aip_key="sk-LEAK"), 1),
        "known param": (config(rpm=5), 1),
        "quoted number": (config(rpm="5"), 1),
        "wrong type": (config(rpm="five"), 1),
        "unknown provider": (config(model="nosuch/probe"), 1),
        "interval, router": (config("router_settings", {"health_check_interval": 5}), 0),
        "callback without a dot": (config("litellm_settings", {"callbacks": ["s3"]}), 0),
    }
    found: dict[str, Any] = ask_litellm(PROGRAM, cases)
    return found


def test_allowed_fails_works_under_router_settings_only(seen: dict[str, Any]):
    assert seen["plain"]["hits"] == 6
    assert seen["fails, litellm"]["hits"] == 8
    assert seen["fails, router"]["hits"] == 4
    cools = knowledge.default().behaviour["allowed_fails_alone"]
    assert seen["fails, alone"]["hits"] == (2 if cools else 6)
    assert not knowledge.honoured("litellm_settings", "allowed_fails")
    assert knowledge.honoured("router_settings", "allowed_fails")


def test_routing_strategy_works_under_router_settings_only(seen: dict[str, Any]):
    assert seen["strategy, litellm"]["strategy"] == "simple-shuffle"
    assert seen["strategy, router"]["strategy"] == "least-busy"
    assert not knowledge.honoured("litellm_settings", "routing_strategy")


def test_router_names_the_strategies_it_takes(seen: dict[str, Any]):
    for name in knowledge.keys("router_settings")["routing_strategy"].values:
        assert name in seen["nonsense, router"]["error"]


def test_drop_params_works_under_litellm_settings_only(seen: dict[str, Any]):
    assert seen["drop, litellm"]["drop_params"] is True
    assert seen["drop, router"]["drop_params"] is False
    assert seen["drop, general"]["drop_params"] is False
    assert knowledge.homes("drop_params")[0] == "litellm_settings"


def test_unknown_params_leave_the_machine(seen: dict[str, Any]):
    assert "sk-LEAK" in seen["unknown param"]["first"]["body"]
    assert knowledge.sections()["litellm_params"].unknown == "sent"
    assert "rpm" not in seen["known param"]["first"]["body"]


def test_params_are_coerced_or_the_deployment_is_dropped(seen: dict[str, Any]):
    assert seen["quoted number"]["deployments"] == 1
    assert seen["wrong type"]["deployments"] == 0
    assert seen["unknown provider"]["deployments"] == 0
    assert knowledge.sections()["litellm_params"].coerced


def test_router_refuses_what_belongs_in_general_settings(seen: dict[str, Any]):
    assert "general_settings" in seen["interval, router"]["error"]
    assert knowledge.homes("health_check_interval") == ("general_settings",)


def test_callbacks_knows_fewer_names_than_success_callback(seen: dict[str, Any]):
    assert seen["callback without a dot"]["error"]
    assert "s3" not in knowledge.callbacks("callbacks")
