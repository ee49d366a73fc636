"""Durations, sizes and counts: what docker and podman would refuse, or misread."""

from typing import Any

import pytest

BASE = """
  services.litellm-proxy = {
    enable = true; modelConfig = "a"; configs.a.file = ./a.yaml; backend = "docker"; };
"""

SOUND = {
    "durations": """services.litellm-proxy.health = {
      interval = "1m30s"; startPeriod = "0s"; timeout = "1500ms"; };""",
    "memory": 'services.litellm-proxy.resources.memory = "350m";',
    "memory-in-kilobytes": 'services.litellm-proxy.resources.memory = "358400k";',
    "many-workers": "services.litellm-proxy = { workers = 8; redis.createLocally = true; };",
    "image-with-a-database": """services.litellm-proxy = {
      image = "registry.example/gateway:v1.90.6"; database.createLocally = true; };""",
    "old-image": 'services.litellm-proxy.image = "registry.example/gateway:v1.90.5";',
    "metrics-key": """services.prometheus.enable = true;
      services.litellm-proxy = { database.createLocally = true;
        metrics = { enable = true; keyFile = "/keys/metrics"; }; };""",
    "cpus": 'services.litellm-proxy.resources.cpus = "0.5";',
}

# name: (what is added to BASE, what the message says, the fix)
REFUSED = {
    **{
        f"{option}-{number}": (
            f'services.litellm-proxy.health.{option} = "{value}";',
            f'services.litellm-proxy.health.{option} = "{value}"',
            'such as "30s"',
        )
        for option in ("interval", "startPeriod", "timeout")
        for number, value in enumerate(["", "30", "s", "30 s", "1d", "-5s", "5s5"])
    },
    "no-interval": ('services.litellm-proxy.health.interval = "0s";', "less than one second", "s"),
    "no-timeout": ('services.litellm-proxy.health.timeout = "10ms";', "less than one second", "s"),
    "no-memory": (
        'services.litellm-proxy.resources.memory = "349m";',
        'services.litellm-proxy.resources.memory = "349m" is too little',
        '"350m" or more',
    ),
    "memory-for-workers": (
        """services.litellm-proxy = {
          workers = 4; redis.createLocally = true; resources.memory = "1g"; };""",
        "too little for services.litellm-proxy.workers = 4",
        '"1400m" or more',
    ),
    "old-image-with-a-database": (
        """services.litellm-proxy = {
          image = "ghcr.io/berriai/litellm:v1.90.5"; database.createLocally = true; };""",
        "releases before 1.90.6 start without making its tables",
        "Use a newer release",
    ),
    "metrics-key-without-a-database": (
        """services.litellm-proxy.metrics = { enable = true; keyFile = "/keys/metrics"; };""",
        "services.litellm-proxy.metrics.keyFile without a database",
        "Set services.litellm-proxy.database.createLocally",
    ),
    "metrics-key-in-the-store": (
        """services.litellm-proxy = { database.createLocally = true;
          metrics.keyFile = ./a.yaml; };""",
        "services.litellm-proxy.metrics.keyFile is a path literal",
        "as a string in quotes",
    ),
    "no-cpu": ('services.litellm-proxy.resources.cpus = "0.0";', "no limit at all", '"1.5"'),
}

# name: what is added to BASE, of a type that the option has not
MISTYPED = {
    "instances": "services.litellm-proxy.instances = 101;",
    "no-instance": "services.litellm-proxy.instances = 0;",
    "workers": "services.litellm-proxy.workers = 101;",
    "drain": "services.litellm-proxy.drainSeconds = 100000;",
    "host-port": "services.litellm-proxy.hostPorts = [ 0 ];",
}

Case = dict[str, Any]


def cases(folder, snippets: dict[str, str]) -> str:
    (folder / "a.yaml").write_text("model_list: []\n")
    (folder / "cases.nix").write_text(
        "let base = { lib, ... }: {"
        + BASE
        + "}; in {\n"
        + "\n".join(
            f'"{name}" = {{ lib, ... }}: {{ imports = [ base {{ {text} }} ]; }};'
            for name, text in snippets.items()
        )
        + "\n}\n"
    )
    return str(folder / "cases.nix")


@pytest.fixture(scope="module")
def evaluated(nix, tree, tmp_path_factory) -> dict[str, Case]:
    """Every case of this file that evaluates."""
    snippets = {**SOUND, **{name: text for name, (text, _, _) in REFUSED.items()}}
    file = cases(tmp_path_factory.mktemp("values"), snippets)
    return nix("cases.nix", cases=file, **tree)


@pytest.mark.parametrize("name", SOUND)
def test_sound(evaluated, name):
    assert evaluated[name]["assertions"] == []
    assert evaluated[name]["warnings"] == []


@pytest.mark.parametrize("name", REFUSED)
def test_refused(evaluated, name):
    _, said, fix = REFUSED[name]
    (refusal,) = evaluated[name]["assertions"]
    assert said in refusal
    assert fix in refusal


@pytest.mark.parametrize("name", MISTYPED)
def test_out_of_bounds(nix, tmp_path, name):
    with pytest.raises(AssertionError, match="is not of type"):
        nix("cases.nix", cases=cases(tmp_path, {name: MISTYPED[name]}))


def test_the_health_check_waits_as_long_as_it_may(evaluated):
    """The check had a limit of its own, so that a longer health.timeout changed nothing."""
    for name, seconds in (("memory", 10), ("durations", 2)):
        (command,) = (
            option
            for option in evaluated[name]["container"]["extraOptions"]
            if option.startswith("--health-cmd=")
        )
        assert f"timeout={seconds})" in command


def test_more_workers_have_more_memory(evaluated):
    assert "--memory=4096m" in evaluated["many-workers"]["container"]["extraOptions"]


def test_prometheus_asks_with_the_narrower_key(evaluated):
    case = evaluated["metrics-key"]
    (loaded,) = case["prometheus"]["service"]["load"]
    assert loaded.endswith(":/keys/metrics")
    assert "/keys/metrics" in case["watched"]
    assert "/keys/metrics" in case["rotate"]
    assert "/keys/metrics" not in case["secrets"]["script"]
