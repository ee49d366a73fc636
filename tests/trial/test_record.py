"""`nixcfg test --record` on the real LiteLLM: what it writes passes, and fails when it should."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from gateway import gateway
from tested import run
from vendors import OpenAI

pytest.importorskip("litellm", reason="LiteLLM is not installed: pip install 'nixcfg[proxy]'")
pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-P", "-m", "nixcfg", "-C"]
PROJECT = {
    "nixcfg.yaml": "model_config: all\n",
    "providers/openai.yaml": """\
model_list:
  - {model_name: gpt, litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}}
  - model_name: embed
    litellm_params: {model: openai/text-embedding-3-small, api_key: os.environ/OPENAI_API_KEY}
environment_variables: {OPENAI_API_KEY: "${OPENAI_API_KEY}"}
litellm_settings: {num_retries: 0}
router_settings: {fallbacks: [{gpt: [claude]}]}
""",
    "providers/claude.yaml": """\
model_list:
  - model_name: claude
    litellm_params: {model: anthropic/claude-haiku-4-5, api_key: os.environ/ANTHROPIC_API_KEY}
environment_variables: {ANTHROPIC_API_KEY: "${ANTHROPIC_API_KEY}"}
""",
}
KEY = "sk-the-master-key-of-a-test-0123456789abcdef"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for path, text in PROJECT.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def kept(project: Path, text: str) -> str:
    (project / "tests").mkdir(exist_ok=True)
    (project / "tests/recorded.yaml").write_text(text)
    return "tests/recorded.yaml"


@pytest.fixture
def tried(project: Path) -> Iterator[tuple[str, str]]:
    """`nixcfg try --mock` of the project: its URL and its master key."""
    child = subprocess.Popen(
        [*PROGRAM, str(project), "try", "--mock"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert child.stdout is not None
    seen = ""
    try:
        for line in child.stdout:
            seen += line
            found = re.search(r"http://127\.0\.0\.1:\d+", seen), re.search(r"sk-[0-9a-f]{48}", seen)
            if all(found):
                yield found[0][0], found[1][0]
                return
        raise AssertionError(seen)
    finally:
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)


def test_what_is_recorded_passes_until_something_breaks(project: Path, tried: tuple[str, str]):
    url, key = tried
    done = run(project, "--record", url, key=key)
    assert done.returncode == 0, done.stderr
    assert key not in done.stdout + done.stderr
    assert [(each["name"], each["expect"]) for each in yaml.safe_load(done.stdout)["cases"]] == [
        ("claude answers", {"status": 200, "answered_by": "anthropic/claude-haiku-4-5"}),
        ("gpt answers", {"status": 200, "answered_by": "openai/gpt-4o"}),
    ]
    assert "embed: answers no chat" in done.stderr
    file = kept(project, done.stdout)
    done = run(project, file)
    assert done.returncode == 0, done.stdout + done.stderr

    provider = project / "providers/openai.yaml"
    provider.write_text(provider.read_text().replace("model_name: gpt,", "model_name: gpt-4o,"))
    provider.write_text(provider.read_text().replace("{gpt: [claude]}", "{gpt-4o: [claude]}"))
    done = run(project, file)
    assert done.returncode == 1
    assert "There are: claude, embed, gpt-4o." in done.stderr


def test_a_fallback_is_recorded_as_one(project: Path, tmp_path: Path):
    with OpenAI("sk-proj-of-the-vendor") as vendor:
        answers = {"model": "openai/other", "api_base": f"{vendor.url}/v1", "api_key": vendor.key}
        down = {"model": "openai/gpt-4o", "api_base": "http://127.0.0.1:9/v1", "api_key": "sk-none"}
        config = tmp_path / "config.yaml"
        config.write_text(
            yaml.safe_dump(
                {
                    "model_list": [
                        {"model_name": "gpt", "litellm_params": down},
                        {"model_name": "claude", "litellm_params": answers},
                    ],
                    "litellm_settings": {"num_retries": 0},
                    "router_settings": {"fallbacks": [{"gpt": ["claude"]}]},
                }
            )
        )
        with gateway(config, {}, KEY, tmp_path / "log") as running:
            url = f"http://127.0.0.1:{running.port}"
            done = run(project, "--record", url, "-k", "gpt", key=KEY)
            refused = run(project, "--record", url, "-k", "gpt", key="sk-wrong")
    assert done.returncode == 0, done.stderr
    (case,) = yaml.safe_load(done.stdout)["cases"]
    assert case["name"] == "claude takes over from gpt"
    assert case["vendors"] == {"openai/gpt-4o": {"status": 503}}
    assert case["expect"]["answered_by"] == "anthropic/claude-haiku-4-5"
    assert refused.returncode == 1
    assert "does not take this master key" in refused.stderr

    file = kept(project, done.stdout)
    assert run(project, file).returncode == 0
    provider = project / "providers/openai.yaml"
    provider.write_text(provider.read_text().replace("fallbacks: [{gpt: [claude]}]", "timeout: 9"))
    assert run(project, file).returncode == 1


def test_a_key_in_an_answer_is_in_no_output(project: Path, tmp_path: Path):
    """What a vendor says of a wrong key, and a master key that is not LiteLLM's to show."""
    secret = "sk-proj-Zx81mQpLr72sTvWy93uKcDfGhJ"
    with OpenAI("sk-proj-of-the-vendor") as vendor:
        told = vendor.error(401, f"Incorrect API key provided: {secret}")
        vendor.behave_as(*[lambda _: told] * 9)
        config = tmp_path / "config.yaml"
        params = {"model": "openai/x", "api_base": f"{vendor.url}/v1", "api_key": vendor.key}
        config.write_text(
            yaml.safe_dump(
                {
                    "model_list": [{"model_name": "gpt", "litellm_params": params}],
                    "litellm_settings": {"num_retries": 0},
                }
            )
        )
        with gateway(config, {}, KEY, tmp_path / "log") as running:
            url = f"http://127.0.0.1:{running.port}"
            done = run(project, "--record", url, "-k", "gpt", key=KEY)
    assert done.returncode == 1
    assert "gpt: 401 Incorrect API key provided: " in done.stderr  # LiteLLM may hide it, too
    assert secret not in done.stdout + done.stderr
    assert KEY not in done.stdout + done.stderr
    assert "cases:" not in done.stdout
