"""Where docker.nix takes the NixOS module from: a copy beside it, the user, or a path."""

import hashlib
import shutil
from pathlib import Path

import pytest

from nixcfg import check
from nixcfg.doctor import Status
from nixcfg.doctor.files import rendered
from nixcfg.project import wiring
from nixcfg.project.find import read_project
from nixcfg.project.model import Project
from nixcfg.render.files import rendered_files

ROOT = Path(__file__).parents[2]
PROVIDER = """\
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4o}
"""


def project(folder: Path, settings: str) -> Project:
    (folder / "providers").mkdir(exist_ok=True)
    (folder / "providers" / "openai.yaml").write_text(PROVIDER)
    (folder / "nixcfg.yaml").write_text(settings)
    found = check.validate(read_project(folder)).project
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("settings", "imports"),
    [
        ("port: 4000\n", "imports = [ ./litellm-proxy ];"),
        ("module: bundled\n", "imports = [ ./litellm-proxy ];"),
        ("module: flake\n", ""),
        ("module: ./nix/litellm\n", "imports = [ ../nix/litellm ];"),
        ("module: ../shared/litellm\n", "imports = [ ../../shared/litellm ];"),
        ("module: /etc/nixos/litellm\n", "imports = [ /etc/nixos/litellm ];"),
    ],
)
def test_docker_nix_imports_what_is_said(tmp_path, settings, imports):
    files = rendered_files(project(tmp_path, settings))
    text = files["docker.nix"].decode()
    assert imports in text
    assert ("imports" in text) == bool(imports)
    bundled = [path for path in files if path.startswith(f"{wiring.MODULE}/")]
    assert bool(bundled) == ("./litellm-proxy" in imports)


def test_hosts_import_the_same_module(tmp_path):
    files = rendered_files(project(tmp_path, "module: ./module\nhosts: {a: {}}\n"))
    assert b"imports = [ ../../../module ];" in files["hosts/a/docker.nix"]


@pytest.mark.parametrize("module", ["bundle", "<nixpkgs>", "/a b", "./", "nix/module", "./x;y"])
def test_other_words_are_refused(tmp_path, module):
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "openai.yaml").write_text(PROVIDER)
    (tmp_path / "nixcfg.yaml").write_text(f"module: '{module}'\n")
    assert check.validate(read_project(tmp_path)).project is None


@pytest.mark.parametrize("module", ["flake", "./module"])
def test_the_options_are_set_all_the_same(tmp_path, module, nix):
    """docker.nix as data, with the module imported beside it or by the path that is said."""
    for path, content in rendered_files(project(tmp_path, f"module: {module}\n")).items():
        file = tmp_path / "rendered" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    shutil.copytree(ROOT / "modules" / "litellm-proxy", tmp_path / "module")
    beside = "(import @root@/default.nix { }).nixosModules.default" if module == "flake" else ""
    expression = f"""
      (import <nixpkgs/lib>).evalModules {{ modules = [
        {tmp_path}/rendered/docker.nix {beside}
        {{ _module.check = false; _module.args.pkgs = {{ }}; }}
      ]; }}"""
    asked = f"({expression}).config.services.litellm-proxy.modelConfig"
    done = nix("--eval", "--strict", "--read-write-mode", "-E", asked.replace("@root@", str(ROOT)))
    assert done.stdout.strip() == '"all"', done.stderr


def test_a_copy_that_is_behind_is_called_so(tmp_path, nixcfg):
    found = project(tmp_path, "port: 4000\n")
    assert nixcfg("-C", tmp_path, "render").returncode == 0
    copy = tmp_path / "rendered" / wiring.MODULE / "nginx.nix"
    manifest = tmp_path / "rendered" / "manifest.json"
    older = b"# older\n"
    digests = [hashlib.sha256(each).hexdigest() for each in (copy.read_bytes(), older)]
    manifest.write_text(manifest.read_text().replace(*digests))
    copy.write_bytes(older)
    done = nixcfg("-C", tmp_path, "render", "--check")
    assert done.returncode == 1
    assert "The module in rendered/ is not that of this nixcfg" in done.stderr
    (looked,) = rendered(tmp_path, found)
    assert looked.status is Status.ERROR
    assert looked.message.endswith("is not that of this nixcfg: 1 file of litellm-proxy/")
