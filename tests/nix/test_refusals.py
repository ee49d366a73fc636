"""What the module refuses, and how it says what to do instead."""

import shutil
from pathlib import Path

import pytest
from evaluation import BASE, Case, evaluate

# name: (what is added to BASE, the option that the message begins with or names, the fix)
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


@pytest.fixture(scope="module")
def evaluated(nix, tree, tmp_path_factory) -> dict[str, Case]:
    """Every case of this file, evaluated."""
    cases = {name: [text] for name, (text, _, _) in REFUSED.items()}
    return evaluate(nix, tmp_path_factory.mktemp("refusals"), cases, **tree)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(evaluated, name):
    _, where, fix = REFUSED[name]
    assert len(evaluated[name]["assertions"]) == 1
    assert where in evaluated[name]["assertions"][0]
    assert fix in evaluated[name]["assertions"][0]


def test_no_refusal_repeats_a_key(evaluated):
    said = " ".join(message for name in REFUSED for message in evaluated[name]["assertions"])
    for key in ("gsk_0123456789abcdefghij", "sk-ant-0123456789abcdef", "hunter2"):
        assert key not in said


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
