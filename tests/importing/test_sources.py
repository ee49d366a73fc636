"""The forms in which a source says the same thing."""

from pathlib import Path

import pytest
import yaml
from same import nixcfg

from nixcfg.importing import Container, compose
from nixcfg.yamltext import reader

MODEL = "model_list:\n- model_name: a\n  litellm_params: {model: ollama/a}\n"


def service(text: str, more: str = "") -> Container:
    body = "".join(f"    {line}\n" for line in text.splitlines())
    whole = f"services:\n  llm:\n    image: litellm/litellm\n{body}{more}"
    return compose.read(reader.parse(whole, "compose.yaml"))


@pytest.mark.parametrize(
    ("ports", "address", "port"),
    [
        ('["8080:4000"]', "0.0.0.0", 8080),
        ('["4000"]', "0.0.0.0", 4000),
        ('["[::1]:80:4000/tcp"]', "::1", 80),
        ("[{target: 4000, published: 81, host_ip: 127.0.0.2}]", "127.0.0.2", 81),
        ('["${BIND:-127.0.0.1}:${PORT:-4100}:4000"]', "127.0.0.1", 4100),
        ('["4000-4010:4000"]', None, None),
        ("[]", None, None),
    ],
)
def test_ports_of_compose(ports: str, address: str | None, port: int | None):
    found = service(f"ports: {ports}")
    assert (found.listen_address, found.port) == (address, port)


def test_the_first_port_counts():
    found = service('ports: ["127.0.0.1:1:4000", "127.0.0.1:2:4000"]')
    assert found.port == 1
    assert [note.message for note in found.notes] == ["a second published port, 127.0.0.1:2:4000"]


@pytest.mark.parametrize(
    "text",
    [
        "command: --config /app/c.yaml\nvolumes: [./c.yaml:/app/c.yaml]",
        "command: litellm -c /app/c.yaml\nvolumes: [./c.yaml:/app/c.yaml:ro,z]",
        "command: [--config=/c.yaml]\nvolumes: [{type: bind, source: ./c.yaml, target: /c.yaml}]",
        "command: [--config, /app/sub/c.yaml]\nvolumes: [.:/app/sub]",
        "environment: {CONFIG_FILE_PATH: /app/c.yaml}\nvolumes: [./c.yaml:/app/c.yaml]",
        "volumes: [./c.yaml:/app/config.yaml]",
        "command: --config /c\nconfigs: [{source: c, target: /c}]",
    ],
)
def test_where_compose_finds_its_configuration(text: str):
    found = service(text, "configs:\n  c: {file: ./c.yaml}\n")
    assert found.config is not None
    assert Path(found.config.path) == Path("c.yaml")
    assert not found.environment


def test_a_configuration_inside_compose(tmp_path: Path):
    inner = "".join(f"      {line}\n" for line in MODEL.splitlines())
    (tmp_path / "compose.yaml").write_text(
        "services:\n  llm:\n    image: litellm/litellm\n    configs: [c, other]\n"
        f"configs:\n  other: {{external: true}}\n  c:\n    content: |\n{inner}"
    )
    code, _, err = nixcfg("import", tmp_path / "compose.yaml", "--out", tmp_path / "out")
    assert code == 0, err
    assert "the config other" in err
    data = yaml.safe_load((tmp_path / "out" / "providers" / "ollama.yaml").read_text())
    assert data == yaml.safe_load(MODEL)


def test_variables_of_compose():
    found = service(
        "environment:\n  A: 1\n  B: true\n  C:\n  D_KEY: ${D_KEY:-sk-default}\n  E: a$$b\n"
        "  F: |\n    two\n    lines\n  'G-H': x\n  REDIS_URL: redis://:pw@redis:6379\n  I: $I_ALL\n"
        "env_file:\n- .env\n- path: other.env"
    )
    assert found.environment == {"A": "1", "B": "true", "E": "a$b"}
    assert set(found.secrets) == {"C", "D_KEY", "REDIS_URL", "I"}
    told = " ".join(note.message for note in found.notes)
    for words in (
        "F has several lines",
        "name nixcfg does not take",
        ".env",
        "REDIS_URL is written",
    ):
        assert words in told
    assert ":pw@" not in told


def test_what_needs_code_is_left_out_and_told(tmp_path: Path):
    config = tmp_path / "config.yaml"
    config.write_text(
        MODEL + "- model_name: mine\n  litellm_params: {model: mine/x}\n"
        "litellm_settings:\n  post_call_rules: rules.mine\n  drop_params: true\n"
        "  success_callback:\n  - langfuse\n  - hooks.mine # ours\n  callbacks: hooks.mine\n"
        "  custom_provider_map:\n  - {provider: mine, custom_handler: code.mine}\n"
        "general_settings:\n  custom_auth: auth.mine\n"
        "guardrails:\n- guardrail_name: g\n  litellm_params: {guardrail: g.Mine, mode: pre_call}\n"
        "include: [other.yaml]\nenvironment_variables:\n  PATH: /x\n  TZ: UTC\nrouter_settings:\n"
    )
    code, _, err = nixcfg("import", config, "--out", tmp_path / "out")
    assert code == 0, err
    data = yaml.safe_load((tmp_path / "out" / "providers" / "ollama.yaml").read_text())
    assert data == {
        **yaml.safe_load(MODEL),
        "litellm_settings": {"drop_params": True, "success_callback": ["langfuse"]},
        "environment_variables": {"TZ": "UTC"},
    }
    places = ("4:3", "7:3", "11:5", "12:3", "13:3", "16:3", "18:3", "20:1", "22:3")
    for place in places:
        assert f"config.yaml:{place}: left-out:" in err, (place, err)
    assert err.count("left-out:") == len(places)
    assert "Not all models were carried over: 1 left out" in err


def test_what_several_providers_share(tmp_path: Path):
    """Plain variables become the container's; credentials go where they are used."""
    config = tmp_path / "config.yaml"
    config.write_text(
        "model_list:\n"
        "- model_name: a\n  litellm_params: {model: ollama/a}\n"
        "- model_name: b\n  litellm_params: {model: openai/b, litellm_credential_name: team}\n"
        "credential_list:\n- credential_name: team\n  credential_info: {}\n"
        "  credential_values: {api_key: sk-abcdefghij0123456789}\n"
        "environment_variables:\n  TIER: two\n  LANGFUSE_SECRET_KEY: ${LANGFUSE_SECRET_KEY}\n"
        "router_settings:\n  redis_host: r\n  redis_port: 1\n"
        "  redis_password: os.environ/REDIS_PASSWORD\n"
    )
    out = tmp_path / "out"
    code, _, err = nixcfg("import", config, "--out", out)
    assert code == 0, err
    project = yaml.safe_load((out / "nixcfg.yaml").read_text())
    assert project["environment"] == {"TIER": "two"}
    ollama = yaml.safe_load((out / "providers" / "ollama.yaml").read_text())
    openai = yaml.safe_load((out / "providers" / "openai.yaml").read_text())
    assert "credential_list" not in ollama
    values = openai["credential_list"][0]["credential_values"]
    assert values == {"api_key": "os.environ/TEAM_API_KEY"}
    assert nixcfg("-C", out, "render")[0] == 0
    rendered = (out / "rendered" / "docker.nix").read_text()
    for name in ("LANGFUSE_SECRET_KEY", "REDIS_PASSWORD", "TEAM_API_KEY"):
        assert f"{name}.file" in rendered


def test_keys_in_odd_places(tmp_path: Path):
    key = "sk-" + "abcdefghij0123456789"
    config = tmp_path / "config.yaml"
    config.write_text(
        MODEL + "litellm_settings:\n  drop_params: true\n  default_team_settings:\n"
        f"  - {{team_id: x, langfuse_secret: {key}}}\n"
        f"general_settings:\n  allowed_tokens: [{key}]\n  database_url: postgres://u:pw12@h/db\n"
    )
    code, told, err = nixcfg("import", config, "--out", tmp_path / "out")
    assert code == 0, err
    everything = (
        told
        + err
        + "".join(path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file())
    )
    assert key not in everything
    assert "pw12" not in everything
    assert "os.environ/DATABASE_URL" in everything


def test_relative_to_the_folder_that_is_worked_in(tmp_path: Path):
    (tmp_path / "config.yaml").write_text(MODEL)
    code, out, err = nixcfg("-C", tmp_path, "import", "config.yaml", "--out", "gateway")
    assert code == 0, err
    assert "providers/ollama.yaml" in out
    assert (tmp_path / "gateway" / "nixcfg.yaml").exists()
