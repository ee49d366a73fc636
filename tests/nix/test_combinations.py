"""Database, Redis and metrics: what each combination of them gives."""

import itertools

import pytest
from evaluation import BACKEND, Case, evaluate

pytestmark = pytest.mark.slow

DATABASE = {
    "none": "",
    "local": "services.litellm-proxy.database.createLocally = true;",
    "external": """services.litellm-proxy.database = {
      host = "db.example.org"; port = 6432; name = "gate way"; user = "röle";
      passwordFile = "/run/secrets/db"; sslMode = "require"; };""",
}
REDIS = {
    "none": "",
    "local": "services.litellm-proxy.redis.createLocally = true;",
    "external": """services.litellm-proxy.redis = {
      host = "fd00::1"; port = 6380; passwordFile = "/run/secrets/redis"; };""",
}
METRICS = {
    "none": "services = { prometheus.enable = true; grafana.enable = true; };",
    "on": """services = { prometheus.enable = true; grafana.enable = true;
      litellm-proxy.metrics.enable = true; };""",
}
COMBINATIONS = list(itertools.product(DATABASE, REDIS, METRICS, BACKEND))

# name: what is added to BASE
ALONE = {
    "metrics-of-nobody": "services.litellm-proxy.metrics.enable = true;",
    "metrics-without-key": """services = { prometheus.enable = true;
      litellm-proxy = { auth = "open"; metrics.enable = true; }; };""",
    "metrics-of-the-network": """services = { prometheus.enable = true; litellm-proxy = {
      listenAddress = "0.0.0.0"; port = 8000; openFirewall = true; metrics.enable = true;
      masterKeyFile = "/keys/100%/master"; }; };""",
    "dashboards-of-a-folder": """services = { grafana = { enable = true;
        provision.dashboards.path = "/dashboards"; };
      litellm-proxy.metrics.enable = true; };""",
    "external-ipv6": """services.litellm-proxy.database = {
      host = "fd00::2"; passwordFile = "/run/secrets/db"; };""",
    "non-root": """services.litellm-proxy = { image = "ghcr.io/berriai/litellm-non_root:v1.106.2";
      database.createLocally = true; redis.createLocally = true; };""",
    "salt-key-file": """services.litellm-proxy = { saltKeyFile = "/run/secrets/salt";
      database.createLocally = true; };""",
    "salt-key-for-a-url": """services.litellm-proxy = { saltKeyFile = "/run/secrets/salt";
      configs.claude.secrets = [ "DATABASE_URL" ]; secrets.DATABASE_URL.file = "/etc/db"; };""",
    "models-in-database": """services.litellm-proxy = {
      database.createLocally = true; environment.STORE_MODEL_IN_DB = "True"; };""",
    "nine-workers": """services.litellm-proxy = { workers = 9;
      database.createLocally = true; redis.createLocally = true; };""",
    "many-workers": """services.litellm-proxy = { instances = 4; workers = 3;
      database.createLocally = true; redis.createLocally = true; };""",
    "many-workers-and-a-limit": """services = { postgresql.settings.max_connections = 500;
      litellm-proxy = { instances = 4; workers = 3;
      database.createLocally = true; redis.createLocally = true; }; };""",
    "redis-without-password": 'services.litellm-proxy.redis.host = "redis.lan";',
    "redis-with-tls": """services.litellm-proxy = {
      redis.host = "redis.lan"; environment.REDIS_SSL = "True"; };""",
    "everything-is-backed-up": """services.postgresqlBackup.enable = true;
      services.litellm-proxy.database.createLocally = true;""",
    "database-is-backed-up": """
      services.postgresqlBackup = { enable = true; databases = [ "litellm" ]; };
      services.litellm-proxy.database.createLocally = true;""",
    "all-of-it-disabled": """services.litellm-proxy = { enable = lib.mkForce false;
      database.createLocally = true; redis.createLocally = true; metrics.enable = true; };""",
}


@pytest.fixture(scope="module")
def evaluated(nix, tmp_path_factory) -> dict[str, Case]:
    """Each combination by its names with dashes between, and what stands alone, evaluated."""
    cases = {
        f"{d}-{r}-{m}-{b}": [DATABASE[d], REDIS[r], METRICS[m], BACKEND[b]]
        for d, r, m, b in COMBINATIONS
    }
    cases |= {name: [text] for name, text in ALONE.items()}
    return evaluate(nix, tmp_path_factory.mktemp("combinations"), cases)


def combined(function):
    """The test, for every combination."""
    return pytest.mark.parametrize(
        ("database", "redis", "metrics", "backend"), COMBINATIONS, ids="-".join
    )(function)


@combined
def test_combination_has_nothing_to_complain_of(evaluated, database, redis, metrics, backend):
    case = evaluated[f"{database}-{redis}-{metrics}-{backend}"]
    assert case["assertions"] == []
    assert case["warnings"] == []
    assert case["backends"][backend]


@combined
def test_combination_has_its_units_and_no_others(evaluated, database, redis, metrics, backend):
    case = evaluated[f"{database}-{redis}-{metrics}-{backend}"]
    ours = {
        f"{backend}-litellm-proxy",
        "litellm-proxy-failure",
        "litellm-proxy-image",
        "litellm-proxy-rotate",
        "litellm-proxy-secrets",
        "litellm-proxy-trial",
        "grafana",
        "prometheus",
    }
    ours |= {"postgresql"} if database == "local" else set()
    ours |= {"litellm-proxy-salt-key"} if database != "none" else set()
    ours |= {"redis-litellm-proxy"} if redis == "local" else set()
    assert set(case["services"]) == ours
    unit = case["unit"]
    for store, service in (
        (database, "postgresql.service"),
        (redis, "redis-litellm-proxy.service"),
    ):
        for ordering in ("after", "wants"):
            assert (service in unit[ordering]) == (store == "local")


@combined
def test_combination_tells_litellm_where_they_are(evaluated, database, redis, metrics, backend):
    case = evaluated[f"{database}-{redis}-{metrics}-{backend}"]
    environment = case["container"]["environment"]
    told = {
        name: value
        for name, value in environment.items()
        if name.startswith(("DATABASE", "REDIS", "LITELLM_SALT"))
    }
    expected = {
        "local": {
            "DATABASE_URL": "postgresql://litellm@%2Frun%2Fpostgresql:5432/litellm"
            "?host=/run/postgresql"
        }
    }.get(database, {})
    expected |= {
        "local": {"REDIS_URL": "unix:///run/redis-litellm-proxy/redis.sock"},
        "external": {"REDIS_HOST": "fd00::1", "REDIS_PORT": "6380"},
    }.get(redis, {})
    assert told == expected
    assert ("DISABLE_ADMIN_UI" in environment) == (database == "none")
    mounted = {volume for volume in case["container"]["volumes"] if not volume.startswith("/nix")}
    mounted.remove("/run/litellm-proxy/environment:/run/litellm-proxy/environment:ro")
    mounted.remove("/var/cache/litellm-proxy/bytecode:/app/bytecode:ro")
    sockets = (
        {"local": "/run/postgresql"}.get(database),
        {"local": "/run/redis-litellm-proxy"}.get(redis),
    )
    assert mounted == {f"{path}:{path}:ro" for path in sockets if path}


@combined
def test_combination_wires_its_passwords(evaluated, database, redis, metrics, backend):
    case = evaluated[f"{database}-{redis}-{metrics}-{backend}"]
    loaded = case["secrets"]["serviceConfig"]["LoadCredential"]
    script = case["secrets"]["script"]
    assert ("DATABASE_PASSWORD:/run/secrets/db" in loaded) == (database == "external")
    assert ("REDIS_PASSWORD:/run/secrets/redis" in loaded) == (redis == "external")
    assert ("\nwire REDIS_PASSWORD /run/secrets/redis env required\n" in script) == (
        redis == "external"
    )
    url = "wire_database 'röle' db.example.org:6432 'gate way' '?sslmode=require' /run/secrets/db"
    assert (url in script) == (database == "external")
    assert "wire DATABASE_PASSWORD" not in script
    generates = database != "none"
    assert ("\nwire_generated_salt_key\n" in script) == generates
    assert ("/var/lib/litellm-proxy/salt-key" in case["watched"]) == generates
    assert ("/run/secrets/db" in case["watched"]) == (database == "external")
    assert ("/run/secrets/redis" in case["watched"]) == (redis == "external")


@combined
def test_combination_is_scraped_with_the_key_that_systemd_hands_out(
    evaluated, database, redis, metrics, backend
):
    case = evaluated[f"{database}-{redis}-{metrics}-{backend}"]
    prometheus = case["prometheus"]
    if metrics == "none":
        assert prometheus["scraped"] == []
        assert prometheus["ruleFiles"] == []
        assert prometheus["service"]["load"] == []
        assert case["dashboards"] == []
        assert "prometheus" not in case["rotate"]
        return
    (job,) = prometheus["scraped"]
    assert job["job_name"] == "litellm-proxy"
    assert job["metrics_path"] == "/metrics/"
    assert job["targets"] == ["127.0.0.1:4000"]
    file = "/run/credentials/prometheus.service/litellm-proxy-master-key"
    assert job["authorization"]["credentials_file"] == file
    assert job["authorization"].get("credentials") is None
    assert prometheus["ruleFiles"] == ["alerts.yaml"]
    assert prometheus["checkConfig"] == "syntax-only"
    service = prometheus["service"]
    assert service["load"] == ["litellm-proxy-master-key:/var/lib/litellm-proxy/master-key"]
    assert service["set"] == ["litellm-proxy-master-key:nixcfg-missing-key"]
    assert "litellm-proxy-secrets.service" in service["after"]
    assert case["dashboards"] == [["dashboard.json"]]
    assert "systemctl restart --no-block prometheus.service" in case["rotate"]


def test_local_database_is_for_the_container_alone(evaluated):
    case = evaluated["local-none-none-docker"]["postgresql"]
    assert case["ensureDatabases"] == ["litellm"]
    assert case["owners"] == ["litellm"]
    rules = [line.split() for line in case["authentication"].splitlines() if line[:1] != "#"]
    assert rules[0] == ["local", "litellm", "litellm", "peer", "map=litellm-proxy"]
    assert ["litellm-proxy", "root", "litellm"] in [
        line.split() for line in case["identMap"].splitlines()
    ]
    assert case["runtimeDirectoryPreserve"] is True


@pytest.mark.parametrize(
    ("name", "connections"),
    [("nine-workers", None), ("many-workers", 130), ("many-workers-and-a-limit", 500)],
)
def test_local_database_takes_every_worker(evaluated, name, connections):
    assert evaluated[name]["postgresql"]["connections"] == connections


def test_local_redis_is_for_the_container_alone(evaluated):
    case = evaluated["none-local-none-docker"]["redis"]["litellm-proxy"]
    assert (case["port"], case["unixSocketPerm"]) == (0, 660)
    (command,) = case["service"]["ExecStartPost"]
    assert command.endswith(
        "/bin/chgrp root /run/redis-litellm-proxy /run/redis-litellm-proxy/redis.sock"
    )
    assert case["service"]["RuntimeDirectoryPreserve"] is True


def test_image_without_root_gets_at_both(evaluated):
    case = evaluated["non-root"]
    assert "litellm-proxy nobody litellm" in case["postgresql"]["identMap"]
    assert "--group-add=0" in case["container"]["extraOptions"]
    assert "--group-add=0" not in evaluated["local-local-on-docker"]["container"]["extraOptions"]


def test_address_of_a_database_is_bracketed(evaluated):
    assert (
        "wire_database litellm '[fd00::2]:5432' litellm '' /run/secrets/db"
        in evaluated["external-ipv6"]["secrets"]["script"]
    )


@pytest.mark.parametrize("name", ["salt-key-file", "salt-key-for-a-url"])
def test_salt_key_of_a_file_is_wired_and_none_generated(evaluated, name):
    script = evaluated[name]["secrets"]["script"]
    assert "\nwire LITELLM_SALT_KEY /run/secrets/salt env required\n" in script
    assert "wire_generated_salt_key" not in script


def test_without_prometheus_and_grafana_there_is_no_trace_of_them(evaluated):
    case = evaluated["metrics-of-nobody"]
    assert case["prometheus"] == {}
    assert case["dashboards"] == []
    assert not [name for name in case["services"] if "prometheus" in name or "grafana" in name]
    assert "prometheus" not in case["rotate"]


def test_open_gateway_is_scraped_without_a_key(evaluated):
    case = evaluated["metrics-without-key"]["prometheus"]
    assert case["scraped"][0]["authorization"] is None
    assert case["service"]["load"] == []
    assert case["checkConfig"] is True


def test_network_gateway_is_scraped_on_this_machine(evaluated):
    case = evaluated["metrics-of-the-network"]["prometheus"]
    assert case["scraped"][0]["targets"] == ["127.0.0.1:8000"]
    assert case["service"]["load"] == ["litellm-proxy-master-key:/keys/100%%/master"]


def test_folder_of_dashboards_is_left_alone(evaluated):
    assert evaluated["dashboards-of-a-folder"]["dashboards"] == []
    assert evaluated["dashboards-of-a-folder"]["assertions"] == []


def test_disabled_module_brings_neither(evaluated):
    assert evaluated["all-of-it-disabled"] == {"enabled": False, "leftovers": []}


@pytest.mark.parametrize("name", [n for n in ALONE if n != "all-of-it-disabled"])
def test_sound_configuration_has_nothing_to_complain_of(evaluated, name):
    assert evaluated[name]["assertions"] == []
    assert evaluated[name]["warnings"] == []


@pytest.mark.parametrize("backend", BACKEND)
def test_no_password_is_in_a_unit_or_in_the_store(nix, tmp_path, backend):
    """The files are there and readable, so that what read them at evaluation would be found out."""
    secrets = {}
    for name in ("database", "redis", "salt", "master", "key"):
        secrets[name] = f"hunter2 of {name}"
        (tmp_path / name).write_text(secrets[name])
    machine = tmp_path / "machine.nix"
    machine.write_text(f"""{{
      services.prometheus.enable = true;
      services.litellm-proxy = {{
        enable = true; backend = "{backend}"; modelConfig = "all"; metrics.enable = true;
        configs.all = {{ file = ./machine.nix; secrets = [ "A_KEY" ]; }};
        secrets.A_KEY.file = "{tmp_path}/key";
        masterKeyFile = "{tmp_path}/master"; saltKeyFile = "{tmp_path}/salt";
        database = {{ host = "db"; passwordFile = "{tmp_path}/database"; }};
        redis = {{ host = "redis"; passwordFile = "{tmp_path}/redis"; }};
      }};
    }}""")
    exported = nix("units.nix", settings=str(machine), also='[ "prometheus.service" ]')
    assert f"{tmp_path}/database" in exported["units"]["litellm-proxy-secrets.service"]
    assert "litellm-proxy-master-key:" in exported["units"]["prometheus.service"]
    texts = [
        *exported["units"].values(),
        *exported["scripts"].values(),
        *exported["files"].values(),
    ]
    for text in texts:
        for secret in secrets.values():
            assert secret not in text
