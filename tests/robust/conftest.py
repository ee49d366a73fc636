import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cli import Cli
from shots import Change, Range, changed

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


@pytest.fixture(scope="session")
def as_owner() -> list[str]:
    """Runs a command so that permissions bind it: root without the right to ignore them."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root ignores permissions, and there is no setpriv here to give that up")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


@pytest.fixture(scope="session")
def strace(tmp_path_factory: pytest.TempPathFactory) -> str:
    program = shutil.which("strace")
    if not program:
        pytest.skip("strace is not installed here")
    log = tmp_path_factory.mktemp("strace") / "log"
    inject = ["-e", "trace=chdir", "-e", "inject=chdir:error=EMFILE", "-o", str(log)]
    probe = subprocess.run(
        [program, "-f", *inject, "sh", "-c", "cd /"], capture_output=True, timeout=30, check=False
    )
    if b"(INJECTED)" not in (log.read_bytes() if log.exists() else b""):
        pytest.skip(f"strace cannot trace or inject here: {probe.stderr.decode().strip()}")
    return program


@pytest.fixture
def shots(cli: Cli, strace: str, tmp_path: Path):
    return lambda change: Range(cli, strace, change, tmp_path)


@pytest.fixture(scope="module")
def change(cli: Cli, rendered_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Change:
    return changed(cli, rendered_project, tmp_path_factory.mktemp("change"), fresh=False)


@pytest.fixture(scope="module")
def first(cli: Cli, rendered_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Change:
    """The very first render of a project."""
    return changed(cli, rendered_project, tmp_path_factory.mktemp("first"), fresh=True)
