"""Commands know what the release in the project's image knows, not what the default one does."""

from pathlib import Path

import pytest
from in_process import call

from nixcfg import check, knowledge
from nixcfg.project.find import read_project

NEWEST = "1.110.2"
PROVIDER = "opencode_go"
"""A provider of the newest known release that the default one does not have."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert call("init", "gateway", cwd=tmp_path).returncode == 0
    return tmp_path / "gateway"


def take(project: Path, release: str) -> None:
    file = project / "nixcfg.yaml"
    file.write_text(file.read_text() + f"image: ghcr.io/berriai/litellm:v{release}\n")


def test_the_provider_is_new():
    assert knowledge.default().provider(PROVIDER) is None
    assert knowledge.of(NEWEST).provider(PROVIDER) is not None


@pytest.mark.parametrize("folder", [".", "providers"])
def test_models_are_those_of_the_release(project: Path, folder: str):
    new = next(
        name
        for name, facts in knowledge.of(NEWEST).models("openai").items()
        if facts.mode == "chat" and name not in knowledge.models("openai")
    )
    assert call("models", f"openai/{new}", cwd=project / folder).returncode == 1
    take(project, NEWEST)
    assert f"openai/{new}" in call("models", f"openai/{new}", cwd=project / folder).stdout
    # What one command asked is forgotten by the next.
    assert knowledge.current() is knowledge.default()


def test_a_provider_of_the_release_can_be_added(project: Path):
    arguments = ("add-provider", PROVIDER, "--model", "glm-5")
    assert call(*arguments, cwd=project).returncode != 0
    take(project, NEWEST)
    done = call(*arguments, cwd=project)
    assert done.returncode == 0, done.stderr
    assert call("validate", cwd=project).returncode == 0


def test_import_judges_by_the_image_that_it_finds(tmp_path: Path):
    (tmp_path / "config.yaml").write_text(
        f"model_list:\n- model_name: m\n  litellm_params:\n    model: {PROVIDER}/glm-5\n"
    )
    compose = tmp_path / "compose.yaml"
    text = (
        "services:\n  litellm:\n    image: ghcr.io/berriai/litellm:v{}\n"
        "    volumes: ['./config.yaml:/app/config.yaml']\n    command: --config /app/config.yaml\n"
    )
    compose.write_text(text.format(NEWEST))
    done = call("import", "compose.yaml", "--out", "new", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Key files that the machine needs" in done.stderr
    compose.write_text(text.format(knowledge.LITELLM_VERSION))
    assert call("import", "compose.yaml", "--out", "old", cwd=tmp_path).returncode == 1


def test_what_runs_here_judges_whatever_the_image_names(project: Path):
    file = project / "providers" / "claude.yaml"
    text = file.read_text()
    file.write_text(f"{text}\nrouter_settings:\n  fallbacks: [{{claude-sonnet: claude-sonnet}}]\n")
    take(project, "1.106.2")
    sources = read_project(project)

    def messages() -> str:
        return "\n".join(p.message for p in check.validate(sources).problems)

    assert "LiteLLM 1.106.2 would try" in messages()
    with knowledge.running("1.108.14"):
        assert "LiteLLM 1.108.14 does not start" in messages()
        assert knowledge.current().version == "1.108.14"
    assert "LiteLLM 1.106.2 would try" in messages()
