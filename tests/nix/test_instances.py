"""Several instances: what the module makes of them, and which settings it refuses."""

import re

import pytest
from evaluation import Case, evaluate

from nixcfg.gateway import launch

REDIS = "services.litellm-proxy.redis.createLocally = true;"
TWO = f"services.litellm-proxy.instances = 2; {REDIS}"
TLS = """services.nginx.virtualHosts."llm.example.org" = {
  forceSSL = true; sslCertificate = "/c"; sslCertificateKey = "/k"; };
  services.litellm-proxy.nginx.virtualHost = "llm.example.org";"""

# name: what is added to BASE
SOUND = {
    "one": "",
    "one-behind-nginx": "services.litellm-proxy.nginx.enable = true;",
    "two": TWO,
    "two-with-podman": f'{TWO} services.litellm-proxy.backend = "podman";',
    "two-of-a-set": f'{TWO} services.litellm-proxy.modelConfig = "all";',
    "two-with-redis-elsewhere": """services.litellm-proxy = {
      instances = 2; redis.host = "redis.lan"; };""",
    "five": f"services.litellm-proxy = {{ instances = 5; instancePort = 5000; }}; {REDIS}",
    "two-with-database": f"{TWO} services.litellm-proxy.database.createLocally = true;",
    "two-measured": f"""{TWO} services = {{ prometheus.enable = true;
      litellm-proxy.metrics.enable = true; }};""",
    "two-on-the-network": f"""{TWO} services.litellm-proxy = {{
      listenAddress = "0.0.0.0"; port = 8000; openFirewall = true; }};""",
    "two-on-an-address-behind-the-firewall": f"""{TWO}
      services.litellm-proxy.listenAddress = "10.0.0.2";""",
    "two-on-ipv6": f'{TWO} services.litellm-proxy.listenAddress = "::1";',
    "two-with-tls": f"{TWO} {TLS}",
    "two-with-tls-and-firewall": f"{TWO} {TLS} services.litellm-proxy.openFirewall = true;",
    "workers": f"services.litellm-proxy.workers = 4; {REDIS}",
    "drain": f"{TWO} services.litellm-proxy.drainSeconds = 900;",
    "one-with-a-short-drain": "services.litellm-proxy.drainSeconds = 20;",
    "own-reload": f"{TWO} services.nginx.enableReload = false;",
}

# name: (what is added to BASE, the option that the message begins with or names, the fix)
REFUSED = {
    "without-redis": (
        "services.litellm-proxy.instances = 2;",
        "services.litellm-proxy.instances = 2 without Redis",
        "Set services.litellm-proxy.redis.createLocally = true",
    ),
    "without-nginx": (
        f"{TWO} services.litellm-proxy.nginx.enable = false;",
        "services.litellm-proxy.nginx.enable = false",
        "Set services.litellm-proxy.nginx.enable = true",
    ),
    "port-among-those-of-the-instances": (
        f"services.litellm-proxy = {{ instances = 3; port = 4043; }}; {REDIS}",
        "services.litellm-proxy.port = 4043 is one of the ports 4041 to 4043",
        "Choose another services.litellm-proxy.port or services.litellm-proxy.instancePort.",
    ),
    "port-of-everywhere-among-them": (
        f"""services.litellm-proxy = {{ instances = 2; port = 4041; listenAddress = "0.0.0.0";
          openFirewall = true; }}; {REDIS}""",
        "services.litellm-proxy.port = 4041",
        "Choose another",
    ),
    "instance-port-of-a-container": (
        f"""{TWO} virtualisation.oci-containers.containers.web = {{
          image = "web:1.0.0"; ports = [ "127.0.0.1:4042:80" ]; }};""",
        "services.litellm-proxy.instancePort = 4041",
        "Choose another services.litellm-proxy.instancePort.",
    ),
    "own-port-of-a-container": (
        f"""{TWO} virtualisation.oci-containers.containers.web = {{
          image = "web:1.0.0"; ports = [ "4000:80" ]; }};""",
        "services.litellm-proxy.port = 4000 is also taken by",
        "Choose another services.litellm-proxy.port.",
    ),
    "beyond-the-last-port": (
        f"services.litellm-proxy = {{ instances = 2; instancePort = 65535; }}; {REDIS}",
        "services.litellm-proxy.instancePort = 65535",
        "Choose a smaller services.litellm-proxy.instancePort.",
    ),
    "open-to-all-by-tls": (
        f'{TWO} {TLS} services.litellm-proxy.auth = "open";',
        'services.litellm-proxy.auth = "open" with TLS',
        'Set services.litellm-proxy.auth = "master-key"',
    ),
    "workers-in-environment": (
        'services.litellm-proxy.environment.NUM_WORKERS = "2";',
        "services.litellm-proxy.environment: `NUM_WORKERS`",
        "see services.litellm-proxy.workers",
    ),
}

WARNED = {
    "workers-without-redis": (
        "services.litellm-proxy.workers = 2;",
        "services.litellm-proxy.workers = 2 without Redis",
        "services.litellm-proxy.redis.createLocally",
    ),
}


@pytest.fixture(scope="module")
def evaluated(nix, tmp_path_factory) -> dict[str, Case]:
    snippets = {
        **SOUND,
        **{name: text for name, (text, _, _) in (REFUSED | WARNED).items()},
    }
    cases = {name: statements(text) for name, text in snippets.items()}
    return evaluate(nix, tmp_path_factory.mktemp("instances"), cases)


def statements(text: str) -> list[str]:
    """A module for each definition, because two of one name are an error in a single one."""
    depth, begin, parts = 0, 0, []
    for end, letter in enumerate(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(letter, 0)
        if letter == ";" and depth == 0:
            parts.append(text[begin : end + 1])
            begin = end + 1
    return parts


@pytest.mark.parametrize("name", SOUND)
def test_sound_configuration_has_nothing_to_complain_of(evaluated, name):
    assert evaluated[name]["assertions"] == []
    assert evaluated[name]["warnings"] == []


@pytest.mark.parametrize("name", REFUSED)
def test_refused(evaluated, name):
    _, where, fix = REFUSED[name]
    assert len(evaluated[name]["assertions"]) == 1
    assert where in evaluated[name]["assertions"][0]
    assert fix in evaluated[name]["assertions"][0]


@pytest.mark.parametrize("name", WARNED)
def test_warned(evaluated, name):
    _, where, fix = WARNED[name]
    assert evaluated[name]["assertions"] == []
    (warning,) = evaluated[name]["warnings"]
    assert where in warning
    assert fix in warning


def test_one_is_what_it_always_was(evaluated):
    one = evaluated["one"]
    assert list(one["instances"]) == ["litellm-proxy"]
    (instance,) = one["instances"].values()
    assert instance["ports"] == ["127.0.0.1:4000:4040"]
    assert not instance["restartIfChanged"]  # litellm-proxy-image does it
    assert instance["wantedBy"] == ["multi-user.target"]
    assert instance["stopSeconds"] == 120
    assert "--stop-timeout=30" in instance["extraOptions"]
    assert (one["roll"], one["targets"], one["nginx"]) == ("", [], {})


def test_each_has_a_port_of_its_own_on_this_machine_alone(evaluated):
    ports = {name: each["ports"] for name, each in evaluated["five"]["instances"].items()}
    assert ports == {
        f"litellm-proxy-{number}": [f"127.0.0.1:{4999 + number}:4040"] for number in range(1, 6)
    }


def test_the_network_reaches_nginx_and_no_instance(evaluated):
    case = evaluated["two-on-the-network"]
    for each in case["instances"].values():
        assert each["ports"][0].startswith("127.0.0.1:404")
    assert case["nginx"]["hosts"] == {"litellm-proxy": ["0.0.0.0:8000"]}
    assert case["firewall"] == [8000]


def test_ipv6_address_is_bracketed(evaluated):
    assert evaluated["two-on-ipv6"]["nginx"]["hosts"] == {"litellm-proxy": ["[::1]:4000"]}


def test_a_switch_leaves_them_to_the_roll(evaluated):
    for name, each in evaluated["two"]["instances"].items():
        assert not each["restartIfChanged"], name
        assert each["wantedBy"] == each["partOf"] == ["litellm-proxy.target"]
        assert each["onFailure"] == [f"litellm-proxy-failure-{name[-1]}.service"]


def revisions(case: Case) -> list[str]:
    found = re.search(r"^revisions=\((.*)\)$", case["roll"], re.MULTILINE)
    assert found
    return found[1].split()


def test_what_changes_a_container_changes_the_roll(evaluated):
    """So that a switch starts it; what changes nginx alone does not."""
    same = revisions(evaluated["two"])
    assert revisions(evaluated["two-on-the-network"]) == same
    for other in ("two-of-a-set", "two-with-redis-elsewhere", "two-with-database", "drain"):
        assert not set(revisions(evaluated[other])) & set(same), other


def test_an_instance_notes_the_revision_that_the_roll_compares(evaluated):
    case = evaluated["two"]
    for revision, each in zip(revisions(case), case["instances"].values(), strict=True):
        assert f"echo {revision};" in each["preStart"]


def test_the_first_brings_the_tables_up_to_date_before_the_others_start(evaluated):
    first, second = evaluated["two-with-database"]["instances"].values()
    assert "DISABLE_SCHEMA_UPDATE" not in first["environment"]
    assert second["environment"]["DISABLE_SCHEMA_UPDATE"] == "True"
    assert "podman-litellm-proxy-1.service" in second["after"]
    for each in evaluated["two"]["instances"].values():
        assert "DISABLE_SCHEMA_UPDATE" not in each["environment"]
        assert "podman-litellm-proxy-1.service" not in each["after"]


def test_requests_may_be_finished(evaluated):
    for name, seconds in {"two": 300, "drain": 900}.items():
        for each in evaluated[name]["instances"].values():
            assert f"--stop-timeout={seconds}" in each["extraOptions"]
            assert each["stopSeconds"] == seconds + 30
            # Five less, in which LiteLLM writes what was spent.
            assert each["environment"]["GRACEFUL_SHUTDOWN_TIMEOUT"] == str(seconds - 5)
    (alone,) = evaluated["one-with-a-short-drain"]["instances"].values()
    assert "--stop-timeout=20" in alone["extraOptions"]
    assert alone["stopSeconds"] == 120


def test_workers(evaluated):
    (instance,) = evaluated["workers"]["instances"].values()
    assert instance["environment"]["NUM_WORKERS"] == "4"
    assert instance["environment"]["TIMEOUT_WORKER_HEALTHCHECK"] == "60"
    (instance,) = evaluated["one"]["instances"].values()
    assert "NUM_WORKERS" not in instance["environment"]
    assert "TIMEOUT_WORKER_HEALTHCHECK" not in instance["environment"]


def test_a_rehearsal_has_the_environment_of_a_container(evaluated):
    (instance,) = evaluated["one"]["instances"].values()
    places = {"CONFIG_FILE_PATH", "HOME", "LITELLM_MIGRATION_DIR"}
    of_some = {"DISABLE_ADMIN_UI", "GRACEFUL_SHUTDOWN_TIMEOUT"}
    given = instance["environment"]
    assert {name: given[name] for name in given.keys() - places - of_some} == launch.MODULE


def test_every_instance_is_scraped(evaluated):
    (job,) = evaluated["two-measured"]["prometheus"]["scraped"]
    assert job["targets"] == ["127.0.0.1:4041", "127.0.0.1:4042"]


def test_nginx_knows_all_and_all_but_one(evaluated):
    upstreams = evaluated["five"]["nginx"]["upstreams"]
    every = {f"127.0.0.1:{port}" for port in range(5000, 5005)}
    assert set(upstreams.pop("litellm-proxy")["servers"]) == every
    assert len(upstreams) == 5
    for name, upstream in upstreams.items():
        assert every - set(upstream["servers"]) == {f"127.0.0.1:{4999 + int(name[-1])}"}


def test_nginx_is_reloaded_unless_told_otherwise(evaluated):
    assert evaluated["two"]["nginx"]["enableReload"]
    assert not evaluated["own-reload"]["nginx"]["enableReload"]


def test_tls_is_where_nixos_has_it_and_this_machine_keeps_its_port(evaluated):
    case = evaluated["two-with-tls"]
    assert case["nginx"]["hosts"] == {"llm.example.org": []}
    assert "listen 127.0.0.1:4000;" in case["nginx"]["http"]
    assert case["firewall"] == []
    assert evaluated["two-with-tls-and-firewall"]["firewall"] == [80, 443]


def test_one_behind_nginx(evaluated):
    case = evaluated["one-behind-nginx"]
    (instance,) = case["instances"].values()
    assert instance["ports"] == ["127.0.0.1:4041:4040"]
    assert not instance["restartIfChanged"]  # litellm-proxy-image does it
    assert list(case["nginx"]["upstreams"]) == ["litellm-proxy"]
    assert case["nginx"]["hosts"] == {"litellm-proxy": ["127.0.0.1:4000"]}
