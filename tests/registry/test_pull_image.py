"""`nixcfg pin --nix`: a module that nix reads, with the values that dockerTools.pullImage wants."""

import json
from pathlib import Path

from oci import Project, Registry

from program import Run

EVALUATE = """
let
  module = import ./module.nix {
    lib.fakeHash = "fake";
    pkgs.dockerTools.pullImage = arguments: arguments;
  };
in
module.services.litellm-proxy
"""


def test_the_module(project: Project, images: Registry, named, nix: Run, tmp_path: Path):
    digest = images.push(named(), "v1.106.2")
    text = f"image: {images.host}/{named()}:v1.106.2\n"
    project.write(text)
    done = project.pin("--nix")
    assert done.returncode == 0, done.stderr
    assert project.file.read_text() == text
    (tmp_path / "module.nix").write_text(done.stdout)
    (tmp_path / "evaluate.nix").write_text(EVALUATE)
    found = nix("--eval", "--strict", "--json", tmp_path / "evaluate.nix")
    name = f"{images.host}/{named()}"
    assert json.loads(found.stdout) == {
        "image": f"{name}:v1.106.2",
        "imageFile": {
            "imageName": name,
            "imageDigest": digest,
            "finalImageName": name,
            "finalImageTag": "v1.106.2",
            "tlsVerify": False,
            "hash": "fake",
        },
    }


def test_one_module_for_each_image(project: Project, images: Registry, named):
    images.push(named(), "v1.106.2")
    digest = images.push(named(), "v1.105.0", salt="own")
    image = f"{images.host}/{named()}"
    project.write(
        f"image: {image}:v1.106.2\n"
        "hosts:\n"
        "  a: {}\n"
        f"  b: {{image: '{image}@{digest}'}}\n"
        "  c: {}\n"
    )
    done = project.pin("--nix")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# image\n{ lib, pkgs, ... }:\n")
    assert "\n# hosts.b.image\n{ lib, pkgs, ... }:\n" in done.stdout
    assert f'finalImageTag = "{digest[7:19]}"' in done.stdout
