"""`nixcfg doctor` on the project and what was rendered, and its report as text."""

import shutil
from pathlib import Path

from day import Cli
from examined import told


def test_rendered_files_that_cannot_be_read(cli: Cli, doctor, project: Path):
    assert cli(project, "render").code == 0
    shutil.rmtree(project / "rendered")
    (project / "rendered").symlink_to("rendered")
    told(doctor(code=1)["rendered"], "error", "symbolic links", "Make it readable for you")


def test_the_project_and_what_was_rendered(cli: Cli, project: Path, doctor):
    told(doctor()["project"], "warning", "nixcfg validate")
    file = project / "nixcfg.yaml"
    file.write_text(file.read_text().partition("environment:")[0])
    found = doctor()
    told(found["project"], "ok", "no problems")
    told(found["rendered"], "error", "docker.nix", "nixcfg render")
    assert cli(project, "render").code == 0
    told(doctor()["rendered"], "ok")
    docker = project / "rendered" / "docker.nix"
    docker.write_text(docker.read_text() + "# mine\n")
    told(doctor()["rendered"], "warning", "edited by hand", "docker.nix")
    (project / "providers" / "openai.yaml").write_text("model_list: 5\n")
    found = doctor(code=1)
    told(found["project"], "error", "1 error", "nixcfg validate")
    assert list(found) == ["project"]


def test_as_text(cli: Cli, project: Path):
    done = cli(project, "doctor")
    assert done.code == 1
    line = "error    rendered: rendered/ is not up to date: docker.nix"
    assert line in done.out
    assert "\n         > Run `nixcfg render`.\n" in done.out
    assert " ok, " in done.err
