"""Alerts and dashboard, against the metrics of the real LiteLLM, read by a real Prometheus."""

import contextlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml
from gateway import Gateway, free_port
from vendors import OpenAI

MODULE = Path(__file__).parents[2] / "modules" / "litellm-proxy"
ALERTS = yaml.safe_load((MODULE / "alerts.yaml").read_text())
DASHBOARD = json.loads((MODULE / "dashboard.json").read_text())
MASTER_KEY = "sk-metrics-0123456789abcdef0123"

RULES = {rule["alert"]: rule for group in ALERTS["groups"] for rule in group["rules"]}
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
QUERIES = {f"alert {name}": rule["expr"] for name, rule in RULES.items()} | {
    f"panel {title} {target['refId']}": target["expr"]
    for title, panel in PANELS.items()
    for target in panel["targets"]
}

CONFIG = """\
model_list:
  - model_name: good
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
  # LiteLLM never cools a deployment down that is alone, from 1.107 on.
  - &bad
    model_name: bad
    litellm_params: {model: openai/gpt-4o-mini, api_key: wrong}
  - {<<: *bad, model_info: {id: bad-2}}
  - &flaky
    model_name: flaky
    litellm_params: {model: openai/gpt-4.1, api_key: os.environ/OPENAI_API_KEY, cooldown_time: 1}
  - {<<: *flaky, model_info: {id: flaky-2}}
litellm_settings:
  callbacks: [prometheus]
  service_callback: [prometheus_system]
  num_retries: 0
  fallbacks: [{lost: [good]}]
router_settings: {allowed_fails: 1, cooldown_time: 60}
"""

# Panels and alerts that have something to show after what `traffic` does.
SHOWN = {
    "panel Instances A",
    "panel Requests being answered A",
    "panel Requests A",
    "panel Failed A",
    "panel Spend A",
    "panel Requests by model A",
    "panel Failures by model and reason A",
    "panel Requests being answered by instance A",
    "panel Duration of requests A",
    "panel What LiteLLM itself adds A",
    "panel Tokens A",
    "panel Tokens B",
    "panel Spend by model A",
    "panel Cooldowns by model A",
    "panel Memory by instance A",
    "alert LiteLLMModelFails",
    "alert LiteLLMModelUnavailable",
}


@dataclass(frozen=True)
class Prometheus:
    port: int

    def ask(self, path: str, **parameters: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urlencode(parameters)}"
        with urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, query: str) -> list[dict[str, Any]]:
        """The result of an instant query; urlopen raises where Prometheus does not understand."""
        result: list[dict[str, Any]] = self.ask("query", query=query)["result"]
        return result


def as_prometheus(query: str) -> str:
    """A query of the dashboard with Grafana's variables filled in."""
    return query.replace("$__rate_interval", "1m").replace("$instance", ".*")


@pytest.fixture(scope="module")
def redis(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The variable that names a Redis; none where there is no redis-server."""
    program = shutil.which("redis-server")
    if program is None:
        yield {}
        return
    folder = tmp_path_factory.mktemp("redis")
    options = ["--port", "0", "--unixsocket", f"{folder}/socket", "--save", "", "--dir", folder]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        until((folder / "socket").exists)
        yield {"REDIS_URL": f"unix://{folder}/socket"}
    finally:
        process.kill()
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def vendor() -> Iterator[OpenAI]:
    with OpenAI("sk-openai-0123456789") as vendor:
        yield vendor


@pytest.fixture(scope="module")
def proxy(start, vendor, redis, tmp_path_factory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "config.yaml").write_text(CONFIG)
    environment = {"OPENAI_API_KEY": vendor.key, **vendor.environment, **redis}
    starts = {"metrics": (folder / "config.yaml", environment)}
    with start(starts, MASTER_KEY, folder) as running:
        yield running["metrics"]


def traffic(proxy: Gateway) -> None:
    for _ in range(4):
        assert proxy.chat("good", "x").status == 200
        assert proxy.chat("bad", "x").status >= 400


@contextlib.contextmanager
def watching(folder: Path, proxy: Gateway, key: str) -> Iterator[Prometheus]:
    """Prometheus with the alerts, and with the scrape configuration that tests/nix looks at."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed")
    (folder / "key").write_text(key + "\n")
    job = {
        "job_name": "litellm-proxy",
        "metrics_path": "/metrics/",
        "scrape_interval": "1s",
        "static_configs": [{"targets": [f"127.0.0.1:{proxy.port}"]}],
        "authorization": {"credentials_file": str(folder / "key")},
    }
    config = {
        "global": {"evaluation_interval": "1s"},
        "rule_files": [str(MODULE / "alerts.yaml")],
        "scrape_configs": [job],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield Prometheus(port)
    finally:
        process.kill()
        process.wait(timeout=30)


def until(reached: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            found = reached()
            if found:
                return found
        time.sleep(0.3)
    raise AssertionError(f"not within {seconds} seconds")


@pytest.fixture(scope="module")
def prometheus(proxy, tmp_path_factory) -> Iterator[Prometheus]:
    with watching(tmp_path_factory.mktemp("prometheus"), proxy, MASTER_KEY) as running:
        up = 'up{job="litellm-proxy"} == 1'
        until(lambda: running.query(up))
        # Twice, because Prometheus sees a rise between two values only.
        for _ in range(2):
            traffic(proxy)
            time.sleep(3)
        yield running


@pytest.fixture(scope="module")
def metrics(proxy) -> tuple[set[str], set[str]]:
    """The names that LiteLLM declares, and the labels that it has for them."""
    labels = pytest.importorskip("litellm.types.integrations.prometheus").PrometheusMetricLabels
    traffic(proxy)
    text = proxy.request("GET", "/metrics/").body.decode()
    flags = re.MULTILINE
    names = set(re.findall(r"^# TYPE (\S+)", text, flags))
    names |= {f"{name}_bucket" for name in re.findall(r"^# TYPE (\S+) histogram", text, flags)}
    used = set(re.findall(r'[{,](\w+)="', text))
    declared = {
        label
        for name in dir(labels)
        if name.startswith("litellm_")
        for label in getattr(labels, name)
    }
    return names, used | declared | {"job", "instance", "le"}


@pytest.mark.parametrize("name", QUERIES)
def test_metrics_are_those_of_litellm(metrics, redis, name):
    names, labels = metrics
    if "Redis" in name and not redis:
        pytest.skip("redis-server is not installed")
    query = QUERIES[name]
    asked = set(
        re.findall(r"\b(?:litellm|process)_\w+", re.sub(r'"[^"]*"|by \([^)]*\)', "", query))
    )
    asked -= labels
    assert asked <= names
    assert asked or "up{" in query
    grouped = {label for by in re.findall(r"by \(([^)]*)\)", query) for label in by.split(", ")}
    matched = set(re.findall(r"[{ ,](\w+)(?:=~|!~|=|!=)\"", query))
    assert grouped | matched <= labels


@pytest.mark.parametrize("name", RULES)
def test_alert_names_labels_that_its_query_keeps(name):
    rule = RULES[name]
    told = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
    grouped = {
        label for by in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in by.split(", ")
    }
    assert told <= (grouped or {"instance", "job"})


@pytest.mark.parametrize("name", QUERIES)
def test_prometheus_understands(prometheus, name):
    found = prometheus.query(as_prometheus(QUERIES[name]))
    if name in SHOWN:
        assert found


def test_prometheus_has_the_alerts_and_raises_what_is_wrong(prometheus):
    def raised() -> set[str]:
        return {alert["labels"]["alertname"] for alert in prometheus.ask("alerts")["alerts"]}

    rules = prometheus.ask("rules")["groups"]
    assert {rule["name"] for group in rules for rule in group["rules"]} == set(RULES)
    assert {rule["health"] for group in rules for rule in group["rules"]} == {"ok"}
    assert until(lambda: {"LiteLLMModelFails", "LiteLLMModelUnavailable"} <= raised())
    assert raised() <= {"LiteLLMModelFails", "LiteLLMModelUnavailable", "LiteLLMSlow"}


def test_what_prometheus_answers_says_how_much_is_needed(prometheus, nixcfg, tmp_path):
    page = (MODULE.parents[1] / "docs" / "scale.md").read_text()
    (query,) = re.findall(r"'query=(.+)'", page)
    soon = query.replace("[5m]", "[30s]").replace("[7d:5m]", "[2m:1s]")
    assert soon != query
    url = f"http://127.0.0.1:{prometheus.port}/api/v1/query?{urlencode({'query': soon})}"
    with urlopen(url, timeout=10) as answer:
        said = answer.read().decode()
    assert nixcfg("-C", tmp_path, "init", ".").returncode == 0
    done = nixcfg("-C", tmp_path, "size", "--requests", "-", "--json", input=said)
    assert done.returncode == 0, done.stderr
    assert 0 < json.loads(done.stdout)["requests_per_second"] < 20


def test_gateway_with_another_key_is_down_for_prometheus(proxy, tmp_path):
    with watching(tmp_path, proxy, "sk-the-former-key") as running:
        until(lambda: running.query('up{job="litellm-proxy"} == 0'))
        (target,) = running.ask("targets", state="active")["activeTargets"]
        assert "401" in target["lastError"]
        until(lambda: "LiteLLMDown" in json.dumps(running.ask("alerts")))


def test_metrics_need_the_key_and_have_no_redirection(proxy):
    assert proxy.request("GET", "/metrics/").status == 200
    assert proxy.request("GET", "/metrics/", authorized=False).status == 401
    assert proxy.request("GET", "/metrics").status == 307


def test_state_of_a_deployment_is_never_taken_back(proxy, vendor):
    """Why no alert and no panel asks for litellm_deployment_state."""

    def states(of: str) -> set[float]:
        text = proxy.request("GET", "/metrics/").body.decode()
        found = re.findall(
            r'^litellm_deployment_state\{.*model_name="([^"]+)".* (\S+)$', text, re.MULTILINE
        )
        return {float(value) for name, value in found if name == of}

    vendor.behave_as(*[vendor.refusal(500)] * 9)
    while proxy.chat("flaky", "x").status == 500:
        pass
    vendor.forget()
    assert until(lambda: states("flaky") == {2})
    until(lambda: proxy.chat("flaky", "x").status == 200)
    until(lambda: 0 in states("gpt-4.1"))
    assert states("flaky") == {2}


def test_page_has_the_alerts():
    page = (MODULE.parents[1] / "docs" / "scale.md").read_text()
    assert re.findall(r"^\| `(LiteLLM\w+)` \|", page, re.MULTILINE) == list(RULES)


def test_promtool_accepts_the_alerts():
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run(
        ["promtool", "check", "rules", str(MODULE / "alerts.yaml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboard_is_one_that_grafana_finds_its_way_in():
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    places = [tuple(panel["gridPos"].values()) for panel in DASHBOARD["panels"]]
    for x, y, w, h in places:
        assert x + w <= 24
        others = [place for place in places if place != (x, y, w, h)]
        assert not [
            other
            for other in others
            if x < other[0] + other[2]
            and other[0] < x + w
            and y < other[1] + other[3]
            and other[1] < y + h
        ]
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD["panels"]))) - {"__rate_interval"}
    assert used == variables
