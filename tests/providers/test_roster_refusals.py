"""What add-provider, remove-provider and use refuse, and that a refusal changes nothing."""

from pathlib import Path

import pytest
from roster import KEY, Run, Snapshot

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


def test_a_failing_disk_leaves_nothing(run: Run, project: Path, snapshot: Snapshot) -> None:
    before = snapshot(project)
    (project / "secrets.example").rename(project / "kept")
    (project / "secrets.example").symlink_to("/proc/nosuch")
    done = run("add-provider", "groq", "--profile", "fast", fails=True)
    assert "nothing was changed" in done.stderr
    (project / "secrets.example").unlink()
    (project / "kept").rename(project / "secrets.example")
    assert snapshot(project) == before
