"""What the newest oci-containers has options for: used where it has them, refused all the same."""

from typing import Any

import pytest

BASE = """
  services.litellm-proxy = {
    enable = true;
    backend = lib.mkDefault "podman";
    modelConfig = "claude";
    configs.claude = { file = ./claude.yaml; secrets = [ "ANTHROPIC_API_KEY" ]; };
    secrets.ANTHROPIC_API_KEY.file = "/etc/nixcfg/secrets/key.txt";
  };
"""
CONTAINER = "virtualisation.oci-containers.containers.litellm-proxy"
DOCKER = 'services.litellm-proxy.backend = "docker";'

SOUND = {
    "podman": "",
    "docker": DOCKER,
    "archive": "services.litellm-proxy.imageFile = pkgs.docker;",
    "stream": "services.litellm-proxy.imageStream = pkgs.docker;",
    "open": 'services.litellm-proxy.auth = "open";',
    "own-network": f'{CONTAINER}.networks = [ "backend" ];',
    "conmon": f'{CONTAINER}.podman.sdnotify = "conmon";',
}

ROOTLESS = f"""
  options.users.users = lib.mkOption {{ type = lib.types.attrsOf lib.types.anything; }};
  config.users.users.gateway = {{ uid = 1000; linger = false; home = "/home/gateway"; }};
  config.{CONTAINER}.podman.user = "gateway";"""

# name: (what is added to BASE, what the message says, the fix)
REFUSED = {
    "network": (f'{CONTAINER}.networks = [ "host" ];', "--network=host puts", "Remove"),
    "privileged": (f"{CONTAINER}.privileged = true;", "--privileged makes", "Remove"),
    "capability": (f"{CONTAINER}.capabilities.SYS_ADMIN = true;", "`SYS_ADMIN`", "Remove"),
    "rootless-podman": (ROOTLESS, 'podman.user = "gateway"', "Remove it."),
    "open-among-others": (
        f"""services.litellm-proxy.auth = "open"; {CONTAINER}.networks = [ "backend" ];""",
        'services.litellm-proxy.auth = "open" with a network of your own (--network=backend)',
        "remove --network",
    ),
    "two-images": (
        "services.litellm-proxy = { imageFile = pkgs.docker; imageStream = pkgs.docker; };",
        "are two images",
        "Remove one of the two.",
    ),
}


def evaluate(nix: Any, folder: Any, cases: dict[str, str], **arguments: str) -> Any:
    (folder / "claude.yaml").write_text("model_list: []\n")
    (folder / "cases.nix").write_text(
        "let base = { lib, ... }: {"
        + BASE
        + "}; in {\n"
        + "\n".join(
            f'"{name}" = {{ lib, pkgs, ... }}: {{ imports = [ base {{ {text} }} ]; }};'
            if "options." not in text
            else f'"{name}" = {{ lib, pkgs, ... }}: {{ imports = [ base ]; {text} }};'
            for name, text in cases.items()
        )
        + "\n}\n"
    )
    return nix("cases.nix", cases=str(folder / "cases.nix"), **arguments)


@pytest.fixture(scope="module")
def evaluated(nix, newer, tmp_path_factory) -> Any:
    """Every case of this file, evaluated."""
    cases = {**SOUND, **{name: text for name, (text, _, _) in REFUSED.items()}}
    return evaluate(nix, tmp_path_factory.mktemp("native"), cases, **newer)


@pytest.fixture(scope="module")
def older(nix, tmp_path_factory) -> Any:
    """Those that an older one can have."""
    cases = {name: SOUND[name] for name in ("podman", "archive", "stream", "open")}
    return evaluate(nix, tmp_path_factory.mktemp("older"), cases)


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


def test_a_unit_is_active_when_its_container_is_healthy(evaluated):
    assert evaluated["podman"]["native"]["podman"]["sdnotify"] == "healthy"
    assert evaluated["conmon"]["native"]["podman"]["sdnotify"] == "conmon"
    assert not evaluated["docker"]["native"]["podman"]


def test_a_loaded_image_is_never_fetched(evaluated, older):
    assert evaluated["docker"]["native"]["pull"] == "missing"
    for name in ("archive", "stream"):
        assert evaluated[name]["native"]["pull"] == "never"
        assert "--pull=never" not in evaluated[name]["container"]["extraOptions"]
    assert "pull" not in older["archive"]["native"]
    assert "--pull=never" in older["archive"]["container"]["extraOptions"]


def test_capabilities(evaluated, older):
    assert evaluated["podman"]["native"]["capabilities"] == {"ALL": False}
    assert "--cap-drop=ALL" not in evaluated["podman"]["container"]["extraOptions"]
    assert "--cap-drop=ALL" in older["podman"]["container"]["extraOptions"]


def test_networks(evaluated, older):
    assert evaluated["podman"]["native"]["networks"] == []
    assert evaluated["open"]["native"]["networks"] == ["litellm-proxy"]
    assert "--network=litellm-proxy" in older["open"]["container"]["extraOptions"]


def test_a_stream_of_an_image_needs_the_option(older):
    (refusal,) = older["stream"]["assertions"]
    assert "oci-containers of this nixpkgs has no such option" in refusal
    assert "Set services.litellm-proxy.imageFile" in refusal
