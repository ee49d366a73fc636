"""What is pinned, given to a real podman: it pulls it, and the doctor knows it again."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from oci import Project, Registry

Podman = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[Podman]:
    """podman with a store of its own, which `bin/podman` has too."""
    program = shutil.which("podman")
    if program is None:
        pytest.skip("podman is not installed (Debian: podman)")
    short = tempfile.mkdtemp()  # podman takes at most 50 characters
    store = f"--root={tmp_path}/store --runroot={short} --storage-driver=vfs"
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "podman"
    script.write_text(f'#!/bin/sh\nexec {program} {store} "$@"\n')
    script.chmod(0o755)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [script, *arguments], capture_output=True, text=True, check=False, timeout=120
        )

    if run("info").returncode != 0:
        pytest.skip("podman does not run here")
    yield run
    shutil.rmtree(short, ignore_errors=True)


def test_podman_runs_what_is_pinned(
    project: Project, images: Registry, named, podman: Podman, tmp_path: Path
):
    digest = images.push(named(), "v1.106.2")
    name = f"{images.host}/{named()}"
    project.write(f"backend: podman\nimage: {name}:v1.106.2\n")
    assert project.pin().returncode == 0
    pinned = f"{name}:v1.106.2@{digest}"
    assert f"image: {pinned}\n" in project.file.read_text()
    pulled = podman("pull", "--tls-verify=false", pinned)
    assert pulled.returncode == 0, pulled.stderr
    # As the module asks before it fetches (revision.nix).
    assert podman("image", "inspect", pinned).returncode == 0
    assert podman("create", "--name=litellm-proxy", pinned).returncode == 0

    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.write_text("#!/bin/sh\nprintf 'LoadState=loaded\\nActiveState=inactive\\n'\n")
    systemctl.chmod(0o755)

    def doctor() -> dict[str, str]:
        path = f"{tmp_path}/bin:{os.environ['PATH']}"
        done = project.run(
            "-C", project.folder, "doctor", "--json", env={**os.environ, "PATH": path}
        )
        return next(c for c in json.loads(done.stdout)["checks"] if c["name"] == "image")

    assert doctor()["status"] == "ok", doctor()
    moved = images.push(named(), "v1.106.2", salt="another")
    assert project.pin().returncode == 0
    found = doctor()
    assert found["status"] == "warning"
    assert digest in found["message"]
    assert f"nixcfg.yaml pins {moved}" in found["message"]
