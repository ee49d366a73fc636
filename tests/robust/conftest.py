import shutil
from pathlib import Path

import pytest
from cli import Cli

ORIGINAL = Path(__file__).parents[1] / "cases" / "original"


@pytest.fixture(scope="session")
def cli() -> Cli:
    return Cli()


@pytest.fixture(scope="session")
def rendered_project(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in the root of this repository, rendered; for copying, not for changing."""
    project = tmp_path_factory.mktemp("template") / "project"
    (project / "providers").mkdir(parents=True)
    shutil.copy(ORIGINAL / "nixcfg.yaml", project)
    for name in ("claude", "openai", "gemini"):
        shutil.copy(ORIGINAL / "providers" / f"{name}.yaml", project / "providers")
    done = cli("-C", project, "render")
    assert done.code == 0, done.err
    return project


@pytest.fixture
def project(rendered_project: Path, tmp_path: Path) -> Path:
    """A rendered project of this test's own."""
    return Path(shutil.copytree(rendered_project, tmp_path / "project", symlinks=True))
