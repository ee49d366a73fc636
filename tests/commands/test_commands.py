"""The commands as a user meets them: what they write, say, refuse, and exit with."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from nixcfg.commands.output import painted
from nixcfg.disk import shipped
from program import HERE, ROOT, Run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(HERE / "cases" / "original", folder, ignore=shutil.ignore_patterns("expected"))
    return folder


@pytest.fixture
def rendered(project: Path, nixcfg: Run) -> Path:
    assert nixcfg("-C", project, "render").returncode == 0
    return project / "rendered"


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file's content and inode, so that a file written again shows even when it is equal."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {path: content for path, (_, content) in snapshot(folder).items()}


def test_init_gives_a_project_that_renders(tmp_path: Path, nixcfg: Run) -> None:
    made = nixcfg("init", "gateway", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "gateway"
    assert set(made.stdout.split()) == set(contents(folder))
    assert "nixcfg.yaml" in made.stdout
    checked = nixcfg("-C", folder, "validate", "--format", "json")
    assert json.loads(checked.stdout)["problems"] == []
    assert nixcfg("-C", folder, "render").returncode == 0


@pytest.mark.parametrize("place", [".", "examples/fleet", "templates/project"])
def test_what_the_repository_shows_as_an_example_has_no_finding(place: str, nixcfg: Run) -> None:
    """The issue's own three files, which earn seven warnings, are tests/cases/original."""
    done = nixcfg("-C", ROOT / place, "validate", "--strict", "--format", "json")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["problems"] == []


def test_a_hidden_file_is_no_provider_and_validated_alone(project: Path, nixcfg: Run) -> None:
    """The project leaves it out, so its problems are those of an ordinary LiteLLM file."""
    draft = "model_list:\n- model_name: x\n  litellm_params: {model: antropic/claude-3}\n"
    (project / "providers" / ".draft.yaml").write_text(draft)
    done = nixcfg("-C", project, "validate", "providers/.draft.yaml")
    assert done.returncode == 1
    assert "providers/.draft.yaml:3:27: error[NX402]" in done.stdout


def test_lists_of_several_providers_are_joined(project: Path, nixcfg: Run) -> None:
    for name in ("claude", "openai"):
        with (project / "providers" / f"{name}.yaml").open("a") as file:
            file.write("guardrails:\n")
            for each in ("shared", name):
                params = "{guardrail: tool_permission, mode: pre_call}"
                file.write(f"- guardrail_name: {each}\n  litellm_params: {params}\n")
    assert nixcfg("-C", project, "render").returncode == 0
    merged = yaml.safe_load((project / "rendered" / "litellm" / "all.yaml").read_text())
    assert [each["guardrail_name"] for each in merged["guardrails"]] == [
        "shared",
        "claude",
        "openai",
    ]


@pytest.mark.parametrize("kind", ["project", "provider", "case"])
def test_the_starter_carries_the_schemas(kind: str, update_golden: bool) -> None:
    """`nix flake init` copies the folder as it is, so the schemas stand there once more."""
    copy = shipped.folder("templates") / "project" / ".schema" / f"{kind}.schema.json"
    if update_golden:
        copy.write_text(shipped.schema_text(kind))
    assert copy.read_text() == shipped.schema_text(kind), "run pytest --update-golden"


def test_the_page_of_every_rule_ships(nixcfg: Run) -> None:
    """Run against the wheel too, where the pages are inside the package."""
    listed = nixcfg("explain")
    assert listed.returncode == 0, listed.stderr
    codes = [line.split()[0] for line in listed.stdout.splitlines()]
    assert codes == sorted(file.stem for file in (ROOT / "docs" / "rules").glob("NX*.md"))
    assert "## Bad" not in nixcfg("explain", codes[0]).stdout


def test_init_keeps_keys_out_of_git(tmp_path: Path, nixcfg: Run) -> None:
    nixcfg("init", cwd=tmp_path)
    assert "/secrets/" in (tmp_path / ".gitignore").read_text().split()
    for example in (tmp_path / "secrets.example").glob("*.txt"):
        assert example.read_text() == "replace-me\n"


def test_init_touches_nothing_that_exists(tmp_path: Path, nixcfg: Run) -> None:
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "claude.yaml").write_text("mine")
    refused = nixcfg("init", cwd=tmp_path)
    assert refused.returncode == 1
    assert "providers/claude.yaml" in refused.stderr
    assert contents(tmp_path) == {"providers/claude.yaml": b"mine"}


def test_a_second_render_writes_nothing(project: Path, rendered: Path, nixcfg: Run) -> None:
    before = snapshot(rendered)
    again = nixcfg("-C", project, "render")
    assert again.returncode == 0
    assert again.stdout == ""
    assert snapshot(rendered) == before


def test_render_finds_the_project_from_a_folder_inside(project: Path, nixcfg: Run) -> None:
    assert nixcfg("render", cwd=project / "providers").returncode == 0
    assert (project / "rendered" / "docker.nix").exists()


def test_without_a_project_it_is_wrong_usage(tmp_path: Path, nixcfg: Run) -> None:
    done = nixcfg("render", cwd=tmp_path)
    assert done.returncode == 2
    assert "nixcfg init" in done.stderr


def test_check_names_what_has_drifted(project: Path, rendered: Path, nixcfg: Run) -> None:
    assert nixcfg("-C", project, "render", "--check").returncode == 0
    before = snapshot(project)
    (project / "nixcfg.yaml").write_text("model_config: claude\nport: 4001\n")
    (project / "providers" / "gemini.yaml").unlink()
    done = nixcfg("-C", project, "render", "--check")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "update rendered/docker.nix",
        "update rendered/litellm/all.yaml",
        "remove rendered/litellm/gemini.yaml",
        "update rendered/manifest.json",
    ]
    assert snapshot(rendered) == {
        path.removeprefix("rendered/"): entry
        for path, entry in before.items()
        if path.startswith("rendered/")
    }


def test_diff_shows_changes_and_writes_nothing(project: Path, rendered: Path, nixcfg: Run) -> None:
    (project / "nixcfg.yaml").write_text("model_config: claude\nport: 4001\n")
    before = snapshot(rendered)
    done = nixcfg("-C", project, "render", "--diff")
    assert done.returncode == 0
    assert "--- a/rendered/docker.nix\n+++ b/rendered/docker.nix\n" in done.stdout
    assert "\n-    port = lib.mkDefault 4000;\n+    port = lib.mkDefault 4001;\n" in done.stdout
    assert snapshot(rendered) == before


def test_diff_folds_the_module_and_leaves_out_the_manifest(project: Path, nixcfg: Run) -> None:
    done = nixcfg("-C", project, "render", "--diff")
    assert "manifest.json" not in done.stdout
    assert "+++ b/rendered/litellm-proxy" not in done.stdout
    assert re.search(
        r"^rendered/litellm-proxy/: \d+ files of the module$", done.stderr, re.MULTILINE
    )


def test_diff_has_the_colours_of_git_at_a_terminal() -> None:
    text = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-old\n+new\n same\n"
    assert painted(text, color=False) == text
    assert painted(text, color=True).splitlines()[3:] == [
        "\x1b[31m-old\x1b[0m",
        "\x1b[32m+new\x1b[0m",
        " same",
    ]


def test_what_is_no_longer_rendered_goes(project: Path, rendered: Path, nixcfg: Run) -> None:
    (project / "providers" / "gemini.yaml").unlink()
    done = nixcfg("-C", project, "render")
    assert "remove rendered/litellm/gemini.yaml" in done.stdout
    assert not (rendered / "litellm" / "gemini.yaml").exists()


@pytest.mark.parametrize("edited", ["docker.nix", "litellm/claude.yaml"])
def test_a_hand_edit_is_never_overwritten_unasked(
    edited: str, project: Path, rendered: Path, nixcfg: Run
) -> None:
    with (rendered / edited).open("a") as file:
        file.write("# mine\n")
    before = contents(rendered)
    refused = nixcfg("-C", project, "render")
    assert refused.returncode == 1
    assert f"rendered/{edited}" in refused.stderr
    assert "--force" in refused.stderr
    assert contents(rendered) == before
    assert nixcfg("-C", project, "render", "--force").returncode == 0
    assert b"# mine" not in (rendered / edited).read_bytes()


def test_a_stale_file_with_a_hand_edit_stays(project: Path, rendered: Path, nixcfg: Run) -> None:
    (rendered / "litellm" / "gemini.yaml").write_text("mine")
    (project / "providers" / "gemini.yaml").unlink()
    assert nixcfg("-C", project, "render").returncode == 1
    assert (rendered / "litellm" / "gemini.yaml").read_text() == "mine"


def test_foreign_files_in_the_folder_are_kept(project: Path, rendered: Path, nixcfg: Run) -> None:
    (rendered / "notes").mkdir()
    (rendered / "notes" / "mine.txt").write_text("mine")
    (rendered / "link").symlink_to("notes/mine.txt")
    (project / "nixcfg.yaml").write_text("port: 4001\n")
    assert nixcfg("-C", project, "render").returncode == 0
    assert (rendered / "notes" / "mine.txt").read_text() == "mine"
    assert (rendered / "link").readlink() == Path("notes/mine.txt")


def test_out_renders_elsewhere_and_spares_a_full_folder(
    project: Path, tmp_path: Path, nixcfg: Run
) -> None:
    elsewhere = tmp_path / "deep" / "er"
    assert nixcfg("-C", project, "render", "--out", elsewhere).returncode == 0
    assert (elsewhere / "docker.nix").exists()
    assert not (project / "rendered").exists()
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.tex").write_text("mine")
    refused = nixcfg("-C", project, "render", "--out", full)
    assert refused.returncode == 1
    assert contents(full) == {"thesis.tex": b"mine"}
    assert nixcfg("-C", project, "render", "--out", ".", cwd=project).returncode == 2


def test_a_lost_manifest_is_made_again(project: Path, rendered: Path, nixcfg: Run) -> None:
    before = contents(rendered)
    (rendered / "manifest.json").unlink()
    assert nixcfg("-C", project, "render").returncode == 0
    assert contents(rendered) == before


def test_render_depends_on_the_files_alone(project: Path, tmp_path: Path, nixcfg: Run) -> None:
    texts = []
    for number, language in enumerate(["C", "tr_TR.UTF-8"]):
        out = tmp_path / str(number)
        environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": language,
            "PYTHONHASHSEED": str(number),
            "TZ": f"Etc/GMT+{number}",
        }
        done = nixcfg("-C", project, "render", "--out", out, env=environment, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        texts.append(contents(out))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("kind", ["project", "provider"])
def test_schema_prints_a_schema_that_accepts_our_files(kind: str, nixcfg: Run) -> None:
    schema = json.loads(nixcfg("schema", kind).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    files = [ROOT / "nixcfg.yaml"] if kind == "project" else (ROOT / "providers").iterdir()
    for file in files:
        jsonschema.validate(yaml.safe_load(file.read_text()), schema)


def test_help_and_version(nixcfg: Run) -> None:
    for arguments in (["--help"], ["render", "-h"], ["--version"]):
        done = nixcfg(*arguments)
        assert done.returncode == 0
        assert done.stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["render", "--nonsense"], ["-C", "/nowhere"]])
def test_wrong_usage_exits_with_2(arguments: list[str], nixcfg: Run) -> None:
    assert nixcfg(*arguments).returncode == 2


def test_a_bug_of_ours_exits_with_3_and_no_traceback(project: Path, tmp_path: Path) -> None:
    broken = (
        "import nixcfg.render.files as r, nixcfg.cli as c\n"
        "r.rendered_files = lambda p: 1 / 0; c.main()"
    )
    command = [sys.executable, "-P", "-c", broken, "-C", str(project), "render"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 3
    assert "ZeroDivisionError" in done.stderr
    assert "NIXCFG_DEBUG" in done.stderr
    assert "Traceback" not in done.stderr
