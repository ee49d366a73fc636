"""The container and its unit: ports, environment, limits, health, and which engine runs it."""

import shutil
from pathlib import Path

import pytest
from evaluation import BACKEND, DATABASE_URL, Case, evaluate

# name: what is added to BASE
SOUND = {
    **BACKEND,
    "machine": "",
    "machine-with-docker": 'virtualisation.oci-containers.backend = "docker";',
    "machine-with-a-default": 'virtualisation.oci-containers.backend = lib.mkDefault "docker";',
    "old-machine": 'system.stateVersion = lib.mkForce "21.11";',
    "others": """virtualisation.oci-containers.containers.web.image = "web:1.0.0";""",
    "others-with-what-they-had": """services.litellm-proxy.backend = lib.mkDefault "podman";
      virtualisation.oci-containers.containers.web.image = "web:1.0.0";""",
    "others-moved-on-purpose": """services.litellm-proxy.backend = lib.mkDefault "docker";
      virtualisation.oci-containers = {
        backend = "docker"; containers.web.image = "web:1.0.0"; };""",
    "loaded": "services.litellm-proxy.imageFile = pkgs.docker;",
    "ipv6": 'services.litellm-proxy = { listenAddress = "::1"; backend = "docker"; };',
    "network": """services.litellm-proxy = {
      listenAddress = "0.0.0.0"; port = 8000; openFirewall = true; };""",
    "tuned": """services.litellm-proxy = {
      environment = { NO_DOCS = "False"; LITELLM_LOG = "ERROR"; };
      health = { interval = "7s"; timeout = "5s"; startPeriod = "9m"; retries = 4; };
      resources = { memory = "3g"; cpus = "1.5"; pids = 99; tmpSize = "64m"; };
      extraOptions = [ "--network=backend" ]; };""",
    "database": DATABASE_URL,
    "local-services": """services = {
        postgresql.enable = true;
        redis.servers = { "".enable = true; cache.enable = true; other.enable = false; };
      };""",
    "beside": """
      imports = [ @MODULE@ ];
      virtualisation.oci-containers.containers.other = {
        image = "other:1.0.0"; ports = [ "127.0.0.1:4001:4000" ]; };""",
    "dummy-keys": """services.litellm-proxy.environment = {
      LM_STUDIO_API_KEY = "none"; VLLM_API_KEY = "EMPTY"; MAX_TOKENS = "4096";
      TOKEN_PATH = "/run/token"; TOKENIZERS_PARALLELISM = "false"; };""",
    "address-overlap": """
      services.litellm-proxy.listenAddress = "127.0.0.1";
      virtualisation.oci-containers.containers.other = {
        image = "other:1.0.0";
        ports = [ "192.168.1.1:4000:4000" "5000-5010:5000-5010" "53:53/udp" ]; };""",
    "disabled": "services.litellm-proxy.enable = lib.mkForce false;",
}


@pytest.fixture(scope="module")
def evaluated(nix, tree, tmp_path_factory) -> dict[str, Case]:
    """Every case of this file, evaluated."""
    folder = tmp_path_factory.mktemp("container")
    # A second copy at another path stands for rendered/ beside the flake's module.
    module = Path(__file__).parents[2] / "modules" / "litellm-proxy"
    copy = folder / "copy" / "litellm-proxy"
    shutil.copytree(module, copy)
    cases = {name: [text.replace("@MODULE@", str(copy))] for name, text in SOUND.items()}
    return evaluate(nix, folder, cases, **tree)


def option(case: Case, name: str) -> list[str]:
    """The values of `--NAME=VALUE` among the options of the container."""
    prefix = f"--{name}="
    return [
        o.removeprefix(prefix) for o in case["container"]["extraOptions"] if o.startswith(prefix)
    ]


@pytest.mark.parametrize("name", [n for n in SOUND if n != "disabled"])
def test_sound_configuration_has_nothing_to_complain_of(evaluated, name):
    assert evaluated[name]["assertions"] == []
    assert evaluated[name]["warnings"] == []


def test_disabled_module_declares_nothing(evaluated):
    assert evaluated["disabled"] == {"enabled": False, "leftovers": []}


@pytest.mark.parametrize("backend", ["docker", "podman"])
def test_backend_is_the_one_asked_for(evaluated, backend):
    backends = evaluated[backend]["backends"]
    assert [name for name, enabled in backends.items() if enabled] == [backend]


def test_published_on_loopback_and_nothing_opened(evaluated):
    assert evaluated["docker"]["container"]["ports"] == ["127.0.0.1:4000:4040"]
    assert evaluated["docker"]["firewall"] == []


def test_published_on_the_network_when_told(evaluated):
    assert evaluated["network"]["container"]["ports"] == ["0.0.0.0:8000:4040"]
    assert evaluated["network"]["firewall"] == [8000]


def test_ipv6_address_is_bracketed(evaluated):
    assert evaluated["ipv6"]["container"]["ports"] == ["[::1]:4000:4040"]


def test_port_inside_is_never_the_one_that_litellm_leaves(evaluated):
    cmd = evaluated["docker"]["container"]["cmd"]
    assert cmd[-2:] == ["--port", "4040"]


def test_config_is_mounted_read_only_from_the_store(evaluated):
    volume = evaluated["docker"]["container"]["volumes"][0]
    source, target, mode = volume.split(":")
    assert (target, mode) == ("/app/config.yaml", "ro")
    assert Path(source).name.endswith("-litellm-config.yaml")
    assert Path(source).read_text() == "model_list: []\n"


def test_environment_is_declarative(evaluated):
    environment = evaluated["docker"]["container"]["environment"]
    assert environment["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert environment["LITELLM_MODE"] == "PRODUCTION"
    assert environment["CONFIG_FILE_PATH"] == "/app/config.yaml"
    assert environment["NO_DOCS"] == "True"


def test_no_key_reaches_the_disk_by_swap_or_core_dump(evaluated):
    assert option(evaluated["docker"], "memory-swap") == ["2g"]
    assert option(evaluated["docker"], "ulimit") == ["core=0"]


@pytest.mark.parametrize(
    ("case", "backend"),
    [
        ("machine", "podman"),
        ("machine-with-docker", "docker"),
        ("machine-with-a-default", "docker"),
        ("old-machine", "docker"),
        ("others", "podman"),
        ("others-with-what-they-had", "podman"),
        ("others-moved-on-purpose", "docker"),
        ("docker", "docker"),
        ("podman", "podman"),
    ],
)
def test_runs_with_what_the_machine_has_and_moves_no_one(evaluated, case, backend):
    found = evaluated[case]
    assert found["backends"] == {"docker": backend == "docker", "podman": backend == "podman"}
    assert found["chosen"] == found["machine"] == backend
    if case.startswith("others"):
        assert f"{backend}-web" in found["services"]


def test_users_environment_wins(evaluated):
    environment = evaluated["tuned"]["container"]["environment"]
    assert environment["NO_DOCS"] == "False"
    assert environment["LITELLM_LOG"] == "ERROR"


def test_admin_pages_are_there_where_a_database_makes_them_useful(evaluated):
    assert evaluated["docker"]["container"]["environment"]["DISABLE_ADMIN_UI"] == "True"
    assert "DISABLE_ADMIN_UI" not in evaluated["database"]["container"]["environment"]


@pytest.mark.parametrize("backend", ["docker", "podman"])
def test_container_is_confined(evaluated, backend):
    case = evaluated[backend]
    native = case["native"].get("capabilities")
    assert option(case, "cap-drop") == ([] if native else ["ALL"])
    assert native in (None, {"ALL": False})
    assert option(case, "security-opt") == ["no-new-privileges"]
    assert "--read-only" in case["container"]["extraOptions"]
    assert option(case, "tmpfs") == ["/tmp:rw,noexec,nosuid,nodev,mode=1777,size=256m"]
    assert option(case, "pids-limit") == ["512"]
    assert option(case, "memory") == ["2g"]


def test_limits_and_health_can_be_set(evaluated):
    case = evaluated["tuned"]
    assert option(case, "memory") == ["3g"]
    assert option(case, "cpus") == ["1.5"]
    assert option(case, "pids-limit") == ["99"]
    assert option(case, "tmpfs")[0].endswith("size=64m")
    assert option(case, "health-interval") == ["7s"]
    assert option(case, "health-timeout") == ["5s"]
    assert option(case, "health-start-period") == ["9m"]
    assert option(case, "health-retries") == ["4"]
    assert case["container"]["extraOptions"][-1] == "--network=backend"


def test_health_check_costs_nothing_and_needs_only_python(evaluated):
    (command,) = option(evaluated["docker"], "health-cmd")
    assert command.startswith("python3 -c ")
    assert "http://127.0.0.1:4040/health/liveliness" in command


def test_only_podman_acts_on_a_failed_health_check(evaluated):
    assert option(evaluated["podman"], "health-on-failure") == ["kill"]
    assert option(evaluated["docker"], "health-on-failure") == []


def test_host_has_the_same_name_with_both(evaluated):
    assert sorted(option(evaluated["docker"], "add-host")) == [
        "host.containers.internal:host-gateway",
        "host.docker.internal:host-gateway",
    ]
    assert option(evaluated["podman"], "add-host") == []


@pytest.mark.parametrize("backend", ["docker", "podman"])
def test_order(evaluated, backend):
    unit = evaluated[backend]["unit"]
    assert unit["requires"] == ["litellm-proxy-secrets.service"]
    assert {"network-online.target", "litellm-proxy-secrets.service"} <= set(unit["after"])
    assert ("docker.service" in unit["after"]) == (backend == "docker")
    assert "litellm-proxy-secrets.path" in unit["wants"]
    assert unit["wantedBy"] == ["multi-user.target"]


def test_starts_after_the_databases_of_this_machine(evaluated):
    after = evaluated["local-services"]["unit"]["after"]
    assert {"postgresql.service", "redis.service", "redis-cache.service"} <= set(after)
    assert "redis-other.service" not in after
    assert not [unit for unit in evaluated["docker"]["unit"]["after"] if "postgresql" in unit]


def test_restarts_with_a_growing_pause_and_no_limit(evaluated):
    unit = evaluated["docker"]["unit"]
    assert unit["startLimitIntervalSec"] == 0
    assert unit["serviceConfig"]["Restart"] == "always"
    assert unit["serviceConfig"]["RestartSec"] == 5
    assert unit["serviceConfig"]["RestartSteps"] == 6
    assert unit["serviceConfig"]["RestartMaxDelaySec"] == 120
    assert unit["onFailure"] == ["litellm-proxy-failure.service"]


def test_module_imported_twice_is_one(evaluated):
    """Two copies, which are the same: the flake's module, and the one beside docker.nix."""
    assert evaluated["beside"]["container"]["ports"] == ["127.0.0.1:4000:4040"]
