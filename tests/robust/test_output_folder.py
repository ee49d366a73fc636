"""An output folder that cannot be written, or is none: replaced as a whole, or left as it was."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cli import Cli, change, names, refused, snapshot


@pytest.fixture
def expected(cli: Cli, project: Path, tmp_path: Path):
    """What the changed project renders to."""
    copy = shutil.copytree(project, tmp_path / "copy")
    change(copy)
    assert cli("-C", copy, "render").code == 0
    return snapshot(copy / "rendered")


@pytest.mark.usefixtures("expected")
def test_project_that_cannot_be_written_to(cli: Cli, project: Path, as_owner: list[str]):
    before = snapshot(project / "rendered")
    change(project)
    project.chmod(0o555)
    done = cli("-C", project, "render", before=as_owner)
    project.chmod(0o755)
    refused(done)
    assert snapshot(project / "rendered") == before
    assert names(project) == ["nixcfg.yaml", "providers", "rendered"]


@pytest.mark.parametrize("folder", ["rendered", "rendered/litellm"])
def test_output_that_cannot_be_written_to(
    folder: str, expected: object, cli: Cli, project: Path, as_owner: list[str]
):
    """Replaced as a whole or left as it was, and nothing left over beside it either way."""
    change(project)
    (project / folder).chmod(0o555)
    before = snapshot(project / "rendered")
    done = cli("-C", project, "render", before=as_owner)
    assert "Traceback" not in done.said
    if done.code == 0:
        assert snapshot(project / "rendered") == expected
    else:
        refused(done)
        assert snapshot(project / "rendered") == before
    assert names(project) == ["nixcfg.yaml", "providers", "rendered"]


@pytest.mark.parametrize(
    "put",
    [
        pytest.param(lambda p: p.write_text("a file\n"), id="file"),
        pytest.param(lambda p: p.symlink_to("rendered"), id="symlink_loop"),
        pytest.param(lambda p: p.symlink_to("nowhere"), id="dangling_symlink"),
        pytest.param(os.mkfifo, id="named_pipe"),
    ],
)
def test_something_else_in_its_place(put: Callable[[Path], object], cli: Cli, project: Path):
    shutil.rmtree(project / "rendered")
    put(project / "rendered")
    before = snapshot(project)
    done = cli("-C", project, "render")
    refused(done)
    assert "rendered" in done.err
    assert snapshot(project) == before


def test_a_named_pipe_among_the_rendered_files(cli: Cli, project: Path):
    """It must not be waited for, whatever else becomes of it."""
    os.mkfifo(project / "rendered" / "pipe")
    for command in (["render", "--check"], ["render"]):
        done = cli("-C", project, *command)
        assert done.code in (0, 1)
        assert "Traceback" not in done.said
    change(project)
    done = cli("-C", project, "render")
    assert done.code in (0, 1), done.said
    assert names(project) == ["nixcfg.yaml", "providers", "rendered"]


def test_foreign_files_in_it_are_kept(cli: Cli, project: Path):
    """`--out` at a folder of somebody else's must not cost that folder's content."""
    other = project / "home"
    other.mkdir()
    (other / "thesis.tex").write_text("five years of work\n")
    done = cli("-C", project, "render", "--out", other)
    assert "Traceback" not in done.said
    assert done.code in (0, 1), done.said
    assert (other / "thesis.tex").read_text() == "five years of work\n"
