"""What the module warns of, such as an image that names no release."""

import pytest
from evaluation import Case, evaluate

# name: (what is added to BASE, the option that the warning names, the fix)
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


@pytest.fixture(scope="module")
def evaluated(nix, tree, tmp_path_factory) -> dict[str, Case]:
    """Every case of this file, evaluated."""
    cases = {name: [text] for name, (text, _, _) in WARNED.items()}
    for name, image in PINNED.items():
        cases[f"pinned-{name}"] = [f'services.litellm-proxy.image = "{image}";']
    return evaluate(nix, tmp_path_factory.mktemp("warnings"), cases, **tree)


@pytest.mark.parametrize("name", WARNED)
def test_warned(evaluated, name):
    _, where, fix = WARNED[name]
    assert evaluated[name]["assertions"] == []
    (warning,) = evaluated[name]["warnings"]
    assert where in warning
    assert fix in warning


@pytest.mark.parametrize("name", PINNED)
def test_pinned_image_is_fine(evaluated, name):
    assert evaluated[f"pinned-{name}"]["assertions"] == []
    assert evaluated[f"pinned-{name}"]["warnings"] == []
