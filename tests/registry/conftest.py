"""A project whose image is in a real registry on loopback."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from oci import Project, Registry, registry

from program import Run

PROVIDER = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
"""


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry for every test; each test pushes under a name of its own."""
    with registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture
def project(tmp_path: Path, nixcfg: Run) -> Project:
    folder = tmp_path / "project"
    (folder / "providers").mkdir(parents=True)
    (folder / "providers" / "openai.yaml").write_text(PROVIDER)
    home = tmp_path / "home"
    home.mkdir()
    return Project(folder, home, nixcfg)


@pytest.fixture
def named(request: pytest.FixtureRequest) -> Callable[[], str]:
    """A repository of this test's own, with the word litellm in it."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")
    return lambda: f"{name}/litellm"
