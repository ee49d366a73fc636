"""Names that mean harm: they lead out of the project, or differ in case only."""

import shutil
from pathlib import Path

import pytest
from cli import Cli, snapshot

TRAVERSING = ["../../evil", "..", ".", "/etc/passwd", "a/../../b", "", "-x", "a\nb", "a" * 64, "~"]


@pytest.mark.parametrize("name", TRAVERSING)
def test_names_that_lead_out_of_the_project(name: str, cli: Cli, project: Path):
    around = project.parent
    before = {path: entry for path, entry in snapshot(around).items() if "usage" not in path}
    for command in (
        ["add-provider", name, "--provider", "openai"],
        ["remove-provider", name, "--yes"],
        ["use", name],
        ["set-key", name],
        ["add-provider", "groq", "--profile", name],
        ["add-model", name, "x"],
        ["rename", "claude", name, "--provider"],
        ["use", "claude", "--profile", name],
    ):
        done = cli("-C", project, *command)
        assert done.code in (1, 2), (command, done.said)
        assert "Traceback" not in done.said
        assert "has a bug" not in done.said
    assert snapshot(around) == before


def test_names_in_the_project_file_that_lead_out_of_it(cli: Cli, project: Path):
    before = snapshot(project / "rendered")
    for text in (
        "model_config: ../../evil\n",
        "profiles:\n  ../evil: [claude]\n",
        "profiles:\n  a: [../../evil]\n",
        "secrets:\n  ../X: /run/x\n",
        "secrets:\n  OPENAI_API_KEY: ../../../nix/store/x\n",
        'secrets_dir: "../x"\n',
        'secrets_dir: "/nix/store/keys"\n',
        'secrets_dir: "/run/${x}\\n/y"\n',
    ):
        (project / "nixcfg.yaml").write_text(text)
        done = cli("-C", project, "render")
        assert done.code == 1, (text, done.said)
        assert "nixcfg.yaml:" in done.err
    assert snapshot(project / "rendered") == before


def test_names_that_differ_in_case_only(cli: Cli, project: Path):
    """On a file system that ignores case they would be one rendered file."""
    before = snapshot(project / "rendered")
    shutil.copy(project / "providers" / "claude.yaml", project / "providers" / "Claude.yaml")
    done = cli("-C", project, "render")
    assert done.code == 1, done.said
    assert "Claude" in done.err
    assert "claude" in done.err
    assert snapshot(project / "rendered") == before
    (project / "providers" / "Claude.yaml").unlink()
    for profiles in ("CLAUDE: [claude]", "ALL: [claude]", "a: [claude]\n  A: [openai]"):
        (project / "nixcfg.yaml").write_text(f"profiles:\n  {profiles}\n")
        done = cli("-C", project, "render")
        assert done.code == 1, done.said
        assert "nixcfg.yaml:" in done.err
