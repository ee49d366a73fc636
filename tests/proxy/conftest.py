import os
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from gateway import gateways
from vendor import Vendor
from vendors import Anthropic, Gemini, OpenAI

ORIGINAL = Path(__file__).parents[1] / "cases" / "original"


@pytest.fixture(scope="session")
def start():
    """`gateway.gateways`; skips where there is no LiteLLM proxy to start."""
    absent = [m for m in ("litellm", "fastapi", "uvicorn", "apscheduler") if not find_spec(m)]
    if absent:
        pytest.skip(f"litellm[proxy] is not installed here: no {', '.join(absent)}")
    return gateways


@pytest.fixture(scope="session")
def render() -> Callable[[Path], Path]:
    """`nixcfg render` in a project, as a user runs it; gives the folder with the LiteLLM files."""
    nixcfg = shlex.split(os.environ.get("NIXCFG", "")) or [sys.executable, "-P", "-m", "nixcfg"]

    def run(project: Path) -> Path:
        command = [*nixcfg, "-C", str(project), "render"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return project / "rendered" / "litellm"

    return run


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in the root of this repository: three providers, not yet rendered."""
    project = tmp_path_factory.mktemp("project")
    shutil.copy(ORIGINAL / "nixcfg.yaml", project)
    (project / "providers").mkdir()
    for name in ("claude", "openai", "gemini"):
        shutil.copy(ORIGINAL / "providers" / f"{name}.yaml", project / "providers")
    return project


@pytest.fixture(scope="module")
def litellm(render: Callable[[Path], Path], project: Path) -> Path:
    """The LiteLLM files that the project's own root renders to."""
    return render(project)


@pytest.fixture(scope="module")
def vendors() -> Iterator[dict[str, Vendor]]:
    """The three stand-ins by the name of the provider file that leads to them."""
    token = secrets.token_hex
    with (
        Anthropic(f"sk-ant-api03-{token(24)}") as claude,
        OpenAI(f"sk-proj-{token(24)}") as openai,
        Gemini(f"AIza{token(18)}") as gemini,
    ):
        yield {"claude": claude, "openai": openai, "gemini": gemini}


@pytest.fixture(scope="module")
def secrets_dir(vendors: dict[str, Vendor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key files as a user leaves them: two with the newline that `echo` adds, one without."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "anthropic_api_key.txt").write_text(vendors["claude"].key + "\n")
    (folder / "openai_api_key.txt").write_text(vendors["openai"].key + "\n")
    (folder / "gemini_api_key.txt").write_text(vendors["gemini"].key)
    return folder
