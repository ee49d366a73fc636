"""The hook, the action and the template: as files for their services, and as what they run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from deployments import DEPLOYED
from in_process import call

from nixcfg.plan import facts
from program import HERE, ROOT

BIN = Path(sys.executable).parent
BROKEN = "model_list:\n- model_name: x\n  litellm_params: {model: antropic/claude-3}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a project in a folder."""
    project = tmp_path / "repository" / "gateway"
    shutil.copytree(HERE / "cases" / "minimal", project, ignore=shutil.ignore_patterns("expected"))
    return project.parent


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize(
    ("schema", "file"),
    [("vendor.github-actions", "action.yml"), ("vendor.gitlab-ci", "ci/gitlab.yml")],
)
def test_the_file_has_the_shape_that_its_service_asks_for(schema: str, file: str) -> None:
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", schema, ROOT / file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def steps() -> dict[str, dict[str, object]]:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    return {each["name"]: each for each in action["runs"]["steps"] if "name" in each}


def run_action(repository: Path, **inputs: str) -> tuple[int, str, str]:
    """The exit code and output of the action's own script, and what it hands to later steps."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    defaults = {name: each["default"] for name, each in action["inputs"].items()}
    step = steps()["Validate"]
    given = {**defaults, **inputs}
    environment = {
        name: given[value.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, value in step["env"].items()
    }
    temp = repository.parent / "temp"
    (temp / "nixcfg" / "bin").mkdir(parents=True, exist_ok=True)
    program = temp / "nixcfg" / "bin" / "nixcfg"
    if not program.exists():
        program.symlink_to(os.environ.get("NIXCFG") or BIN / "nixcfg")
    output = repository.parent / "output"
    output.write_text("")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=repository,
        env={**os.environ, **environment, "RUNNER_TEMP": str(temp), "GITHUB_OUTPUT": str(output)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, output.read_text()


def test_the_action_writes_sarif_and_annotations(repository: Path) -> None:
    (repository / "gateway" / "providers" / "broken.yaml").write_text(BROKEN)
    code, out, handed = run_action(repository, directory="gateway")
    assert (code, handed) == (0, "code=1\n")
    assert "::error file=gateway/providers/broken.yaml,line=3," in out
    sarif = json.loads((repository / "nixcfg.sarif").read_text())
    schema = json.loads((HERE / "rules" / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(sarif)
    [result] = [each for each in sarif["runs"][0]["results"] if each["ruleId"] == "NX402"]
    [place] = result["locations"]
    uri = place["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "gateway/providers/broken.yaml"


def test_the_action_checks_files_and_takes_a_baseline(repository: Path) -> None:
    (repository / "my config.yaml").write_text(BROKEN)
    files = "my config.yaml\n"
    assert run_action(repository, files=files)[2] == "code=1\n"
    made = call("validate", "my config.yaml", "--write-baseline", "known.json", cwd=repository)
    assert made.returncode == 0, made.stderr
    assert run_action(repository, files=files, baseline="known.json")[2] == "code=0\n"
    # Wrong usage ends the job: there is nothing to upload.
    assert run_action(repository, files=files, baseline="none.json")[0] == 2
    # A value is a value, whatever it looks like.
    assert run_action(repository, files='"; touch owned; "\n')[2] == "code=1\n"
    assert not (repository / "owned").exists()


def test_the_action_fails_as_validate_did() -> None:
    script = steps()["Result"]["run"]
    for code in ("0", "1"):
        done = subprocess.run(["bash", "-c", script], env={"CODE": code}, check=False)
        assert done.returncode == int(code)


def run_job(
    repository: Path, name: str, **variables: str
) -> "tuple[dict[str, Any], subprocess.CompletedProcess[str]]":
    """A job of GitLab's template, and what its own script does. pip is a stand-in: all is there."""
    jobs = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text())
    job = jobs[name]
    programs = repository / ".nixcfg-venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "nixcfg").symlink_to(Path(os.environ.get("NIXCFG") or BIN / "nixcfg"))
    (programs / "pip").symlink_to("/bin/true")
    usual = {**jobs[job["extends"]]["variables"], **job.get("variables", {})}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])],
        cwd=repository,
        env={**os.environ, **usual, "NIXCFG_DIRECTORY": "gateway", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return job, done


def test_the_template_writes_both_reports(repository: Path) -> None:
    (repository / "gateway" / "providers" / "broken.yaml").write_text(BROKEN)
    job, done = run_job(repository, ".nixcfg")
    assert done.returncode == 1
    assert "error[NX402]" in done.stdout
    assert json.loads((repository / job["artifacts"]["paths"][0]).read_text())["runs"]
    quality = json.loads((repository / job["artifacts"]["reports"]["codequality"]).read_text())
    assert "gateway/providers/broken.yaml" in {each["location"]["path"] for each in quality}


CASES = """\
cases:
  - name: it answers
    request: {model: MODEL, prompt: Hello}
    expect: {status: STATUS}
"""


@pytest.mark.slow
def test_the_template_runs_the_cases(repository: Path) -> None:
    pytest.importorskip("litellm")
    project = repository / "gateway"
    provider = next((project / "providers").glob("*.yaml"))
    model = yaml.safe_load(provider.read_text())["model_list"][0]["model_name"]
    (project / "tests").mkdir()
    for status in (200, 418):
        cases = CASES.replace("MODEL", model).replace("STATUS", str(status))
        (project / "tests" / f"{status}.yaml").write_text(cases)
    job, done = run_job(repository, ".nixcfg-test")
    assert done.returncode == 1
    assert "create rendered/docker.nix" in done.stdout
    shutil.rmtree(repository / ".nixcfg-venv")
    assert call("-C", "gateway", "render", cwd=repository).returncode == 0
    job, done = run_job(repository, ".nixcfg-test")
    assert done.returncode == 1, done.stderr
    report = (repository / job["artifacts"]["reports"]["junit"]).read_text()
    assert "expected 418, got 200" in report
    assert report.count("<failure") == 1


def test_the_template_plans(repository: Path, tmp_path: Path) -> None:
    """A stand-in for ssh runs the command here, in place of the host."""
    config = tmp_path / "litellm.yaml"
    config.write_text("model_list: []\n")
    deployed = tmp_path / "litellm-proxy.json"
    deployed.write_text(json.dumps({**DEPLOYED, "config": str(config)}, separators=(",", ":")))
    ssh = tmp_path / "ssh"
    ssh.write_text(
        '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\n'
        '[ "$2" = gateway.example.org ] || exit 255\n'
        f'exec sh -c "$(printf %s "$3" | sed s,{facts.DEPLOYED},{deployed},g)"\n'
    )
    ssh.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    job, done = run_job(repository, ".nixcfg-plan", NIXCFG_HOST="gateway.example.org", PATH=path)
    assert done.returncode in job["allow_failure"]["exit_codes"], done.stderr
    assert "podman-litellm-proxy.service restarts" in done.stdout
    shutil.rmtree(repository / ".nixcfg-venv")
    _, done = run_job(repository, ".nixcfg-plan", NIXCFG_HOST="other.example.org", PATH=path)
    assert done.returncode == 1


def copied(folder: Path) -> Path:
    """This repository as it is now, as one that others can install from."""
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split(
        "\0"
    ):
        if name and not name.startswith(("tests/", "rendered/")) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "copy")
    return folder


@pytest.mark.slow
def test_the_hooks_run_under_the_real_pre_commit(repository: Path, tmp_path: Path) -> None:
    """pre-commit installs nixcfg from this repository, and runs what the hooks say."""
    source = copied(tmp_path / "nixcfg")
    (repository / ".pre-commit-config.yaml").write_text(
        yaml.safe_dump(
            {
                "repos": [
                    {
                        "repo": str(source),
                        "rev": git(source, "rev-parse", "HEAD").strip(),
                        "hooks": [
                            {"id": "nixcfg-fix", "args": ["-C", "gateway", "fix"]},
                            {"id": "nixcfg-validate", "args": ["-C", "gateway", "validate"]},
                            {"id": "nixcfg-validate-litellm"},
                            {
                                "id": "nixcfg-render-check",
                                "args": ["-C", "gateway", "render", "--check"],
                            },
                        ],
                    }
                ]
            }
        )
    )
    subprocess.run([BIN / "nixcfg", "-C", "gateway", "render"], cwd=repository, check=True)
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", "-A")
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home"), "NO_COLOR": "1"}

    def run() -> tuple[int, dict[str, str], str]:
        git(repository, "add", "-A")
        done = subprocess.run(
            [BIN / "pre-commit", "run", "--color", "never", "--all-files"],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        states = {
            line.split("...")[0]: line.rpartition(".")[2]
            for line in done.stdout.splitlines()
            if "..." in line
        }
        return done.returncode, states, done.stdout + done.stderr

    code, states, out = run()
    assert code == 0, out
    assert states["nixcfg validate (LiteLLM)"].endswith("Skipped")
    with (repository / "gateway" / "nixcfg.yaml").open("a") as file:
        file.write("litellm_settings:\n  routing_strategy: simple-shuffle\n")
    code, states, out = run()
    assert code == 1, out
    assert states["nixcfg fix"] == "Failed", out  # it fixed the file
    assert "router_settings" in (repository / "gateway" / "nixcfg.yaml").read_text()
    assert states["nixcfg render --check"] == "Failed"
    (repository / "litellm.yaml").write_text(BROKEN)
    code, states, out = run()
    assert states["nixcfg validate (LiteLLM)"] == "Failed"
    assert "litellm.yaml:3:27: error[NX402]" in out


@pytest.mark.slow
def test_the_action_installs_from_its_own_folder(tmp_path: Path) -> None:
    source = copied(tmp_path / "nixcfg")
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", steps()["Install nixcfg"]["run"]],
        env={
            **os.environ,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_ACTION_PATH": str(source),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "nixcfg" / "bin" / "nixcfg").exists()
