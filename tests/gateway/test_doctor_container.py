"""`nixcfg doctor` on the container, of which a `docker` on PATH says what the real one says."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from day import Cli
from examined import UNIT, inspected, settings, told, unit

from nixcfg.project.wiring import DEFAULT_IMAGE


def test_the_container(cli: Cli, doctor, stand_in, project: Path):
    assert cli(project, "render").code == 0

    def docker(text: str) -> dict[str, dict[str, Any]]:
        return doctor(PATH=stand_in("docker", f"cat <<'E'\n{text}\nE"))

    found = docker(inspected(project, "whole"))
    told(found["container"], "ok", "running (healthy)")
    told(found["deployed"], "ok", "whole")
    told(found["image"], "ok")
    told(docker(inspected(project, "claude"))["deployed"], "warning", "loads claude")
    unhealthy = inspected(project, "whole", Health={"Status": "unhealthy"})
    told(docker(unhealthy)["container"], "error", "running (unhealthy)", "docker logs")
    other = inspected(project, "whole").replace(
        DEFAULT_IMAGE, "ghcr.io/berriai/litellm:main-latest"
    )
    told(docker(other)["image"], "warning", "main-latest runs", "nixos-rebuild switch")
    told(docker("no JSON")["container"], "skipped")
    for answer, status, message in (
        ("Cannot connect to the Docker daemon", "error", "daemon does not answer"),
        ("permission denied while trying to connect", "skipped", "answers only root"),
    ):
        path = stand_in("docker", f"echo '{answer}' >&2; exit 1")
        told(doctor(PATH=path)["container"], status, message)


def test_containers_that_do_not_serve(doctor, stand_in):
    def docker(**state: object) -> dict[str, Any]:
        text = json.dumps([{"State": state}])
        return doctor(PATH=stand_in("docker", f"echo '{text}'"))["container"]

    told(docker(Status="exited"), "error", "exited (no health)", "docker logs --tail 50")
    told(docker(Status="running"), "ok", "running (no health)")
    starting = {"Status": "starting"}
    told(docker(Status="running", Health=starting), "warning", "(starting)", "in a minute")
    told(docker(Status="running", Healthcheck=starting), "warning", "(starting)")


def test_no_such_container(doctor, stand_in):
    path = stand_in("docker", "echo 'Error: No such container: litellm-proxy' >&2; exit 1")
    check = doctor(PATH=path)["container"]
    if os.geteuid() == 0:
        told(check, "error", "docker has no container litellm-proxy", f"start {UNIT}")
    else:
        told(check, "skipped", "docker answers only root")


def test_what_is_deployed_cannot_be_read(doctor, stand_in, project: Path):
    text = inspected(project, "whole")
    path = stand_in("docker", f"cat <<'E'\n{text}\nE")
    check = doctor(PATH=path)["deployed"]
    told(check, "skipped", "rendered/litellm/whole.yaml cannot be read: No such file")
    # Of a start script that is none, and of a container without the file, no one knows.
    script = project / "start"
    script.write_bytes(b"\xff\xfe")
    stand_in("docker", """echo '[{"State": {}, "Mounts": [{"Destination": "/tmp"}]}]'""")
    for started in (f"{{ path={script} ; }}", "{ path=/gone ; }", ""):
        path = stand_in("systemctl", unit("inactive", ExecStart=started))
        told(doctor(PATH=path)["deployed"], "skipped", "is not known here")


def test_podman_has_no_such_container(doctor, project: Path):
    if not shutil.which("podman") or os.geteuid() != 0:
        pytest.skip("needs podman, and root")
    settings(project, backend="podman")
    check = doctor()["container"]
    told(check, "error", "podman has no container litellm-proxy", "podman-litellm-proxy.service")


def test_what_is_deployed_is_in_the_start_script(cli: Cli, doctor, stand_in, project: Path):
    """The script of the unit is in the Nix store, where everyone can read it."""
    assert cli(project, "render").code == 0
    deployed = project / "deployed.yaml"
    shutil.copy(project / "rendered" / "litellm" / "whole.yaml", deployed)
    script = project / "start"
    script.write_text(f"exec docker run -v {deployed}:/app/config.yaml:ro image\n")
    started = f"{{ path={script} ; argv[]={script} ; ignore_errors=no }}"
    stand_in("docker", "echo no >&2; exit 1")
    path = stand_in("systemctl", unit("inactive", ExecStart=started))
    told(doctor(PATH=path)["deployed"], "ok", "loads whole as it is rendered")
    deployed.write_text("model_list: []\n")
    told(doctor(PATH=path)["deployed"], "error", "is not what is rendered", "nixos-rebuild")


def test_the_containers_of_several_instances(cli: Cli, doctor, stand_in, project: Path):
    settings(project, instances=2, redis="local")
    assert cli(project, "render").code == 0
    good = inspected(project, "whole")
    script = f"case $3 in litellm-proxy-[12]) cat <<'E'\n{good}\nE\n;; *) exit 1;; esac"
    found = doctor(PATH=stand_in("docker", script))
    told(found["container"], "ok", "running (healthy)")
    told(found["deployed"], "ok", "whole")
    other = inspected(project, "claude")
    script = f"case $3 in *-1) cat <<'E'\n{good}\nE\n;; *) cat <<'E'\n{other}\nE\n;; esac"
    told(doctor(PATH=stand_in("docker", script))["deployed"], "warning", "loads claude")
