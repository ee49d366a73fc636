"""What the module makes of its options, under the real NixOS modules.

Each case is a NixOS module; all are evaluated by one start of nix. `BASE` is a sound
configuration, to which a case adds what it is about.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

BASE = """
  services.litellm-proxy = {
    enable = true;
    modelConfig = lib.mkDefault "claude";
    configs = {
      claude = { file = ./claude.yaml; secrets = [ "ANTHROPIC_API_KEY" ]; };
      all = { file = ./all.yaml;
        secrets = [ "OPENAI_API_KEY" "ANTHROPIC_API_KEY" "SERVICE_ACCOUNT" ]; };
    };
    secrets = {
      ANTHROPIC_API_KEY.file = "/etc/nixcfg/secrets/anthropic_api_key.txt";
      OPENAI_API_KEY = { file = "/run/secrets/openai"; optional = true; };
      SERVICE_ACCOUNT = { file = "/run/agenix/account"; kind = "file"; encrypted = true; };
    };
  };
"""

# name: what is added to BASE
SOUND = {
    "docker": 'services.litellm-proxy.backend = "docker";',
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
    "podman": 'services.litellm-proxy.backend = "podman";',
    "all": 'services.litellm-proxy.modelConfig = "all";',
    "required": """services.litellm-proxy = { modelConfig = "all";
      configs.all.requiredSecrets = [ "OPENAI_API_KEY" ];
      secrets.OPENAI_API_KEY.optional = lib.mkForce false;
      secrets.ANTHROPIC_API_KEY.required = true; };""",
    "not-required": "services.litellm-proxy.configs.claude.requiredSecrets = [ ];",
    "optional": "services.litellm-proxy.secrets.ANTHROPIC_API_KEY.optional = true;",
    "open": 'services.litellm-proxy.auth = "open";',
    "loaded": "services.litellm-proxy.imageFile = pkgs.docker;",
    "ipv6": 'services.litellm-proxy = { listenAddress = "::1"; backend = "docker"; };',
    "network": """services.litellm-proxy = {
      listenAddress = "0.0.0.0"; port = 8000; openFirewall = true; };""",
    "master-key-file": 'services.litellm-proxy.masterKeyFile = "/run/secrets/master";',
    "tuned": """services.litellm-proxy = {
      environment = { NO_DOCS = "False"; LITELLM_LOG = "ERROR"; };
      health = { interval = "7s"; timeout = "5s"; startPeriod = "9m"; retries = 4; };
      resources = { memory = "3g"; cpus = "1.5"; pids = 99; tmpSize = "64m"; };
      extraOptions = [ "--network=backend" ]; };""",
    "database": """services.litellm-proxy = {
      configs.claude.secrets = [ "DATABASE_URL" ]; secrets.DATABASE_URL.file = "/etc/db"; };""",
    "local-services": """services = {
        postgresql.enable = true;
        redis.servers = { "".enable = true; cache.enable = true; other.enable = false; };
      };""",
    "percent": """services.litellm-proxy.secrets.ANTHROPIC_API_KEY.file =
      lib.mkForce "/etc/keys of 100%/a";""",
    "non-root": """services.litellm-proxy = {
      image = "ghcr.io/berriai/litellm-non_root:v1.106.2"; modelConfig = "all"; };""",
    "mapped": """services.litellm-proxy = { containerUid = 100000; backend = "docker"; };
      virtualisation.docker.daemon.settings.userns-remap = "dockremap";""",
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

# name: (what is added to BASE, the option that the message begins with or names, the mend)
REFUSED = {
    "moves-others": (
        """services.litellm-proxy.backend = lib.mkDefault "docker";
        virtualisation.oci-containers.containers.web.image = "web:1.0.0";""",
        'services.litellm-proxy.backend = "docker" would move `web` from podman to docker',
        "Remove services.litellm-proxy.backend",
    ),
    "moves-others-of-an-old-machine": (
        """services.litellm-proxy.backend = "podman";
        system.stateVersion = lib.mkForce "21.11";
        virtualisation.oci-containers.containers.web.image = "web:1.0.0";""",
        'services.litellm-proxy.backend = "podman" would move `web` from docker to podman',
        'set virtualisation.oci-containers.backend = "podman"',
    ),
    "backend-of-others": (
        """virtualisation.oci-containers.backend = "podman";
        services.litellm-proxy.backend = "docker";""",
        'services.litellm-proxy.backend = "docker"',
        'Set services.litellm-proxy.backend = "podman".',
    ),
    "open-to-network": (
        'services.litellm-proxy = { auth = "open"; listenAddress = "0.0.0.0"; };',
        'services.litellm-proxy.auth = "open"',
        'Set services.litellm-proxy.auth = "master-key"',
    ),
    "open-to-one-address": (
        'services.litellm-proxy = { auth = "open"; listenAddress = "10.0.0.1"; };',
        'services.litellm-proxy.auth = "open"',
        'services.litellm-proxy.listenAddress = "127.0.0.1"',
    ),
    "host-name": (
        'services.litellm-proxy.listenAddress = "localhost";',
        'services.litellm-proxy.listenAddress = "localhost" is not an IP address',
        'such as "127.0.0.1"',
    ),
    "bracketed": (
        'services.litellm-proxy.listenAddress = "[::1]";',
        'services.litellm-proxy.listenAddress = "[::1]"',
        "without brackets",
    ),
    "firewall-on-loopback": (
        "services.litellm-proxy.openFirewall = true;",
        "services.litellm-proxy.openFirewall",
        "Set services.litellm-proxy.listenAddress",
    ),
    "port-of-container": (
        """virtualisation.oci-containers.containers.web = {
          image = "web:1.0.0"; ports = [ "4000:80" ]; };""",
        "is also taken by virtualisation.oci-containers.containers.web.ports",
        "Choose another services.litellm-proxy.port.",
    ),
    "port-of-container-by-address": (
        """services.litellm-proxy.listenAddress = "::1";
        virtualisation.oci-containers = {
          backend = "docker";
          containers.web = { image = "web:1.0.0"; ports = [ "[::1]:4000:80/tcp" ]; }; };""",
        "services.litellm-proxy.port = 4000",
        "Choose another",
    ),
    "port-of-native-litellm": (
        """options.services.litellm = lib.mkOption { type = lib.types.anything; };
        config.services.litellm = { enable = true; host = "0.0.0.0"; port = 4000; };""",
        "services.litellm-proxy.port = 4000 is also taken by services.litellm.port",
        "Choose another",
    ),
    "malicious-release": (
        'services.litellm-proxy.image = "ghcr.io/berriai/litellm:v1.82.7";',
        'services.litellm-proxy.image = "ghcr.io/berriai/litellm:v1.82.7"',
        "Use another release",
    ),
    "malicious-release-named-otherwise": (
        'services.litellm-proxy.image = "docker.io/litellm/litellm:main-v1.82.8-stable";',
        "services.litellm-proxy.image",
        "Use another release",
    ),
    "host-network": (
        'services.litellm-proxy.extraOptions = [ "--network=host" ];',
        "services.litellm-proxy.extraOptions",
        "Remove --network=host",
    ),
    "host-network-in-two-words": (
        'services.litellm-proxy.extraOptions = [ "--net" "host" ];',
        "services.litellm-proxy.extraOptions",
        "host.containers.internal",
    ),
    "mapped-with-a-database": (
        """services.litellm-proxy = {
          containerUid = 100000; database.createLocally = true; };""",
        "services.litellm-proxy.containerUid = 100000",
        "or set services.litellm-proxy.database.host",
    ),
    "mapped-with-redis": (
        "services.litellm-proxy = { containerUid = 100000; redis.createLocally = true; };",
        "services.litellm-proxy.containerUid = 100000",
        "or set services.litellm-proxy.redis.host",
    ),
    "docker-that-maps-users": (
        """services.litellm-proxy.backend = "docker";
        virtualisation.docker.daemon.settings.userns-remap = "dockremap";""",
        "userns-remap makes another user",
        'Set services.litellm-proxy.containerUid to the first subordinate user id of "dockremap"',
    ),
    "undeclared-secret": (
        'services.litellm-proxy.configs.claude.secrets = [ "GROQ_API_KEY" ];',
        "services.litellm-proxy.configs.claude.secrets: `GROQ_API_KEY`",
        "Set services.litellm-proxy.secrets.GROQ_API_KEY.file",
    ),
    "undeclared-secret-of-another-config": (
        'services.litellm-proxy.configs.all.secrets = [ "GROQ_API_KEY" ];',
        "services.litellm-proxy.configs.all.secrets: `GROQ_API_KEY`",
        "Set services.litellm-proxy.secrets.GROQ_API_KEY.file",
    ),
    "path-literal": (
        "services.litellm-proxy.secrets.OPENAI_API_KEY.file = lib.mkForce ./key.txt;",
        "services.litellm-proxy.secrets.OPENAI_API_KEY.file is a path literal",
        "as a string in quotes",
    ),
    "store-path": (
        """services.litellm-proxy.secrets.OPENAI_API_KEY.file =
          lib.mkForce "${builtins.storeDir}/aaaa-key.txt";""",
        "services.litellm-proxy.secrets.OPENAI_API_KEY.file = ",
        "outside the store",
    ),
    "master-key-literal": (
        "services.litellm-proxy.masterKeyFile = ./key.txt;",
        "services.litellm-proxy.masterKeyFile is a path literal",
        "as a string in quotes",
    ),
    "unclean-path": (
        'services.litellm-proxy.secrets.OPENAI_API_KEY.file = lib.mkForce "/etc/../key";',
        'services.litellm-proxy.secrets.OPENAI_API_KEY.file = "/etc/../key"',
        "Write the plain absolute path.",
    ),
    "line-break-in-path": (
        'services.litellm-proxy.secrets.OPENAI_API_KEY.file = lib.mkForce "/etc/a\\nUser=x";',
        "services.litellm-proxy.secrets.OPENAI_API_KEY.file",
        "Write the plain absolute path.",
    ),
    "key-in-environment": (
        'services.litellm-proxy.environment.GROQ_API_KEY = "gsk_0123456789abcdefghij";',
        "services.litellm-proxy.environment.GROQ_API_KEY looks like a key",
        "services.litellm-proxy.secrets.GROQ_API_KEY.file",
    ),
    "key-under-a-harmless-name": (
        'services.litellm-proxy.environment.SETTING = "sk-ant-0123456789abcdef";',
        "services.litellm-proxy.environment.SETTING looks like a key",
        "revoke it",
    ),
    "password-in-address": (
        'services.litellm-proxy.environment.REDIS_URL = "redis://user:hunter2@host:6379";',
        "services.litellm-proxy.environment.REDIS_URL looks like a key",
        "services.litellm-proxy.secrets.REDIS_URL.file",
    ),
    "master-key-in-environment": (
        'services.litellm-proxy.environment.LITELLM_MASTER_KEY = "short";',
        "services.litellm-proxy.environment: `LITELLM_MASTER_KEY`",
        "see services.litellm-proxy.masterKeyFile",
    ),
    "config-path-in-environment": (
        'services.litellm-proxy.environment.CONFIG_FILE_PATH = "/elsewhere.yaml";',
        "services.litellm-proxy.environment: `CONFIG_FILE_PATH`",
        "Remove it",
    ),
    "master-key-among-secrets": (
        'services.litellm-proxy.secrets.LITELLM_MASTER_KEY.file = "/etc/key";',
        "services.litellm-proxy.secrets: `LITELLM_MASTER_KEY`",
        "see services.litellm-proxy.masterKeyFile",
    ),
    "impossible-name": (
        'services.litellm-proxy.environment."A-B" = "x";',
        "services.litellm-proxy.environment: `A-B`",
        "Use letters, digits and underscores",
    ),
    "impossible-secret-name": (
        'services.litellm-proxy.secrets."1A".file = "/etc/key";',
        "services.litellm-proxy.secrets: `1A`",
        "Use letters, digits and underscores",
    ),
    "declared-twice": (
        'services.litellm-proxy.environment.OPENAI_API_KEY = "none";',
        "services.litellm-proxy.environment: `OPENAI_API_KEY` also declared",
        "Remove one of the two.",
    ),
}

# name: (what is added to BASE, the option that the warning names, the mend)
WARNED = {
    **{
        f"floating-{tag or 'none'}": (
            f'services.litellm-proxy.image = "ghcr.io/berriai/litellm{tag and ":"}{tag}";',
            f'services.litellm-proxy.image = "ghcr.io/berriai/litellm{tag and ":"}{tag}"',
            "Name a release",
        )
        for tag in ("", "latest", "main-latest", "main-stable", "lts", "v1.106")
    },
    "registry-port-is-no-tag": (
        'services.litellm-proxy.image = "registry.example:5000/litellm";',
        'services.litellm-proxy.image = "registry.example:5000/litellm"',
        "Name a release",
    ),
    "past-the-firewall": (
        'services.litellm-proxy.listenAddress = "0.0.0.0";',
        'services.litellm-proxy.listenAddress = "0.0.0.0"',
        "services.litellm-proxy.openFirewall",
    ),
    "loopback-in-container": (
        'services.litellm-proxy.environment.OLLAMA_API_BASE = "http://127.0.0.1:11434";',
        "services.litellm-proxy.environment.OLLAMA_API_BASE",
        "http://host.containers.internal",
    ),
    "mutable-config": (
        'services.litellm-proxy.configs.claude.file = lib.mkForce "/etc/litellm.yaml";',
        'services.litellm-proxy.configs.claude.file = "/etc/litellm.yaml"',
        "such as ./litellm/claude.yaml",
    ),
}

# name: an image that is tied to a release, so that nothing is said about it
PINNED = {
    "release": "ghcr.io/berriai/litellm:v1.106.2",
    "old-release": "registry.example/gateway:main-v1.84.0-stable",
    "digest": f"ghcr.io/berriai/litellm@sha256:{'0' * 64}",
    "floating-with-digest": f"registry.example:5000/litellm:latest@sha256:{'0' * 64}",
    "near-the-malicious": "ghcr.io/berriai/litellm:v1.107.10",
}

Case = dict[str, Any]


@pytest.fixture(scope="session")
def evaluated(nix, tree, tmp_path_factory) -> dict[str, Case]:
    """Every case of this file, evaluated: its name, and what cases.nix says of it."""
    folder = tmp_path_factory.mktemp("evaluation")
    (folder / "claude.yaml").write_text("model_list: []\n")
    (folder / "all.yaml").write_text("model_list: [] # all\n")
    (folder / "key.txt").write_text("sk-key-of-the-path-literal\n")
    # A second copy at another path stands for rendered/ beside the flake's module.
    module = Path(__file__).parents[2] / "modules" / "litellm-proxy"
    copy = folder / "copy" / "litellm-proxy"
    shutil.copytree(module, copy)
    snippets = {
        **SOUND,
        **{name: text for name, (text, _, _) in (REFUSED | WARNED).items()},
        **{
            f"pinned-{name}": f'services.litellm-proxy.image = "{image}";'
            for name, image in PINNED.items()
        },
    }
    cases = folder / "cases.nix"
    cases.write_text(
        "let base = { lib, pkgs, ... }: {"
        + BASE
        + "}; in {\n"
        + "\n".join(
            f'"{name}" = {{ lib, pkgs, ... }}: {{ imports = [ base {{ {text} }} ]; }};'
            for name, text in snippets.items()
        ).replace("@MODULE@", str(copy))
        + "\n}\n"
    )
    return nix("cases.nix", cases=str(cases), **tree)


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


@pytest.mark.parametrize("name", REFUSED)
def test_refused(evaluated, name):
    _, where, mend = REFUSED[name]
    assert len(evaluated[name]["assertions"]) == 1
    assert where in evaluated[name]["assertions"][0]
    assert mend in evaluated[name]["assertions"][0]


@pytest.mark.parametrize("name", WARNED)
def test_warned(evaluated, name):
    _, where, mend = WARNED[name]
    assert evaluated[name]["assertions"] == []
    (warning,) = evaluated[name]["warnings"]
    assert where in warning
    assert mend in warning


@pytest.mark.parametrize("name", PINNED)
def test_pinned_image_is_fine(evaluated, name):
    assert evaluated[f"pinned-{name}"]["assertions"] == []
    assert evaluated[f"pinned-{name}"]["warnings"] == []


def test_no_refusal_repeats_a_key(evaluated):
    said = " ".join(message for name in REFUSED for message in evaluated[name]["assertions"])
    for key in ("gsk_0123456789abcdefghij", "sk-ant-0123456789abcdef", "hunter2"):
        assert key not in said


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


def test_another_config_changes_the_container_and_its_keys_only(evaluated):
    one, other = evaluated["docker"], evaluated["all"]
    assert one["container"]["volumes"] != other["container"]["volumes"]
    assert one["secrets"]["serviceConfig"]["SetCredential"] == [
        "ANTHROPIC_API_KEY:nixcfg-missing-key"
    ]
    assert [text.split(":")[0] for text in other["secrets"]["serviceConfig"]["SetCredential"]] == [
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "SERVICE_ACCOUNT",
    ]
    assert one["container"]["environment"] == other["container"]["environment"]


def test_keys_come_through_credentials(evaluated):
    service = evaluated["all"]["secrets"]["serviceConfig"]
    assert service["LoadCredential"] == [
        "ANTHROPIC_API_KEY:/etc/nixcfg/secrets/anthropic_api_key.txt",
        "OPENAI_API_KEY:/run/secrets/openai",
    ]
    assert service["LoadCredentialEncrypted"] == ["SERVICE_ACCOUNT:/run/agenix/account"]


def test_wiring_knows_need_and_kind_of_each_key(evaluated):
    script = evaluated["all"]["secrets"]["script"].splitlines()
    assert "wire ANTHROPIC_API_KEY /etc/nixcfg/secrets/anthropic_api_key.txt env optional" in script
    assert "wire OPENAI_API_KEY /run/secrets/openai env optional" in script
    assert "wire SERVICE_ACCOUNT /run/agenix/account file optional" in script


def test_one_missing_key_stops_no_other_model_unless_it_is_required(evaluated):
    def need(case: str, variable: str) -> str:
        lines = evaluated[case]["secrets"]["script"].splitlines()
        (line,) = [line for line in lines if line.startswith(f"wire {variable} ")]
        return line.rsplit(" ", 1)[1]

    assert need("docker", "ANTHROPIC_API_KEY") == "required"  # the only one of `claude`
    assert need("all", "ANTHROPIC_API_KEY") == "optional"
    assert need("required", "ANTHROPIC_API_KEY") == "required"
    assert need("required", "OPENAI_API_KEY") == "required"
    assert need("required", "SERVICE_ACCOUNT") == "optional"
    assert need("not-required", "ANTHROPIC_API_KEY") == "optional"
    assert need("optional", "ANTHROPIC_API_KEY") == "optional"
    assert need("database", "DATABASE_URL") == "required"


def test_file_secrets_are_mounted_read_only_as_a_directory(evaluated):
    assert evaluated["all"]["container"]["volumes"][4:] == [
        "/run/litellm-proxy/files:/run/litellm-proxy/files:ro"
    ]


def test_percent_sign_and_spaces_reach_systemd_as_such(evaluated):
    secrets = evaluated["percent"]["secrets"]
    assert secrets["serviceConfig"]["LoadCredential"] == ["ANTHROPIC_API_KEY:/etc/keys of 100%%/a"]
    assert secrets["unitConfig"]["RequiresMountsFor"] == ['"/etc/keys of 100%%/a"']
    assert "/etc/keys of 100%%" in evaluated["percent"]["watched"]
    assert "wire ANTHROPIC_API_KEY '/etc/keys of 100%/a' env required" in secrets["script"]


def test_master_key_is_generated_unless_there_is_a_file(evaluated):
    assert (
        "\nwire_generated LITELLM_MASTER_KEY master-key\n"
        in evaluated["docker"]["secrets"]["script"]
    )
    own = evaluated["master-key-file"]["secrets"]
    assert "\nwire_generated LITELLM_MASTER_KEY master-key\n" not in own["script"]
    assert "wire LITELLM_MASTER_KEY /run/secrets/master env required" in own["script"]
    assert "LITELLM_MASTER_KEY:/run/secrets/master" in own["serviceConfig"]["LoadCredential"]


def test_open_has_no_master_key_and_says_so_to_litellm(evaluated):
    name = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"
    assert evaluated["open"]["container"]["environment"][name] == "true"
    assert (
        "\nwire_generated LITELLM_MASTER_KEY master-key\n"
        not in evaluated["open"]["secrets"]["script"]
    )
    assert name not in evaluated["docker"]["container"]["environment"]


def test_environment_is_declarative(evaluated):
    environment = evaluated["docker"]["container"]["environment"]
    assert environment["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert environment["LITELLM_MODE"] == "PRODUCTION"
    assert environment["CONFIG_FILE_PATH"] == "/app/config.yaml"
    assert environment["NO_DOCS"] == "True"


@pytest.mark.parametrize("backend", ["docker", "podman"])
def test_keys_are_mounted_and_never_given_to_the_engine(evaluated, backend):
    container = evaluated[backend]["container"]
    assert container["environmentFiles"] == []
    keys = "/run/litellm-proxy/environment"
    assert f"{keys}:{keys}:ro" in container["volumes"]
    assert container["entrypoint"] == "python3"
    assert container["cmd"][:4] == [
        "-I",
        "/app/start.py",
        keys,
        "/app/docker-entrypoint.sh:/app/docker/prod_entrypoint.sh:litellm",
    ]
    assert container["cmd"][4:] == ["--config", "/app/config.yaml", "--port", "4040"]


def test_the_process_is_whom_the_keys_belong_to(evaluated):
    assert evaluated["docker"]["container"]["user"] == "0:0"
    assert evaluated["non-root"]["container"]["user"] == "65534:65534"
    mapped = evaluated["mapped"]
    assert mapped["container"]["user"] == "0:0"
    assert "\ncontainer_uid=100000\n" in mapped["secrets"]["script"]
    assert mapped["secrets"]["serviceConfig"]["CapabilityBoundingSet"] == "CAP_CHOWN"


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


def test_runtime_directory_outlives_the_units(evaluated):
    case = evaluated["podman"]
    for service in (case["secrets"]["serviceConfig"], case["unit"]["serviceConfig"]):
        assert service["RuntimeDirectoryPreserve"] is True
        assert service["RuntimeDirectoryMode"] == "0700"


def test_watched_are_key_files_and_where_links_turn(evaluated):
    assert sorted(evaluated["all"]["watched"]) == [
        "/etc/nixcfg/secrets",
        "/etc/nixcfg/secrets/anthropic_api_key.txt",
        "/run/agenix",
        "/run/agenix.d",
        "/run/agenix/account",
        "/run/secrets",
        "/run/secrets.d",
        "/run/secrets/openai",
        "/var/lib/litellm-proxy/master-key",
    ]


def test_non_root_image_can_read_file_secrets(evaluated):
    assert "\ncontainer_uid=65534\n" in evaluated["non-root"]["secrets"]["script"]
    assert evaluated["non-root"]["secrets"]["serviceConfig"]["CapabilityBoundingSet"] == "CAP_CHOWN"
    assert "\ncontainer_uid=0\n" in evaluated["all"]["secrets"]["script"]
    assert evaluated["all"]["secrets"]["serviceConfig"]["CapabilityBoundingSet"] == ""


def test_module_imported_twice_is_one(evaluated):
    """Two copies, which are the same: the flake's module, and the one beside docker.nix."""
    assert evaluated["beside"]["container"]["ports"] == ["127.0.0.1:4000:4040"]


def test_unknown_config_is_refused_with_the_names_there_are(nix, tmp_path):
    (tmp_path / "case.nix").write_text(
        "{ x = { lib, ... }: { imports = [ { "
        + BASE.replace("./claude.yaml", '"/a"').replace("./all.yaml", '"/b"')
        + ' } { services.litellm-proxy.modelConfig = "cluade"; } ]; }; }'
    )
    with pytest.raises(AssertionError) as refusal:
        nix("cases.nix", cases=str(tmp_path / "case.nix"))
    said = " ".join(str(refusal.value).split())
    assert "services.litellm-proxy.modelConfig" in said
    assert "services.litellm-proxy.configs (all, claude)" in said
    assert "cluade" in said


def test_copies_that_differ_are_refused(nix, tmp_path):
    module = Path(__file__).parents[2] / "modules" / "litellm-proxy"
    copy = tmp_path / "litellm-proxy"
    shutil.copytree(module, copy)
    with (copy / "nginx.nix").open("a") as file:
        file.write("# older\n")
    (tmp_path / "claude.yaml").write_text("")
    (tmp_path / "all.yaml").write_text("")
    (tmp_path / "case.nix").write_text(
        f"{{ x = {{ lib, ... }}: {{ imports = [ {copy} {{ {BASE} }} ]; }}; }}"
    )
    (refusal,) = nix("cases.nix", cases=str(tmp_path / "case.nix"))["x"]["assertions"]
    assert "copies that differ" in refusal
    assert "module: flake" in refusal
