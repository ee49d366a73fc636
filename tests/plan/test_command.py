"""What the command says where it cannot know: every reason at once, and exit code 1."""

import json
from pathlib import Path

import pytest

from nixcfg.plan import facts
from program import Run

PROJECT = {
    "nixcfg.yaml": "model_config: all\n",
    "providers/openai.yaml": "model_list:\n"
    "  - {model_name: gpt, litellm_params: {model: openai/gpt-5.6}}\n"
    'environment_variables: {OPENAI_API_KEY: "${OPENAI_API_KEY}"}\n',
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    if Path(facts.DEPLOYED).exists():
        pytest.skip("a gateway runs here")
    for path, text in PROJECT.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_without_a_gateway(nixcfg: Run, project: Path):
    done = nixcfg("-C", project, "plan")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: there is no {facts.DEPLOYED} here")
    assert "nixcfg plan HOST" in done.stderr


def test_every_reason_at_once(nixcfg: Run, project: Path):
    (project / "nixcfg.yaml").write_text("model_config: none\nport: many\n")
    done = nixcfg("-C", project, "plan", "--json")
    assert done.returncode == 1
    ours, theirs = json.loads(done.stdout)["cannot_know"]
    assert ours == "the sources have errors (nixcfg validate)"
    assert theirs.startswith(f"there is no {facts.DEPLOYED} here")
    assert "nixcfg.yaml:2:7" in done.stderr


def test_without_a_project_it_is_no_usage_error(nixcfg: Run, project: Path):
    """For whom 2 says that a switch changes something."""
    done = nixcfg("-C", project.parent, "plan")
    assert done.returncode == 1
    assert "no nixcfg.yaml" in done.stderr
    assert "there is no" in done.stderr


def test_a_host_that_is_none_of_them(nixcfg: Run, project: Path):
    (project / "nixcfg.yaml").write_text("model_config: all\nhosts: {alpha: {}, beta: {}}\n")
    done = nixcfg("-C", project, "plan", "root@alpah.example.invalid", "--json")
    assert done.returncode == 1
    ours, theirs = json.loads(done.stdout)["cannot_know"]
    assert ours == "no host is called alpah; did you mean alpha?"
    assert theirs.startswith(("ssh root@alpah.example.invalid: ", "there is no ssh here"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "cannot be understood"),
        ("{", "cannot be understood"),
        ('{"access": "", "config": "/dev/null"}', "has no 'image': another nixcfg wrote it"),
    ],
)
def test_what_another_nixcfg_wrote(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, reason: str
):
    file = tmp_path / "litellm-proxy.json"
    file.write_text(text)
    monkeypatch.setattr(facts, "DEPLOYED", str(file))
    with pytest.raises(facts.UnknownDeploymentError, match=reason):
        facts.deployed()
