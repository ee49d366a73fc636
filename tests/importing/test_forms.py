"""What is made of each form of a container definition and of a configuration, and what is told."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from same import nixcfg

CONFIG = """\
model_list:
- model_name: a
  litellm_params: {model: openai/a}
"""


def imported(folder: Path, service: str, config: str = CONFIG) -> tuple[dict[str, Any], list[str]]:
    """nixcfg.yaml of what a compose file with this service becomes, and what is told on the way."""
    (folder / "config.yaml").write_text(config)
    file = folder / "compose.yaml"
    rest = "\n".join(f"    {line}" for line in service.splitlines())
    file.write_text(f"services:\n  llm:\n    volumes: [./config.yaml:/app/config.yaml]\n{rest}\n")
    out = folder / "gateway"
    code, told, err = nixcfg("import", file, "--out", out, "--json")
    assert code == 0, err
    assert nixcfg("-C", out, "validate")[0] == 0
    notes = [f"{note['line']}: {note['message']}" for note in json.loads(told)["notes"]]
    return yaml.safe_load((out / "nixcfg.yaml").read_text()), notes


IMAGE = "image: docker.io/litellm/litellm:v1.106.2\n"
SERVICES: dict[str, tuple[str, dict[str, Any], str]] = {
    "workers of the command": (
        IMAGE + "command: --config /app/config.yaml --num_workers 3",
        {"workers": 3, "environment": None},
        "",
    ),
    "workers of the environment": (
        IMAGE + "environment: {NUM_WORKERS: 4}",
        {"workers": 4, "environment": None},
        "",
    ),
    "workers that the machine knows": (
        IMAGE + "environment: ['NUM_WORKERS=${N}']",
        {"workers": None, "environment": None},
        "5: how many workers there are is not known here",
    ),
    "workers without end": (
        IMAGE + "command: [--num_workers, '500']",
        {"workers": None},
        "5: how many workers there are is not known here",
    ),
    "what the module sets": (
        IMAGE + "environment: {LITELLM_MODE: PRODUCTION, PORT: 8000, DEBUG: true}",
        {"environment": {"DEBUG": "true"}, "port": 4000},
        "5: LITELLM_MODE: the NixOS module sets it by itself",
    ),
    "no image": ("command: [litellm]", {"image": None}, ""),
    "an image with a variable": (
        "image: litellm/litellm:${TAG}",
        {"image": None},
        "4: image is no plain name; nixcfg's own is used",
    ),
    "a host that only the machine knows": (
        IMAGE + "network_mode: host\ncommand: [--host, gateway.lan, --port, '4100']",
        {"listen_address": "127.0.0.1", "port": 4100},
        "",
    ),
    "the network of the machine": (
        IMAGE + "network_mode: host\ncommand: [--host, 0.0.0.0, --port, '${PORT:-4200}']",
        {"listen_address": "0.0.0.0", "port": 4200},
        "",
    ),
    "a port for all": (
        IMAGE + "ports: [4100]",
        {"listen_address": "0.0.0.0", "port": 4100},
        "5: published on all interfaces",
    ),
    "a long port": (
        IMAGE + "ports: [{target: 4000, published: 4300, host_ip: 10.0.0.1}, '9090:9090']",
        {"listen_address": "10.0.0.1", "port": 4300},
        "5: a second published port, 9090:9090",
    ),
    "a key with a default": (
        IMAGE + "environment: {OPENAI_API_KEY: '${OPENAI_API_KEY:-sk-none}'}",
        {"environment": None},
        "",
    ),
    "a name that is none": (
        IMAGE + "environment: {a-b: c}",
        {"environment": None},
        "5: a variable whose name nixcfg does not take",
    ),
    "several lines": (
        IMAGE + 'environment: {WORDS: "a\\nb"}',
        {"environment": None},
        "5: WORDS has several lines",
    ),
    "the config elsewhere": (
        IMAGE + "environment: {CONFIG_FILE_PATH: /app/config.yaml, DOLLARS: $$5}",
        {"environment": {"DOLLARS": "$5"}},
        "",
    ),
}


@pytest.mark.parametrize("name", SERVICES)
def test_services(name: str, tmp_path: Path):
    service, expected, told = SERVICES[name]
    project, notes = imported(tmp_path, service)
    assert {key: project.get(key) for key in expected} == expected
    assert any(note.startswith(told) for note in notes)


def configured(folder: Path, config: str) -> tuple[Path, dict[str, Any], list[str]]:
    """The project that a configuration becomes, its nixcfg.yaml, and what is told on the way."""
    file = folder / "config.yaml"
    file.write_text(config)
    out = folder / "gateway"
    code, told, err = nixcfg("import", file, "--out", out, "--json")
    assert code == 0, err
    assert nixcfg("-C", out, "validate")[0] == 0
    notes = [f"{note['line']}: {note['message']}" for note in json.loads(told)["notes"]]
    return out, yaml.safe_load((out / "nixcfg.yaml").read_text()), notes


CONFIGS: dict[str, tuple[str, list[str], str]] = {
    "a model from the environment": (
        CONFIG + "- model_name: b\n  litellm_params: {model: os.environ/MODEL}\n",
        ["from-environment", "openai"],
        "",
    ),
    "a pattern that no vendor answers": (
        CONFIG + "- model_name: '*'\n  litellm_params: {model: 'my-*'}\n",
        ["openai"],
        "4: LiteLLM drops it: no provider for my-*",
    ),
    "a section that LiteLLM ignores": (
        CONFIG + "tests: {a: 1}\n",
        ["openai"],
        "4: LiteLLM ignores a top-level tests",
    ),
    "an empty section": (CONFIG + "litellm_settings:\n", ["openai"], ""),
    "included files": (
        CONFIG + "include: [other.yaml]\n",
        ["openai"],
        "4: include: name the included files on the command line as well",
    ),
    "a blocked variable": (
        CONFIG + "environment_variables: {PATH: /bin, A: b}\n",
        ["openai"],
        "4: LiteLLM does not let a file set PATH",
    ),
    "a default that is never filled in": (
        CONFIG.replace("openai/a", "openai/a, api_base: '${BASE:-http://10.0.0.1/v1}'"),
        ["openai"],
        "3: LiteLLM expands no ${BASE:-...}; it is os.environ/BASE now",
    ),
    "a guardrail in Python": (
        CONFIG
        + "guardrails:\n- guardrail_name: g\n  litellm_params: {guardrail: mine.Guard, mode: x}\n",
        ["openai"],
        "5: a guardrail needs the Python module of mine.Guard",
    ),
    "one callback in Python": (
        CONFIG + "litellm_settings: {callbacks: mine.handler}\n",
        ["openai"],
        "4: callbacks needs the Python module of mine.handler",
    ),
    "authentication in Python": (
        CONFIG + "general_settings: {custom_auth: mine.auth}\n",
        ["openai"],
        "4: custom_auth needs Python code",
    ),
    "a key in a description": (
        CONFIG + "  model_info: {token: hunter2}\n",
        ["openai"],
        "",
    ),
    "a server of one's own": (
        CONFIG.replace("openai/a", "openai/a, api_base: http://10.0.0.1/v1, api_key: none"),
        ["openai"],
        "3: looks like a placeholder, not a key; kept in line 3",
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configurations(name: str, tmp_path: Path):
    config, providers, told = CONFIGS[name]
    out, _, notes = configured(tmp_path, config)
    assert sorted(file.stem for file in (out / "providers").iterdir()) == providers
    assert any(note.startswith(told) for note in [*notes, ""])


KEYS: dict[str, tuple[str, str]] = {
    "an environment variable": (
        CONFIG + "environment_variables: {GROQ_API_KEY: %s}\n",
        "GROQ_API_KEY",
    ),
    "a parameter of no vendor": (
        CONFIG.replace("openai/a", "openai/a, aws_session_token: %s"),
        "OPENAI_AWS_SESSION_TOKEN",
    ),
    "a credential by name": (
        CONFIG.replace("openai/a", "openai/a, litellm_credential_name: team-1")
        + "credential_list:\n- credential_name: team-1\n"
        "  credential_values: {api_key: %s}\n  credential_info: {}\n",
        "TEAM_1_API_KEY",
    ),
    "a header": (
        CONFIG.replace("openai/a", "openai/a, extra_headers: {Authorization: %s}"),
        "OPENAI_AUTHORIZATION",
    ),
    "a password in an address": (
        CONFIG + "litellm_settings:\n  cache_params: {type: redis, url: redis://u:%s@10.0.0.1}\n",
        "CACHE_URL",
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_gets_the_name_of_what_it_is_for(name: str, tmp_path: Path):
    text, variable = KEYS[name]
    key = "sk-proj-0123456789abcdefghij"
    out, _, notes = configured(tmp_path, text % key)
    assert any(f"it is {variable} now" in note for note in notes), notes
    written = [each.read_text() for each in out.rglob("*") if each.is_file()]
    assert any(variable in each for each in written)
    assert not any(key in each for each in [*written, *notes])


def test_one_container_is_enough(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(f"services: {{{name}: {{image: x/litellm}}}}\n")
    code, _, err = nixcfg(
        "import", tmp_path / "a.yaml", tmp_path / "b.yaml", "--out", tmp_path / "o"
    )
    assert code == 1
    assert f"{tmp_path}/a.yaml and {tmp_path}/b.yaml each define the container" in err


def test_the_configuration_of_a_container_may_be_elsewhere(tmp_path: Path):
    """Of several that are named, the one that is called as the container says is loaded."""
    for name in ("one", "two"):
        text = CONFIG.replace("name: a", f"name: {name}").replace("openai/a", f"openai/{name}")
        (tmp_path / f"{name}.yaml").write_text(text)
    file = tmp_path / "compose.yaml"
    file.write_text(
        "services:\n  llm:\n    image: x/litellm:v1\n    command: --config /c/two.yaml\n"
        "    volumes: [/srv/two.yaml:/c/two.yaml]\n"
    )
    out = tmp_path / "gateway"
    files = (tmp_path / "one.yaml", tmp_path / "two.yaml")
    assert nixcfg("import", file, *files, "--out", out)[0] == 0
    assert yaml.safe_load((out / "nixcfg.yaml").read_text())["model_config"] == "two"


def test_what_lies_beside_the_configurations_is_none(tmp_path: Path):
    (tmp_path / "claude.yaml").write_text(CONFIG)
    (tmp_path / "other.yaml").write_text("a: 1\n")
    pytest.importorskip("tree_sitter_nix")
    file = tmp_path / "x.nix"
    file.write_text(
        'let chosen = "claude"; in { virtualisation.oci-containers.containers.llm = {\n'
        'image = "x/litellm:v1"; volumes = [ "./${chosen}.yaml:/app/config.yaml" ]; }; }'
    )
    out = tmp_path / "gateway"
    assert nixcfg("import", file, "--out", out)[0] == 0
    assert [each.name for each in (out / "providers").iterdir()] == ["claude.yaml"]


def test_a_vendors_variables_are_declared_where_others_are(tmp_path: Path):
    """A section that declares variables already is written again with those of the container."""
    _, notes = imported(
        tmp_path,
        IMAGE + "environment: [OPENAI_ORGANIZATION, ANTHROPIC_API_KEY]",
        CONFIG + "environment_variables:\n  OPENAI_API_KEY: ${OPENAI_API_KEY}\n",
    )
    text = (tmp_path / "gateway" / "providers" / "openai.yaml").read_text()
    assert yaml.safe_load(text)["environment_variables"] == {
        "OPENAI_API_KEY": "${OPENAI_API_KEY}",
        "OPENAI_ORGANIZATION": "${OPENAI_ORGANIZATION}",
    }
    assert any("ANTHROPIC_API_KEY: no model here is answered by anthropic" in n for n in notes)


def test_a_file_of_which_nothing_is_left_is_told(tmp_path: Path):
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    files[0].write_text(CONFIG)
    files[1].write_text(CONFIG.replace("openai/a", "opnai/b").replace("name: a", "name: b"))
    out = tmp_path / "gateway"
    code, _, err = nixcfg("import", *files, "--out", out)
    assert code == 0, err
    assert "b.yaml:1:1: left-out: no model is left of this file" in err
    assert [each.name for each in (out / "providers").iterdir()] == ["a.yaml"]


def test_what_is_in_error_in_a_section_written_anew_is_told_at_the_section(tmp_path: Path):
    """Its `{ }` has no lines of its own, so that its comments and places are gone."""
    out, project, notes = configured(
        tmp_path,
        CONFIG.replace("model_list", "# models\nmodel_list")
        + "router_settings: {routing_strategy: best, num_retries: 2, model_group_alias: {}}\n",
    )
    assert any("routing_strategy cannot be best" in note for note in notes)
    assert project.get("router_settings", {}).get("routing_strategy") is None
    assert out.is_dir()
