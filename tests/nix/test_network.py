"""What the container reaches of its machine, and which other containers reach it."""

from typing import Any

import pytest

BASE = """
  services.litellm-proxy = {
    enable = true;
    backend = lib.mkDefault "docker";
    modelConfig = "local";
    configs.local.file = lib.mkDefault ./local.yaml;
  };
"""
OLLAMA = (
    'services.litellm-proxy.environment.OLLAMA_API_BASE = "http://host.containers.internal:11434";'
)

# name: what is added to BASE
SOUND = {
    "plain": "",
    "docker": "services.litellm-proxy.hostPorts = [ 11434 8000 ];",
    "podman": """services.litellm-proxy = { backend = "podman"; hostPorts = [ 11434 ]; };""",
    "fleet": """services.litellm-proxy = {
      hostPorts = [ 11434 ]; instances = 2; redis.createLocally = true; };""",
    "open": 'services.litellm-proxy.auth = "open";',
    "open-podman": """services.litellm-proxy = { backend = "podman"; auth = "open"; };""",
    "own-network": 'services.litellm-proxy.extraOptions = [ "--network=backend" ];',
    "dns": 'services.litellm-proxy.dns = [ "192.168.1.1" "fd00::53" ];',
    "opened": OLLAMA + "services.litellm-proxy.hostPorts = [ 11434 ];",
    "opened-to-all": OLLAMA + "networking.firewall.allowedTCPPorts = [ 11434 ];",
    "opened-as-a-range": OLLAMA
    + "networking.firewall.allowedTCPPortRanges = [ { from = 11000; to = 12000; } ];",
    "opened-on-the-bridge": OLLAMA
    + "networking.firewall.interfaces.docker0.allowedTCPPorts = [ 11434 ];",
    "trusted": OLLAMA + 'networking.firewall.trustedInterfaces = [ "docker0" ];',
    "no-firewall": OLLAMA + "networking.firewall.enable = false;",
    "elsewhere": """services.litellm-proxy.environment.OLLAMA_API_BASE =
      "http://myhost.containers.internal.example.org:11434";""",
    "comment": "services.litellm-proxy.configs.local.file = ./comment.yaml;",
}

# name: (what is added to BASE, what the warning names, the fix)
WARNED = {
    "environment": (OLLAMA, "services.litellm-proxy.environment.OLLAMA_API_BASE", "[ 11434 ]"),
    "docker-name": (
        """services.litellm-proxy.environment.API_BASE = "http://host.docker.internal:8000/v1";""",
        "services.litellm-proxy.environment.API_BASE",
        "services.litellm-proxy.hostPorts = [ 8000 ]",
    ),
    "docker-bridge": (
        """services.litellm-proxy.environment.API_BASE = "http://172.17.0.1:8000/v1";""",
        "services.litellm-proxy.environment.API_BASE",
        "[ 8000 ]",
    ),
    "podman-bridge": (
        """services.litellm-proxy = { backend = "podman";
          environment.API_BASE = "http://10.88.0.1:8000/v1"; };""",
        "services.litellm-proxy.environment.API_BASE",
        "[ 8000 ]",
    ),
    "bridge-moved": (
        """virtualisation.docker.daemon.settings.bip = "10.200.0.1/24";
        services.litellm-proxy.environment.API_BASE = "http://10.200.0.1:8000/v1";""",
        "services.litellm-proxy.environment.API_BASE",
        "[ 8000 ]",
    ),
    "port-of-the-scheme": (
        """services.litellm-proxy.environment.API_BASE = "https://host.containers.internal/v1";""",
        "services.litellm-proxy.environment.API_BASE",
        "[ 443 ]",
    ),
    "file": (
        "services.litellm-proxy.configs.local.file = ./ollama.yaml;",
        "services.litellm-proxy.configs.local.file",
        "[ 8000 11434 ]",
    ),
    "database": (
        """services.litellm-proxy.database = {
          host = "host.containers.internal"; passwordFile = "/keys/database"; };""",
        "services.litellm-proxy.database.host",
        "[ 5432 ]",
    ),
    "redis": (
        """services.litellm-proxy.redis = { host = "host.containers.internal"; port = 6380; };""",
        "services.litellm-proxy.redis.host",
        "[ 6380 ]",
    ),
    "one-more": (
        OLLAMA + "services.litellm-proxy.hostPorts = [ 5432 ];",
        "services.litellm-proxy.environment.OLLAMA_API_BASE",
        "[ 5432 11434 ]",
    ),
    "opened-on-another-bridge": (
        OLLAMA + "networking.firewall.interfaces.podman0.allowedTCPPorts = [ 11434 ];",
        "services.litellm-proxy.environment.OLLAMA_API_BASE",
        "[ 11434 ]",
    ),
    "hidden-ollama": (
        """options.services.ollama = lib.mkOption { type = lib.types.anything; };
        config.services.ollama = { enable = true; host = "127.0.0.1"; port = 11434; };
        config.services.litellm-proxy.hostPorts = [ 11434 ];""",
        'services.ollama.host = "127.0.0.1"',
        'Set services.ollama.host = "0.0.0.0"',
    ),
}

# name: (what is added to BASE, what the message names, the fix)
REFUSED = {
    "ports-on-an-unknown-bridge": (
        """services.litellm-proxy = { hostPorts = [ 11434 ];
          extraOptions = [ "--network=backend" ]; };""",
        "services.litellm-proxy.hostPorts",
        "networking.firewall.interfaces.<bridge>.allowedTCPPorts = [ 11434 ]",
    ),
    "open-among-others": (
        """services.litellm-proxy = { auth = "open"; extraOptions = [ "--net" "backend" ]; };""",
        'services.litellm-proxy.auth = "open"',
        "remove --network",
    ),
    "old-podman": (
        """services.litellm-proxy = { backend = "podman"; hostPorts = [ 11434 ]; };
        virtualisation.podman.package = pkgs.podman // { version = "4.5.1"; };""",
        "services.litellm-proxy.hostPorts with podman 4.5.1",
        "Use podman 4.6 or newer",
    ),
    "open-with-an-old-podman": (
        """services.litellm-proxy = { backend = "podman"; auth = "open"; };
        virtualisation.podman.package = pkgs.podman // { version = "4.3.1"; };""",
        "services.litellm-proxy.auth with podman 4.3.1",
        "or docker",
    ),
    "open-among-others-by-another-module": (
        """services.litellm-proxy.auth = "open";
        virtualisation.oci-containers.containers.litellm-proxy.extraOptions = [ "--net=b" ];""",
        'services.litellm-proxy.auth = "open" with a network of your own (--network=b)',
        "remove --network",
    ),
    "name-as-name-server": (
        'services.litellm-proxy.dns = [ "1.1.1.1" "one.one.one.one" ];',
        "services.litellm-proxy.dns: `one.one.one.one`",
        'such as "192.168.1.1"',
    ),
    **{
        f"podman-{name}": (
            f"""services.litellm-proxy = {{ backend = "podman"; listenAddress = "{address}";
              openFirewall = {opened}; }};""",
            f'services.litellm-proxy.listenAddress = "{address}" with podman',
            "Set services.litellm-proxy.nginx.enable = true",
        )
        for name, address, opened in [
            ("loopback6", "::1", "false"),
            ("wildcard6", "::", "true"),
            ("network6", "2001:db8::1", "true"),
        ]
    },
    **{
        f"address-{number}": (
            f'services.litellm-proxy.listenAddress = "{address}";',
            f'services.litellm-proxy.listenAddress = "{address}" is not an IP address',
            'such as "127.0.0.1"',
        )
        for number, address in enumerate(
            [
                "127.0.0.256",
                "127.0.0",
                "127.0.0.01",
                "::1::",
                "fe80::1%eth0",
                "1:2:3",
                "",
                "::ffff1",
            ]
        )
    },
    "port-0": (
        "services.litellm-proxy.port = 0;",
        "services.litellm-proxy.port = 0",
        "from 1 to 65535",
    ),
    "instance-port-0": (
        "services.litellm-proxy.instancePort = 0;",
        "services.litellm-proxy.instancePort = 0",
        "from 1 to 65535",
    ),
}

Case = dict[str, Any]


@pytest.fixture(scope="module")
def evaluated(nix, tree, tmp_path_factory) -> dict[str, Case]:
    """Every case of this file, evaluated."""
    folder = tmp_path_factory.mktemp("network")
    (folder / "local.yaml").write_text("model_list: []\n")
    (folder / "comment.yaml").write_text("# api_base: http://host.containers.internal:11434\n")
    (folder / "ollama.yaml").write_text(
        "model_list:\n"
        "- litellm_params: {api_base: 'http://host.containers.internal:11434'}\n"
        "- litellm_params: {api_base: http://host.containers.internal:8000/v1}\n"
    )
    snippets = {
        **SOUND,
        **{name: text for name, (text, _, _) in WARNED.items()},
        **{name: text for name, (text, _, _) in REFUSED.items()},
    }
    (folder / "cases.nix").write_text(
        "let base = { lib, ... }: {"
        + BASE
        + "}; in {\n"
        + "\n".join(
            f'"{name}" = {{ lib, pkgs, ... }}: {{ imports = [ base {{ {text} }} ]; }};'
            for name, text in snippets.items()
        )
        + "\n}\n"
    )
    return nix("cases.nix", cases=str(folder / "cases.nix"), **tree)


@pytest.mark.parametrize("name", SOUND)
def test_sound_configuration_has_nothing_to_complain_of(evaluated, name):
    assert evaluated[name]["assertions"] == []
    assert evaluated[name]["warnings"] == []


@pytest.mark.parametrize("name", WARNED)
def test_warned(evaluated, name):
    _, where, fix = WARNED[name]
    assert evaluated[name]["assertions"] == []
    (warning,) = evaluated[name]["warnings"]
    said = " ".join(warning.split())
    assert where in said
    assert fix in said


@pytest.mark.parametrize("name", REFUSED)
def test_refused(evaluated, name):
    _, where, fix = REFUSED[name]
    (refusal,) = evaluated[name]["assertions"]
    assert where in refusal
    assert fix in refusal


@pytest.mark.parametrize("name", ["docker", "podman", "fleet"])
def test_exactly_these_ports_are_opened_on_exactly_this_bridge(evaluated, name):
    ports = [8000, 11434] if name == "docker" else [11434]
    assert evaluated[name]["bridges"]["litellm-proxy"] == ports
    assert evaluated[name]["firewall"] == []
    others = {key: value for key, value in evaluated[name]["bridges"].items() if value}
    assert list(others) == ["litellm-proxy"]


@pytest.mark.parametrize("name", ["docker", "podman", "fleet", "open", "open-podman"])
def test_container_is_alone_in_a_network(evaluated, name):
    case = evaluated[name]
    networks = case["native"].get("networks")
    assert ("--network=litellm-proxy" in case["container"]["extraOptions"]) == (networks is None)
    assert networks in (None, ["litellm-proxy"])
    backend = "podman" if "podman" in name else "docker"
    # Rules for a bridge that is called otherwise would open nothing, without a word.
    bridge = {
        "docker": "--opt=com.docker.network.bridge.name=litellm-proxy",
        "podman": "--interface-name=litellm-proxy",
    }
    assert f"{backend} network create {bridge[backend]} " in case["unit"]["preStart"]
    assert f"{backend} network rm litellm-proxy" in case["unit"]["postStop"]


@pytest.mark.parametrize("name", ["plain", "own-network", "dns"])
def test_network_of_its_own_exists_only_where_it_is_needed(evaluated, name):
    case = evaluated[name]
    assert "--network=litellm-proxy" not in case["container"]["extraOptions"]
    assert not case["native"].get("networks")
    assert "network create" not in case["unit"]["preStart"]
    assert "litellm-proxy" not in case["bridges"]


def test_name_servers_are_those_asked_for(evaluated):
    options = evaluated["dns"]["container"]["extraOptions"]
    assert [o for o in options if "--dns" in o] == ["--dns=192.168.1.1", "--dns=fd00::53"]
