"""What the command takes, what it makes of it, and what it refuses."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml
from same import nixcfg

SOURCES = Path(__file__).parent / "sources"
COMPOSE = SOURCES / "compose"
KEYS = (
    "sk-proj-0123456789abcdefghij",
    "sk-proj-zyxwvutsrqponmlkjihg9876",
    "hunter2hunter2",
    "sk-0123456789-team-key",
)


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    return Path(shutil.copytree(COMPOSE, tmp_path / "compose"))


def files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_a_compose_file_becomes_a_project(compose: Path, tmp_path: Path):
    out = tmp_path / "gateway"
    code, told, err = nixcfg("import", compose / "docker-compose.yml", "--out", out, "--json")
    assert code == 0, err
    told = json.loads(told)
    assert sorted(told["written"]) == sorted(files(out))
    project = yaml.safe_load((out / "nixcfg.yaml").read_text())
    assert project == {
        "model_config": "all",
        "image": "ghcr.io/berriai/litellm:v1.106.2",
        "listen_address": "127.0.0.1",
        "port": 4100,
        "secrets_dir": "/etc/nixcfg/secrets",
        "master_key_file": "/etc/nixcfg/secrets/litellm_master_key.txt",
        "environment": {"DETAILED_DEBUG": "True", "LITELLM_LOG": "INFO"},
        "secrets": {"GOOGLE_APPLICATION_CREDENTIALS": {"kind": "file"}},
        "router_settings": {
            "routing_strategy": "least-busy",
            "fallbacks": [{"sonnet": ["gpt"]}],
        },
        "general_settings": {"database_url": "os.environ/DATABASE_URL"},
        "litellm_settings": {
            "drop_params": True,
            "callbacks": ["prometheus"],
            "cache": True,
            "cache_params": {
                "type": "redis",
                "host": "cache",
                "port": 6379,
                "password": "os.environ/CACHE_PASSWORD",
            },
        },
    }
    assert len(list((out / "providers").iterdir())) == 4
    assert set(told["key_files"]) == {
        "ANTHROPIC_API_KEY",
        "CACHE_PASSWORD",
        "DATABASE_URL",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "OPENAI_API_KEY",
        "OPENAI_API_KEY_2",
        "OPENAI_API_KEY_3",
        "UI_PASSWORD",
    }
    assert nixcfg("-C", out, "validate")[0] == 0


def test_every_thing_that_is_not_carried_over_is_told_with_its_place(compose: Path, tmp_path: Path):
    arguments = ["import", compose / "docker-compose.yml", "--out", tmp_path / "x", "--json"]
    told = json.loads(nixcfg(*arguments)[1])
    notes = {
        (Path(n["file"]).name, n["line"], n["column"], n["kind"]): n["message"]
        for n in told["notes"]
    }
    expected = {
        ("docker-compose.yml", 4, 5, "left-out"): "restart",
        ("docker-compose.yml", 7, 67, "left-out"): "--frobnicate",
        ("docker-compose.yml", 8, 15, "check"): "env_file .env",
        ("docker-compose.yml", 12, 9, "secret"): "OPENAI_API_KEY",
        ("docker-compose.yml", 13, 9, "left-out"): "GROQ_API_KEY",
        ("docker-compose.yml", 14, 9, "check"): "PG_PASSWORD",
        ("docker-compose.yml", 18, 9, "left-out"): "EMPTY",
        ("docker-compose.yml", 22, 9, "left-out"): "/var/cache",
        ("docker-compose.yml", 23, 5, "left-out"): "depends_on",
        ("docker-compose.yml", 24, 5, "left-out"): "healthcheck",
        ("docker-compose.yml", 25, 3, "left-out"): "db",
        ("config.yaml", 15, 16, "secret"): "OPENAI_API_KEY_2",
        ("config.yaml", 19, 16, "secret"): "OPENAI_API_KEY_3",
        ("config.yaml", 27, 16, "check"): "placeholder",
        ("config.yaml", 28, 5, "left-out"): "antropic/claude",
        ("config.yaml", 41, 29, "left-out"): "handler.instance",
        ("config.yaml", 47, 15, "secret"): "CACHE_PASSWORD",
        ("config.yaml", 54, 15, "secret"): "master key",
        ("config.yaml", 57, 1, "left-out"): "server",
    }
    assert notes.keys() == expected.keys()
    for place, words in expected.items():
        assert words in notes[place], place


@pytest.mark.parametrize("options", [[], ["--json"], ["--dry-run"]])
def test_no_key_is_copied_or_shown(options: list[str], compose: Path, tmp_path: Path):
    source = files(compose)
    assert all(any(key in text for text in source.values()) for key in KEYS)
    out = tmp_path / "gateway"
    code, told, err = nixcfg("import", compose / "docker-compose.yml", "--out", out, *options)
    assert code == 0
    written = files(out) if out.exists() else {}
    assert bool(written) == ("--dry-run" not in options)
    for key in KEYS:
        for text in (told, err, *written.values()):
            assert key not in text
    assert "********" in (told if options == ["--json"] else err)


def test_no_key_is_shown_where_the_source_is_refused(tmp_path: Path):
    bad = tmp_path / "config.yaml"
    bad.write_text(
        "model_list:\n- model_name: a\n  litellm_params:\n"
        f"    api_key: {KEYS[0]}\n    api_key: {KEYS[1]}\n"
    )
    code, told, err = nixcfg("import", bad, "--out", tmp_path / "out")
    assert code == 1
    assert "config.yaml:5:5" in err
    for key in KEYS:
        assert key not in told + err
    assert not (tmp_path / "out").exists()


def test_comments_stay_with_what_they_are_about(compose: Path, tmp_path: Path):
    out = tmp_path / "gateway"
    nixcfg("import", compose / "docker-compose.yml", "--out", out)
    openai = (out / "providers" / "openai.yaml").read_text()
    assert "  # --- OpenAI\n  - model_name: gpt\n" in openai
    assert 'api_key: "os.environ/OPENAI_API_KEY_2" # written out\n' in openai
    anthropic = (out / "providers" / "anthropic.yaml").read_text()
    assert "  # --- Anthropic\n  - model_name: sonnet # for everyone\n" in anthropic
    assert "OpenAI" not in anthropic
    project = (out / "nixcfg.yaml").read_text()
    assert "# The gateway of the team.\n" in project
    assert "routing_strategy: least-busy # as asked for\n" in project


MODEL = "model_list:\n- model_name: {0}\n  litellm_params: {{model: {1}/{0}}}\n"


def test_settings_that_differ_are_decided_and_told(tmp_path: Path):
    for name, provider, tries in (("a", "anthropic", 3), ("b", "openai", 5)):
        settings = f"litellm_settings:\n  num_retries: {tries}\n"
        (tmp_path / f"{name}.yaml").write_text(MODEL.format(name, provider) + settings)
    out = tmp_path / "out"
    code, _, err = nixcfg("import", tmp_path / "a.yaml", tmp_path / "b.yaml", "--out", out)
    assert code == 0, err
    assert "b.yaml:5:16: changed: litellm_settings.num_retries differs" in err
    assert yaml.safe_load((out / "nixcfg.yaml").read_text())["litellm_settings"] == {
        "num_retries": 3
    }
    assert "num_retries: 5" in (out / "providers" / "b.yaml").read_text()


def test_one_key_has_one_name_and_another_key_another(tmp_path: Path):
    first, second = "sk-" + "a1" * 15, "sk-" + "b2" * 15
    entry = "- model_name: m{0}\n  litellm_params: {{model: openai/m{0}, api_key: {1}}}\n"
    config = tmp_path / "config.yaml"
    keys = (first, second, first)
    config.write_text("model_list:\n" + "".join(entry.format(n, k) for n, k in enumerate(keys)))
    code, _, err = nixcfg("import", config, "--out", tmp_path / "out")
    assert code == 0, err
    text = (tmp_path / "out" / "providers" / "openai.yaml").read_text()
    names = re.findall(r"os\.environ/(\w+)", text)
    assert names == ["OPENAI_API_KEY", "OPENAI_API_KEY_2", "OPENAI_API_KEY"]


def test_what_stands_in_the_way_is_not_touched(compose: Path, tmp_path: Path):
    out = tmp_path / "gateway"
    for path in ("nixcfg.yaml", "providers/anthropic.yaml"):
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text("mine\n")
        before = files(out)
        code, _, err = nixcfg("import", compose / "docker-compose.yml", "--out", out)
        assert code == 1
        assert path in err
        assert files(out) == before
        shutil.rmtree(out)


def test_a_gitignore_stays_as_it_is(compose: Path, tmp_path: Path):
    out = tmp_path / "gateway"
    out.mkdir()
    (out / ".gitignore").write_text("*.o\n")
    code, _, err = nixcfg("import", compose / "docker-compose.yml", "--out", out)
    assert code == 0
    assert "/secrets/" in err
    assert (out / ".gitignore").read_text() == "*.o\n"


def test_a_file_called_like_a_download_is_a_file(tmp_path: Path):
    (tmp_path / "gpt (1).yaml").write_text(
        "model_list:\n- model_name: m\n"
        "  litellm_params: {model: openai/gpt-4o, api_base: '${BASE}'}\n"
    )
    code, _, err = nixcfg("import", tmp_path / "gpt (1).yaml", "--out", tmp_path / "out")
    assert code == 0, err
    assert "LiteLLM took ${BASE} as it is" in err
    assert [each.name for each in (tmp_path / "out" / "providers").iterdir()] == ["gpt-1.yaml"]


def test_the_same_import_again_changes_nothing(compose: Path, tmp_path: Path):
    out = tmp_path / "gateway"
    assert nixcfg("import", compose / "docker-compose.yml", "--out", out)[0] == 0
    before = files(out)
    code, told, _ = nixcfg("import", compose / "docker-compose.yml", "--out", out)
    assert (code, told) == (0, "")
    assert files(out) == before


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("config.yaml", "a: 1\n", "neither a LiteLLM configuration nor a compose file"),
        ("config.yaml", "model_list: []\n", "no model is left"),
        ("config.yaml", "model_list: *x\n", "config.yaml:1:13"),
        ("config.yaml", "model_list:\n- {model_name: x}\n", "config.yaml:2:3"),
        ("compose.yaml", "services: {a: {image: nginx}}\n", "no service runs LiteLLM"),
        ("compose.yaml", "services: {a: {image: x/litellm}, b: {image: x/litellm}}\n", "a, b all"),
        ("compose.yaml", "services: {a: {image: x/litellm}}\n", "name that file as well"),
        (
            "compose.yaml",
            "services: {a: {image: x/litellm, command: -c /c, volumes: [./gone.yaml:/c]}}\n",
            "gone.yaml, which is not on this machine",
        ),
        ("compose.yaml", "services: {a: {image: [x]}}\n", "no service runs LiteLLM"),
    ],
)
def test_refusals(name: str, text: str, says: str, tmp_path: Path):
    (tmp_path / name).write_text(text)
    code, _, err = nixcfg("import", tmp_path / name, "--out", tmp_path / "out")
    assert code == 1
    assert says in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("what", ["missing", "folder", "pipe", "latin", "bomb"])
@pytest.mark.parametrize("suffix", ["yaml", "nix"])
def test_nonsense(what: str, suffix: str, tmp_path: Path):
    file = tmp_path / f"x.{suffix}"
    match what:
        case "folder":
            file.mkdir()
        case "pipe":
            os.mkfifo(file)
        case "latin":
            file.write_bytes(b"model_list: caf\xe9\n")
        case "bomb" if suffix == "yaml":
            rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
            rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
            file.write_text("\n".join(rows))
        case "bomb":
            pytest.importorskip("tree_sitter_nix")
            file.write_text("let f = x: x x; in f f" + "(" * 2_000 + ")" * 2_000)
    code, _, err = nixcfg("import", file, "--out", tmp_path / "out")
    assert code == 1
    assert file.name in err
    assert what != "latin" or "UTF-8" in err
    assert not (tmp_path / "out").exists()


def test_what_never_worked_is_left_out_and_told(tmp_path: Path):
    """LiteLLM drops it or does not start with it; the project that is made has no errors."""
    source = tmp_path / "config.yaml"
    source.write_text(NEVER_WORKED)
    folder = tmp_path / "gateway"
    code, _, told = nixcfg("import", source, "--out", folder)
    assert code == 0, told
    for line, why in (
        (6, "no provider for opnai/gpt-4o"),
        (9, "rpm must be a whole number"),
        (15, "no one offers nowhere"),
        (16, "routing_strategy cannot be best"),
    ):
        assert re.search(rf"^{source}:{line}:\d+: left-out: .*{why}", told, re.MULTILINE)
    assert "Not all models were carried over: 2 left out" in told
    assert nixcfg("-C", folder, "validate")[0] == 0
    (provider,) = (folder / "providers").iterdir()
    listed = yaml.safe_load(provider.read_text())["model_list"]
    assert [each["model_name"] for each in listed] == ["gpt"]


NEVER_WORKED = """\
model_list:
  - model_name: gpt
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
  - model_name: typo
    litellm_params:
      model: opnai/gpt-4o
  - model_name: claude
    litellm_params:
      model: anthropic/claude-opus-4-1
      api_key: os.environ/ANTHROPIC_API_KEY
      rpm: many
router_settings:
  fallbacks: [{gpt: [nowhere]}]
  routing_strategy: best
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""


def test_ports_of_the_machine_that_a_configuration_asks_are_opened(tmp_path: Path):
    (tmp_path / "config.yaml").write_text(
        "model_list:\n"
        "- {model_name: a, litellm_params: {model: ollama/llama3.2,\n"
        "   api_base: http://host.docker.internal:11434}}\n"
        "- {model_name: b, litellm_params: {model: hosted_vllm/x, api_key: none,\n"
        "   api_base: http://host.containers.internal:8000/v1}}\n"
    )
    out = tmp_path / "gateway"
    code, _, said = nixcfg("import", tmp_path / "config.yaml", "--out", out)
    assert code == 0, said
    assert yaml.safe_load((out / "nixcfg.yaml").read_text())["host_ports"] == [8000, 11434]
    said = " ".join(said.split())
    assert "host_ports opens 8000, 11434 of this machine to the gateway" in said
    code, _, said = nixcfg("-C", out, "validate")
    assert "NX523" not in said


def test_what_takes_effect_for_the_first_time_is_told(tmp_path: Path):
    """nixcfg renders a setting where LiteLLM honours it, also one that never counted before."""
    config = {
        "model_list": [{"model_name": "m", "litellm_params": {"model": "openai/gpt-4.1"}}],
        "litellm_settings": {"routing_strategy": "least-busy", "drop_params": True},
        "general_settings": {"request_timeout": 20},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    code, _, told = nixcfg("import", tmp_path / "config.yaml", "--out", tmp_path / "out")
    assert code == 0, told
    assert "routing_strategy had no effect in litellm_settings; it takes effect now" in told
    assert "request_timeout had no effect in general_settings; it takes effect now" in told
    assert "drop_params" not in told
    rendered = (tmp_path / "out" / "providers" / "openai.yaml").read_text()
    assert "routing_strategy: least-busy" in rendered
