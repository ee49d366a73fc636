"""add-provider without a terminal: what it writes, and how a key of its own is named."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from roster import Run, Snapshot, data, text


def test_the_simplest_way(run: Run, project: Path) -> None:
    done = run("add-provider", "groq")
    assert done.stdout == "create secrets.example/groq_api_key.txt\ncreate providers/groq.yaml\n"
    assert "nixcfg set-key groq" in done.stderr
    assert "/etc/nixcfg/secrets/groq_api_key.txt" in done.stderr
    assert (project / "secrets.example" / "groq_api_key.txt").read_text() == "replace-me\n"
    made = (project / "providers" / "groq.yaml").read_text()
    assert made.startswith("# yaml-language-server: $schema=../.schema/provider.schema.json\n")
    assert data(project / "providers" / "groq.yaml")["environment_variables"] == {
        "GROQ_API_KEY": "${GROQ_API_KEY}"
    }
    assert run("validate").stdout == "3 files: no problems\n"
    run("render")


def test_a_brand_stands_for_its_provider(run: Run, project: Path) -> None:
    (project / "providers" / "claude.yaml").unlink()
    run("add-provider", "claude")
    deployments = data(project / "providers" / "claude.yaml")["model_list"]
    assert all(d["litellm_params"]["model"].startswith("anthropic/") for d in deployments)


def test_json_tells_what_text_tells(run: Run) -> None:
    done = run("add-provider", "groq", "--model", "openai/gpt-oss-20b", "--json")
    assert json.loads(done.stdout) == {
        "models": [{"name": "gpt-oss-20b", "model": "groq/openai/gpt-oss-20b"}],
        "secrets": [
            {
                "variable": "GROQ_API_KEY",
                "file": "/etc/nixcfg/secrets/groq_api_key.txt",
                "kind": "env",
            }
        ],
        "host_ports": [],
        "changes": [
            {"path": "secrets.example/groq_api_key.txt", "change": "create"},
            {"path": "providers/groq.yaml", "change": "create"},
        ],
        "next": ["nixcfg set-key groq", "nixcfg render"],
    }
    assert done.stderr == ""


def test_several_secrets_and_none_and_a_file(run: Run, project: Path) -> None:
    run("add-provider", "bedrock", "--env", "AWS_REGION_NAME=eu-central-1")
    aws = data(project / "providers" / "bedrock.yaml")
    assert set(aws["environment_variables"]) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert aws["model_list"][0]["litellm_params"]["aws_region_name"] == "eu-central-1"
    run("add-provider", "ollama", "--model", "llama3.1")
    local = data(project / "providers" / "ollama.yaml")
    assert "environment_variables" not in local
    base = local["model_list"][0]["litellm_params"]["api_base"]
    assert base == "http://host.containers.internal:11434"
    vertex = run(
        "add-provider",
        "vertex_ai",
        "--model",
        "gemini-2.5-pro",
        "--key-file",
        "/run/sa.json",
        "--json",
    )
    assert json.loads(vertex.stdout)["secrets"] == [
        {"variable": "GOOGLE_APPLICATION_CREDENTIALS", "file": "/run/sa.json", "kind": "file"}
    ]
    azure = ("--api-base", "https://me.openai.azure.com", "--env", "AZURE_API_VERSION=2025-02-01")
    run("add-provider", "azure", "--model", "prod", *azure)
    params = data(project / "providers" / "azure.yaml")["model_list"][0]["litellm_params"]
    assert params["api_version"] == "2025-02-01"
    run("validate")
    run("render")
    nix = (project / "rendered" / "docker.nix").read_text()
    assert 'kind = lib.mkDefault "file";' in nix


def test_the_vendors_key_does_not_go_to_another_host(run: Run, project: Path) -> None:
    run("add-provider", "box", "--provider", "openai", "--model", "qwen3", "--api-base",
        "http://localhost:8000")  # fmt: skip
    params = data(project / "providers" / "box.yaml")["model_list"][0]["litellm_params"]
    assert params == {
        "model": "openai/qwen3",
        "api_base": "http://host.containers.internal:8000/v1",
        "api_key": "os.environ/BOX_API_KEY",
    }
    run("add-provider", "free", "--provider", "openai", "--model", "phi", "--api-base",
        "https://llm.lan/v1", "--no-key")  # fmt: skip
    params = data(project / "providers" / "free.yaml")["model_list"][0]["litellm_params"]
    assert params["api_key"] == "none"
    run("render")
    rendered = (project / "rendered" / "litellm" / "all.yaml").read_text()
    assert "OPENAI_API_KEY" not in rendered


def test_variables_choose_between_ways_to_authenticate(run: Run, project: Path) -> None:
    token = ("--env", "AWS_BEARER_TOKEN_BEDROCK", "--key-file", "/run/bedrock")
    run("add-provider", "bedrock", "--model", "some.model-v1:0", *token)
    assert data(project / "providers" / "bedrock.yaml")["environment_variables"] == {
        "AWS_BEARER_TOKEN_BEDROCK": "${AWS_BEARER_TOKEN_BEDROCK}"
    }
    pair = ("--env", "AWS_ACCESS_KEY_ID", "--env", "AWS_SECRET_ACCESS_KEY")
    run("add-provider", "bedrock_mantle", "--model", "xai.grok-4.3", *pair)
    mantle = data(project / "providers" / "bedrock_mantle.yaml")
    assert set(mantle["environment_variables"]) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    box = ("--api-base", "http://box.lan:8000", "--env", "HOSTED_VLLM_API_KEY")
    run("add-provider", "hosted_vllm", "--model", "qwen3", *box, "--key-file", "/run/vllm")
    assert data(project / "nixcfg.yaml")["secrets"] == {
        "AWS_BEARER_TOKEN_BEDROCK": "/run/bedrock",
        "HOSTED_VLLM_API_KEY": "/run/vllm",
    }
    run("render")
    rendered = (project / "rendered" / "litellm" / "hosted_vllm.yaml").read_text()
    assert "api_key: os.environ/HOSTED_VLLM_API_KEY" in rendered
    assert "api_base: http://box.lan:8000/v1" in rendered


def test_profiles_and_key_files_keep_comments(run: Run, project: Path) -> None:
    file = project / "nixcfg.yaml"
    before = (
        file.read_text() + "\nsecrets:\n  # the old one\n  ANTHROPIC_API_KEY: /run/claude # here\n"
    )
    file.write_text(before)
    run("add-provider", "groq", "--profile", "fast", "--key-file", "config.sops.secrets.groq.path")
    run("add-provider", "mistral", "--profile", "fast", "--profile", "good")
    after = file.read_text()
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    assert data(file)["profiles"] == {"fast": ["groq", "mistral"], "good": ["mistral"]}
    assert data(file)["secrets"]["GROQ_API_KEY"] == "config.sops.secrets.groq.path"
    run("use", "fast")
    assert data(file)["model_config"] == "fast"
    assert "# Which configuration the container loads" in file.read_text()


def test_a_second_account_has_a_key_of_its_own(run: Run, project: Path) -> None:
    second = ("add-provider", "work", "--provider", "anthropic", "--key-file", "/run/work")
    done = run(*second, fails=True)
    assert "claude has its ANTHROPIC_API_KEY in /etc/nixcfg/secrets/" in done.stderr
    run(*second, "--env", "WORK_KEY")
    params = data(project / "providers" / "work.yaml")["model_list"][0]["litellm_params"]
    assert params["api_key"] == "os.environ/WORK_KEY"
    run("add-provider", "vertex_ai", "--model", "gemini-2.5-pro")
    third = ("--provider", "vertex_ai", "--model", "gemini-2.5-flash", "--env", "OTHER_SA")
    run("add-provider", "other", *third)
    assert data(project / "nixcfg.yaml")["secrets"] == {
        "WORK_KEY": "/run/work",
        "OTHER_SA": {"file": "/etc/nixcfg/secrets/other_sa.txt", "kind": "file"},
    }
    run("render")


def test_servers_with_names_alike_do_not_share_a_key(run: Run) -> None:
    other = ("--provider", "openai", "--model", "qwen3", "--alias")
    run("add-provider", "box-1", *other, "one", "--api-base", "http://one.lan/v1")
    server = ("add-provider", "box_1", *other, "two", "--api-base", "http://two.lan/v1")
    assert "box-1 keeps its key in BOX_1_API_KEY too" in run(*server, fails=True).stderr
    run(*server, "--env", "BOX_2_KEY")


def test_a_server_that_needs_no_key_may_have_one(run: Run, project: Path) -> None:
    run("add-provider", "ollama", "--model", "llama3", "--env", "BOX_KEY")
    params = data(project / "providers" / "ollama.yaml")["model_list"][0]["litellm_params"]
    assert params["api_key"] == "os.environ/BOX_KEY"
    box = ("--env", "HOSTED_VLLM_API_BASE=http://box:8000")
    run("add-provider", "hosted_vllm", "--model", "x", *box)
    params = data(project / "providers" / "hosted_vllm.yaml")["model_list"][0]["litellm_params"]
    assert params["api_base"] == "http://box:8000/v1"


def test_a_byte_order_mark_and_a_link_to_nothing(
    run: Run, project: Path, snapshot: Snapshot
) -> None:
    file = project / "nixcfg.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    run("use", "claude")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf# ")
    assert data(file)["model_config"] == "claude"
    (project / "providers" / "groq.yaml").symlink_to("nowhere.yaml")
    before = snapshot(project)
    assert "groq" in run("add-provider", "groq", fails=True).stderr
    assert snapshot(project) == before


def test_without_a_schema_line_a_provider_gets_none(run: Run, project: Path) -> None:
    (project / "nixcfg.yaml").write_text("model_config: all\n")
    run("add-provider", "groq")
    assert "$schema" not in (project / "providers" / "groq.yaml").read_text()


def test_add_provider_prints_the_line_to_write(run: Run, project: Path) -> None:
    done = run("add-provider", "ollama", "--model", "llama3.1")
    assert "  host_ports: [11434]" in done.stderr
    assert 'services.ollama.host = "0.0.0.0"' in done.stderr
    with (project / "nixcfg.yaml").open("a") as file:
        file.write("host_ports: [11434]\n")
    done = run("add-provider", "box", "--provider", "ollama", "--model", "phi4")
    assert "host_ports" not in done.stderr


def test_json_names_the_ports_to_open(run: Run, project: Path) -> None:
    done = run("add-provider", "ollama", "--model", "llama3.1", "--json")
    assert json.loads(done.stdout)["host_ports"] == [11434]
    with (project / "nixcfg.yaml").open("a") as file:
        file.write("host_ports: [11434]\n")
    done = run("add-provider", "box", "--provider", "ollama", "--model", "phi4", "--json")
    assert json.loads(done.stdout)["host_ports"] == []


def test_the_example_of_the_help_is_clean(project: Path, run: Run, program: list[str]) -> None:
    """It used to warn of NX311, and `fix --unsafe` wrote another vendor's variable."""
    box = ("--provider", "openai", "--api-base", "http://localhost:8000/v1", "--model", "qwen3")
    run("add-provider", "box", *box)
    with (project / "nixcfg.yaml").open("a") as file:
        file.write("host_ports: [8000]\n")
    run("validate", "--strict")
    before = text(project, "box")
    assert "environment_variables:\n  BOX_API_KEY: ${BOX_API_KEY}" in before
    subprocess.run([*program, "-C", project, "fix", "--unsafe"], check=False, capture_output=True)
    assert text(project, "box") == before


@pytest.mark.parametrize("variable", ["BOX_API_KEY", "WX_API_KY", "OPENROUTER_KEY", "GROQ_API_KY"])
def test_a_suggestion_names_no_vendor_that_the_file_does_not_use(
    variable: str, project: Path, run: Run
) -> None:
    file = project / "providers" / "box.yaml"
    file.write_text(
        "model_list:\n  - model_name: x\n    litellm_params:\n      model: openai/x\n"
        "      api_base: http://box.lan/v1\n      api_key: none\n"
        f"      organization: os.environ/{variable}\n"
    )
    done = run("validate")
    assert "NX311" in done.stdout
    assert "Did you mean" not in done.stdout
    file.write_text(file.read_text().replace(variable, "OPENAI_ORGANIZATON"))
    assert "Did you mean OPENAI_ORGANIZATION?" in run("validate").stdout


def test_names_that_people_type_work_without_a_terminal(project: Path, run: Run) -> None:
    run("add-provider", "vllm", "--model", "qwen3", "--api-base", "0.0.0.0:8000")
    (entry,) = yaml.safe_load(text(project, "vllm"))["model_list"]
    base = "http://host.containers.internal:8000/v1"
    assert entry["litellm_params"] == {"model": "hosted_vllm/qwen3", "api_base": base}
    run("add-provider", "llama.cpp", "--model", "phi4")
    assert "model: llamafile/phi4" in text(project, "llama-cpp")
    run("add-provider", "azure", "--model", "prod", "--api-base", "our-resource")
    assert "api_base: https://our-resource.openai.azure.com\n" in text(project, "azure")
    done = run("add-provider", "openai/gpt-5.6")
    assert "gpt-5.6: openai/gpt-5.6" in done.stderr
    done = run("add-provider", "aws")
    assert "prompts go to us-west-2" in done.stderr
    assert done.stderr.count("NX429") == 1, "and not once for each model"
