"""add-provider, remove-provider, providers, models and use without a terminal."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from in_process import Done

from nixcfg import cli

Snapshot = Callable[[Path], dict[str, bytes]]
Run = Callable[..., Done]

MINE = (
    "add-provider",
    "add-model",
    "rename",
    "remove-provider",
    "models",
    "use",
    "set-key",
    "completion",
)
KEY = "gsk_Zm9vYmFyYmF6cXV4Zm9vYmFy"


def data(file: Path) -> dict[str, object]:
    loaded: dict[str, object] = yaml.safe_load(file.read_text())
    return loaded


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


def test_removing_undoes_adding(run: Run, project: Path, snapshot: Snapshot) -> None:
    before = snapshot(project)
    run("add-provider", "groq", "--profile", "fast", "--key-file", "/run/groq")
    run("use", "fast")
    done = run("remove-provider", "groq", "--yes", "--json")
    assert [c["path"] for c in json.loads(done.stdout)["changes"]] == [
        "nixcfg.yaml",
        "secrets.example/groq_api_key.txt",
        "providers/groq.yaml",
    ]
    assert snapshot(project) == before


def test_a_shared_secret_stays_when_one_provider_goes(run: Run, project: Path) -> None:
    file = project / "nixcfg.yaml"
    file.write_text(file.read_text() + "secrets:\n  ANTHROPIC_API_KEY: /run/claude\n")
    run("add-provider", "second", "--provider", "anthropic", "--key-file", "/run/claude")
    run("remove-provider", "second", "--yes")
    assert data(file)["secrets"] == {"ANTHROPIC_API_KEY": "/run/claude"}
    assert (project / "secrets.example" / "anthropic_api_key.txt").exists()


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


REFUSED = {
    "exists": (("claude",), "providers/claude.yaml exists already"),
    "unknown": (("nosuchvendor",), "LiteLLM has no provider nosuchvendor"),
    "typo": (("antropic",), "Did you mean anthropic?"),
    "browser login": (("github_copilot", "--model", "gpt-4o"), "login in a browser"),
    "fight": (
        ("other", "--provider", "anthropic", "--model", "x", "--alias", "claude-sonnet"),
        "claude offers claude-sonnet already",
    ),
    "twice": (
        ("groq", "--model", "a/x", "--model", "b/y", "--alias", "x", "--alias", "x"),
        "two models",
    ),
    "aliases": (("groq", "--model", "x", "--alias", "y", "--alias", "z"), "as many --alias"),
    "no model": (("azure",), "azure needs --model DEPLOYMENT and --api-base RESOURCE"),
    "no address": (("hosted_vllm", "--model", "x"), "api.openai.com"),
    "bad address": (("hosted_vllm", "--model", "x", "--api-base", "box:8000"), "is no address"),
    "password": (
        ("hosted_vllm", "--model", "x", "--api-base", "https://me:hunter2@box/v1"),
        "holds a password",
    ),
    "all": (("all", "--provider", "groq"), "built in"),
    "odd name": (("../x", "--provider", "groq"), "cannot be a name"),
    "key": (("groq", "--env", f"GROQ_API_KEY={KEY}"), "is a secret"),
    "other key": (("groq", "--env", f"SOME_SETTING={KEY}"), "looks like a key"),
    "token": (("bedrock", "--env", "AWS_BEARER_TOKEN_BEDROCK=abc"), "is a secret"),
    "named secret": (("groq", "--env", "LANGFUSE_SECRET_KEY=abc"), "is a secret"),
    "keys needed": (("bedrock", "--no-key"), "cannot do without its keys"),
    "bad key file": (("groq", "--key-file", "relative/path"), "would not validate"),
    "bad profile": (("groq", "--profile", "claude"), "would not validate"),
    "two keys": (("groq", "--env", "A_KEY", "--env", "B_KEY"), "cannot both hold the key"),
    "which key": (("bedrock", "--key-file", "/run/x"), "several or none"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_leaves_nothing(name: str, run: Run, project: Path, snapshot: Snapshot) -> None:
    arguments, reason = REFUSED[name]
    before = snapshot(project)
    done = run("add-provider", *arguments, fails=True)
    assert reason in done.stderr
    assert done.returncode == 1
    assert done.stdout == ""
    assert KEY not in done.stderr
    assert "hunter2" not in done.stderr
    assert snapshot(project) == before


def test_a_broken_project_is_left_alone(run: Run, project: Path, snapshot: Snapshot) -> None:
    (project / "providers" / "broken.yaml").write_text("model_list: [")
    before = snapshot(project)
    for command in (
        ("add-provider", "groq"),
        ("remove-provider", "claude", "--yes"),
        ("use", "all"),
    ):
        done = run(*command, fails=True)
        assert "providers/broken.yaml:1:" in done.stderr
    assert snapshot(project) == before


def test_use_and_remove_mend_a_project(run: Run, project: Path) -> None:
    run("use", "claude")
    file = project / "nixcfg.yaml"
    file.write_text(file.read_text().replace("model_config: claude", "model_config: claud"))
    run("validate", fails=True)
    run("use", "claude")
    run("validate")
    (project / "providers" / "broken.yaml").write_text("model_list: [")
    run("remove-provider", "broken", "--yes")
    run("validate")


def test_a_project_file_that_cannot_be_read_is_left_alone(
    run: Run, project: Path, snapshot: Snapshot
) -> None:
    for text in ("port: [", "port: many\n", "- a\n", ""):
        (project / "nixcfg.yaml").write_text(text)
        before = snapshot(project)
        for command in (("add-provider", "groq"), ("use", "claude"), ("providers",)):
            assert "nixcfg.yaml:" in run(*command, fails=True).stderr
        assert snapshot(project) == before


def test_servers_with_names_alike_do_not_share_a_key(run: Run) -> None:
    other = ("--provider", "openai", "--model", "qwen3", "--alias")
    run("add-provider", "box-1", *other, "one", "--api-base", "http://one.lan/v1")
    server = ("add-provider", "box_1", *other, "two", "--api-base", "http://two.lan/v1")
    assert "box-1 keeps its key in BOX_1_API_KEY too" in run(*server, fails=True).stderr
    run(*server, "--env", "BOX_2_KEY")


def test_other_refusals(run: Run, project: Path, snapshot: Snapshot) -> None:
    before = snapshot(project)
    assert "only provider" in run("remove-provider", "claude", "--yes", fails=True).stderr
    assert "there is no providers/x.yaml" in run("remove-provider", "x", "--yes", fails=True).stderr
    assert "--yes" in run("remove-provider", "claude", fails=True).stderr
    assert "NX501" in run("use", "nosuch", fails=True).stderr
    assert "NAME" in run("add-provider", fails=True).stderr
    assert run("models", "no-such-model", fails=True).returncode == 1
    assert snapshot(project) == before


UNEDITABLE: dict[str, tuple[str, tuple[str, ...], str]] = {
    "secrets that a host shares": (
        "secrets: &s {ANTHROPIC_API_KEY: /a}\nhosts:\n  alpha: {secrets: *s}\n",
        ("add-provider", "mistral", "--key-file", "/run/mistral"),
        "nothing was changed",
    ),
    "a list by an alias": (
        "profiles:\n  a: &x [claude, groq]\n  b: *x\n",
        ("remove-provider", "groq", "--yes"),
        "groq is named in nixcfg.yaml: ",
    ),
    "a host that gives nothing else": (
        "hosts:\n  alpha: {secrets: {GROQ_API_KEY: /run/groq}}\n",
        ("remove-provider", "groq", "--yes"),
        "hosts.alpha gives nothing but its GROQ_API_KEY. Take it out there.",
    ),
    "a choice by an alias": (
        "model_config: all\nhosts:\n  alpha: &a {port: 4001}\n  beta: *a\n",
        ("use", "groq", "--host", "beta"),
        "Set model_config: groq for beta there.",
    ),
    "no such host": ("hosts: {alpha: {}}\n", ("use", "groq", "--host", "x"), "there are alpha"),
    "no hosts": ("port: 4000\n", ("use", "groq", "--host", "x"), "it has no hosts"),
}


@pytest.mark.parametrize("name", UNEDITABLE)
def test_what_cannot_be_edited_is_left_alone(
    name: str, run: Run, project: Path, snapshot: Snapshot
) -> None:
    text, arguments, reason = UNEDITABLE[name]
    run("add-provider", "groq")
    (project / "nixcfg.yaml").write_text(text)
    run("validate")
    before = snapshot(project)
    done = run(*arguments, fails=True)
    assert reason in done.stderr
    assert snapshot(project) == before


def test_a_provider_goes_from_all_that_names_it(run: Run, project: Path) -> None:
    run("add-provider", "groq")
    (project / "nixcfg.yaml").write_text(
        """\
model_config: one
profiles:
  one: [groq]
  two: [claude, groq]
  three: [claude]
hosts:
  alpha: {model_config: groq, port: 4001}
  beta: {port: 4002, secrets: {GROQ_API_KEY: /run/groq}}
  gamma:
    port: 4003
    secrets:
      GROQ_API_KEY: /run/groq
      ANTHROPIC_API_KEY: /run/claude
"""
    )
    run("remove-provider", "groq", "--yes")
    assert data(project / "nixcfg.yaml") == {
        "model_config": "all",
        "profiles": {"two": ["claude"], "three": ["claude"]},
        "hosts": {
            "alpha": {"model_config": "all", "port": 4001},
            "beta": {"port": 4002},
            "gamma": {"port": 4003, "secrets": {"ANTHROPIC_API_KEY": "/run/claude"}},
        },
    }
    run("validate")


COMMENTED = """\
# The file's.

model_config: fast  # the quick ones
# Where they are kept.
secrets:
  # For the team.
  ANTHROPIC_API_KEY: /run/claude
  # groq's
  # and more of it
  GROQ_API_KEY: /run/groq  # rotated in May

profiles:
  # The quick ones.
  fast:
  - claude
  # groq, since May
  - groq
  # Only groq.
  groq-only: [groq]  # for the tests
  # Both.
  both: [groq, claude]  # in this order

hosts:
  alpha:
    # alpha's port
    port: 4001
  beta: {port: 4002}  # small
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("start", ["", "---\n"])
def test_comments_go_with_what_they_are_about(
    newline: str, start: str, run: Run, project: Path
) -> None:
    run("add-provider", "groq")
    file = project / "nixcfg.yaml"
    file.write_bytes((start + COMMENTED).replace("\n", newline).encode())
    run("remove-provider", "groq", "--yes")
    gone = (
        *("  # groq's\n", "  # and more of it\n", "  GROQ_API_KEY: /run/groq  # rotated in May\n"),
        *("  # groq, since May\n", "  - groq\n"),
        *("  # Only groq.\n", "  groq-only: [groq]  # for the tests\n", "groq, "),
    )
    left = COMMENTED
    for each in gone:
        assert left.count(each) == 1
        left = left.replace(each, "")
    assert file.read_bytes().decode() == (start + left).replace("\n", newline)
    run("use", "claude", "--host", "alpha")
    run("use", "claude", "--host", "beta")
    left = left.replace("    # alpha's", "    model_config: claude\n    # alpha's")
    left = left.replace("{port: 4002}", "{model_config: claude, port: 4002}")
    assert file.read_bytes().decode() == (start + left).replace("\n", newline)
    run("validate")


def test_adding_and_removing_leaves_every_byte(run: Run, project: Path) -> None:
    file = project / "nixcfg.yaml"
    text = COMMENTED.replace("  # groq, since May\n  - groq\n", "").replace("groq, ", "")
    text = text.replace("  # Only groq.\n  groq-only: [groq]  # for the tests\n", "")
    begin = text.index("  # groq's")
    file.write_text(text[:begin] + text[text.index("\nprofiles:") :])
    before = file.read_bytes()
    run("add-provider", "groq", "--profile", "fast", "--profile", "both", "--key-file", "/run/g")
    assert b"both: [claude, groq]  # in this order" in file.read_bytes()
    assert b"  GROQ_API_KEY: /run/g\n\nprofiles:" in file.read_bytes()
    run("remove-provider", "groq", "--yes")
    assert file.read_bytes() == before


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


def test_a_failing_disk_leaves_nothing(run: Run, project: Path, snapshot: Snapshot) -> None:
    before = snapshot(project)
    (project / "secrets.example").rename(project / "kept")
    (project / "secrets.example").symlink_to("/proc/nosuch")
    done = run("add-provider", "groq", "--profile", "fast", fails=True)
    assert "nothing was changed" in done.stderr
    (project / "secrets.example").unlink()
    (project / "kept").rename(project / "secrets.example")
    assert snapshot(project) == before


def test_the_overview(run: Run) -> None:
    run("add-provider", "groq", "--model", "openai/gpt-oss-20b", "--profile", "fast")
    table = run("providers").stdout.splitlines()
    assert table[0].split() == ["NAME", "MODELS", "KEY", "KEY", "FILE", "CONFIGS"]
    assert table[2].split() == [
        "groq", "gpt-oss-20b", "GROQ_API_KEY", "/etc/nixcfg/secrets/groq_api_key.txt",
        "groq,", "fast,", "all*",
    ]  # fmt: skip
    rows = json.loads(run("providers", "--json").stdout)
    assert [row["name"] for row in rows] == ["claude", "groq"]
    assert rows[1]["configs"] == ["groq", "fast", "all"]


def test_the_catalogue(run: Run) -> None:
    listed = json.loads(run("models", "anthropic/*sonnet*", "--json").stdout)
    assert listed
    assert all(m["model"].startswith("anthropic/") and not m["is_retired"] for m in listed)
    everything = json.loads(run("models", "deepseek/", "--all", "--json").stdout)
    assert any(m["is_retired"] for m in everything)
    assert "retired 2026-07-24" in run("models", "deepseek/deepseek-chat", "--all").stdout


@pytest.mark.parametrize("name", MINE)
def test_the_examples_in_help_work(name: str, run: Run, project: Path, program: list[str]) -> None:
    """Every line of an example is run as it stands, in a project where its files exist."""
    shown = run(name, "--help").stdout
    examples = re.findall(
        r"^.*?(\S.*nixcfg .+|nixcfg .+)$", shown.partition("Example")[2], re.MULTILINE
    )
    assert examples
    (project / "key").write_text(KEY)
    (project / "secrets").mkdir(mode=0o700)
    file = project / "nixcfg.yaml"
    file.write_text(file.read_text().replace("/etc/nixcfg/secrets", str(project / "secrets")))
    bin_folder = project / "bin"
    bin_folder.mkdir()
    (bin_folder / "pass").write_text(f"#!/bin/sh\necho {KEY}\n")
    (bin_folder / "pass").chmod(0o755)
    if name in ("remove-provider", "set-key"):
        run("add-provider", "groq")
    if name == "use":
        run("add-provider", "openai")
    for example in examples:
        line = re.search(r"(pass .*\| )?nixcfg .*", example)
        assert line, example
        command = line[0].strip()
        if name == "set-key" and command == "nixcfg set-key groq":
            command = f"printf {KEY} | {command}"
        run_shell(command, program, project, bin_folder)


def run_shell(command: str, program: list[str], project: Path, bin_folder: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'nixcfg() {{ {shlex.join(program)} "$@"; }}\n{command}'],
        cwd=project,
        env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    assert done.stdout + done.stderr, f"{command} says nothing"


def test_every_command_of_mine_is_there() -> None:
    assert set(MINE) <= {*cli.COMMANDS, *cli.HIDDEN}


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
