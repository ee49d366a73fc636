"""What is known of the inside of LiteLLM's images: in image.nix, by release, and nowhere else."""

import json
import re
from pathlib import Path

import pytest

from nixcfg.knowledge import known
from nixcfg.project import wiring
from program import ROOT

MODULE = ROOT / "modules" / "litellm-proxy"
INSIDE = (MODULE / "image.nix").read_text(encoding="utf-8")

ELSEWHERE = {
    # They are what LiteLLM serves, and not what the container is started with.
    "access.py": {"/health/readiness"},
    # The user's own settings are refused under these names.
    "assert-keys.nix": {
        "CONFIG_FILE_PATH",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY",
        "LITELLM_MODE",
        "NUM_WORKERS",
    },
    # Which configuration to read is in the environment that it is started with; its page says
    # where the other one is.
    "start.py": {"CONFIG_FILE_PATH", "/tmp"},
    # The host's own.
    "watched.nix": {"/tmp"},
}


def facts() -> set[str]:
    """Texts of image.nix that say something of the image: paths, variables, users, ports."""
    code = re.sub(r"#[^\n]*", "", INSIDE)
    variables = re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", code)
    paths = re.findall(r'"(/[a-z/.-]+[a-z])', code)
    return {*variables, *paths, "4040", "65534", '"nobody"', "python3 -c"}


def test_the_facts_are_seen():
    assert {"/app/config.yaml", "/health/liveliness", "/tmp", "NO_DOCS", "NUM_WORKERS"} <= facts()


@pytest.mark.parametrize(
    "file",
    [
        *(f for f in sorted(MODULE.iterdir()) if f.suffix in (".nix", ".py", ".sh")),
        *(f for f in sorted((ROOT / "templates").rglob("*")) if f.is_file()),
    ],
    ids=lambda file: file.name,
)
def test_no_other_file_says_it_again(file: Path):
    if file.name == "image.nix":
        return
    text = re.sub(r"(?m)^\s*#[^\n]*", "", file.read_text(encoding="utf-8"))
    said = {fact for fact in facts() if re.search(rf"(?<![\w/]){re.escape(fact)}(?!\w)", text)}
    assert said == ELSEWHERE.get(file.name, set())


def test_python_and_the_module_mean_the_same_paths():
    assert f'configFile = "{wiring.CONTAINER_CONFIG}";' in INSIDE


@pytest.fixture(scope="module")
def inside(nix, tmp_path_factory: pytest.TempPathFactory):
    """What image.nix says of each of some images."""
    program = tmp_path_factory.mktemp("image") / "image.nix"
    program.write_text(
        f"""{{ images }}: let lib = import <nixpkgs/lib>; in lib.genAttrs images (image: let
          inside = import {MODULE}/image.nix {{
            inherit lib;
            milliseconds = _: null;
            cfg = {{ inherit image; auth = "master-key"; nonRootImage = false; health.timeout = "8s"; }};
          }};
        in {{ inherit (inside) release; tables = inside.has "tables"; }})
        """  # noqa: E501
    )

    def of(*images: str):
        return nix(program, images=" ".join(["[", *map(json.dumps, images), "]"]))

    return of


@pytest.mark.parametrize("form", ["v{}", "{}", "main-v{}-stable"])
def test_each_known_release_is_read_from_its_tag(inside, form: str):
    images = {f"ghcr.io/berriai/litellm:{form.format(each)}": each for each in known()}
    found = inside(*images)
    assert {image: each["release"] for image, each in found.items()} == images
    assert all(each["tables"] for each in found.values())


def test_what_an_image_is_too_old_for(inside):
    found = inside(
        "ghcr.io/berriai/litellm:v1.90.5",
        "ghcr.io/berriai/litellm:v1.90.6",
        "ghcr.io/berriai/litellm:latest",
        f"ghcr.io/berriai/litellm@sha256:{'0' * 64}",
        "registry.example/gateway:v1.2.3",
    )
    assert {
        image.rpartition("/")[2].split("@")[0]: each["tables"] for image, each in found.items()
    } == {
        "litellm:v1.90.5": False,
        "litellm:v1.90.6": True,
        "litellm:latest": True,
        "litellm": True,
        "gateway:v1.2.3": True,
    }
