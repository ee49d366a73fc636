from pathlib import Path

import pytest
from roster import Run


@pytest.fixture
def project(project: Path, tmp_path: Path) -> Path:
    """A project whose keys are kept in a folder of this test's own."""
    file = project / "nixcfg.yaml"
    file.write_text(file.read_text().replace("/etc/nixcfg/secrets", str(tmp_path / "keys")))
    return project


@pytest.fixture
def groq(run: Run, tmp_path: Path) -> Path:
    """Where the key of a provider of the project belongs."""
    run("add-provider", "groq")
    return tmp_path / "keys" / "groq_api_key.txt"
