"""One provider with errors, and what goes on with the others."""

import shutil
from pathlib import Path

import pytest

from program import HERE, Run

KEY = "sk-proj-" + "aB3" * 40


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(HERE / "cases" / "original", folder, ignore=shutil.ignore_patterns("expected"))
    (folder / "providers" / "gemini.yaml").write_text("model_list: 3\n")
    return folder


def test_a_key_of_another_provider_is_stored(project: Path, tmp_path: Path, nixcfg: Run) -> None:
    target = tmp_path / "key"
    done = nixcfg("-C", project, "set-key", "openai", "--file", target, input=KEY)
    assert done.returncode == 0, done.stderr
    assert target.read_text().strip() == KEY
    assert "providers/gemini.yaml has errors" in done.stderr
    assert "claude" not in done.stderr  # whose warnings have nothing to do with it


def test_another_provider_can_be_chosen(project: Path, nixcfg: Run) -> None:
    assert nixcfg("-C", project, "use", "openai").returncode == 0
    assert "model_config: openai" in (project / "nixcfg.yaml").read_text()


@pytest.mark.parametrize("config", ["gemini", "all", "nowhere"])
def test_what_needs_the_broken_one_cannot(config: str, project: Path, nixcfg: Run) -> None:
    before = (project / "nixcfg.yaml").read_text()
    done = nixcfg("-C", project, "use", config)
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    assert (project / "nixcfg.yaml").read_text() == before


def test_where_the_project_file_is_broken_only_that_is_reported(project: Path, nixcfg: Run) -> None:
    (project / "nixcfg.yaml").write_text("port: high\n")
    done = nixcfg("-C", project, "set-key", "openai", input=KEY)
    assert done.returncode == 1
    assert "nixcfg.yaml:1:7" in done.stderr
    assert "gemini" not in done.stderr


def test_warnings_of_other_files_are_not_repeated(tmp_path: Path, nixcfg: Run) -> None:
    folder = tmp_path / "project"
    shutil.copytree(HERE / "cases" / "original", folder, ignore=shutil.ignore_patterns("expected"))
    done = nixcfg("-C", folder, "add-provider", "groq", "--model", "openai/gpt-oss-20b")
    assert done.returncode == 0
    assert "warning" not in done.stderr


def test_render_elsewhere_says_what_it_would_do(project: Path, tmp_path: Path, nixcfg: Run) -> None:
    (project / "providers" / "gemini.yaml").unlink()
    out = tmp_path / "papers"
    out.mkdir()
    (out / "thesis.tex").write_text("mine")
    done = nixcfg("-C", project, "render", "--out", out)
    assert done.returncode == 1
    assert "thesis.tex" in done.stderr
    assert "overwrite" not in done.stderr
    assert "writes over" not in done.stderr
    (out / "docker.nix").write_text("mine, too")
    done = nixcfg("-C", project, "render", "--out", out)
    assert "writes over docker.nix" in done.stderr
    assert nixcfg("-C", project, "render", "--out", out, "--force").returncode == 0
    assert (out / "thesis.tex").read_text() == "mine"
