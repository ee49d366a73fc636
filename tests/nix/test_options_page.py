"""docs/options.md is what the module declares, and the image is what the knowledge is about."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("nixos")


@pytest.fixture(scope="module")
def declared(nix) -> list[dict[str, str | None]]:
    return nix(ROOT / "nix" / "options.nix", lib="import <nixpkgs/lib>")


def test_page_is_what_the_module_declares():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "options_doc.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_every_option_says_what_it_is(declared):
    assert len(declared) > 20
    for option in declared:
        assert option["description"].strip(), option["name"]
        assert option["type"], option["name"]
        assert option["example"], option["name"]


def test_image_is_the_release_that_the_knowledge_was_generated_from(declared):
    knowledge = json.loads((ROOT / "nixcfg" / "knowledge" / "litellm.json").read_text())
    (image,) = [o["default"] for o in declared if o["name"] == "services.litellm-proxy.image"]
    assert image == f'"ghcr.io/berriai/litellm:v{knowledge["litellm_version"]}"'


def test_version_of_the_module_is_that_of_nixcfg(nix):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = nix(ROOT / "modules" / "litellm-proxy" / "version.nix")
    assert version.startswith(f"{project['version']} (")
