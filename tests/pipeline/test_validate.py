"""Validate where others run it: on standard input, with a baseline, and again after a change."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from in_process import call

from program import HERE

SECRET = "sk-proj-Abcdefghij0123456789klmnopqrst"
BAD = f"""\
model_list:
- model_name: a
  litellm_params:
    model: antropic/claude-3
    api_key: {SECRET}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(BAD)
    return tmp_path


def codes(text: str) -> list[str]:
    return [problem["code"] for problem in json.loads(text)["problems"]]


def test_standard_input_is_a_litellm_file(tmp_path: Path):
    done = call("validate", "-", cwd=tmp_path, given=BAD.encode())
    assert done.returncode == 1
    assert "<stdin>:4:12: error[NX402]" in done.stdout
    assert SECRET not in done.stdout


def test_standard_input_includes_from_the_current_folder(tmp_path: Path):
    (tmp_path / "more.yaml").write_text(BAD)
    done = call(
        "validate", "-", "--format", "json", cwd=tmp_path, given=b"include: [more.yaml, none.yaml]"
    )
    found = json.loads(done.stdout)
    assert found["files"] == 2
    assert ("more.yaml", "NX402") in {(p["file"], p["code"]) for p in found["problems"]}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (b"\xff\xfe", "NX002"),
        (b"a: [", "NX003"),
        (b"#" * (2 * 1024 * 1024 + 1), "NX006"),
    ],
    ids=["no UTF-8", "no YAML", "too large"],
)
def test_standard_input_of_any_kind_is_reported(given: bytes, code: str, tmp_path: Path):
    done = call("validate", "-", "--format", "json", cwd=tmp_path, given=given)
    assert (done.returncode, done.stderr, codes(done.stdout)) == (1, "", [code])


def test_a_baseline_starts_an_old_configuration_at_zero(folder: Path):
    made = call("validate", "config.yaml", "--write-baseline", "known.json", cwd=folder)
    assert made.returncode == 0, made.stdout
    assert made.stdout == "1 file: no problems\n"
    assert SECRET not in (folder / "known.json").read_text()
    # Another place in the file is no other finding; one more of the same is.
    (folder / "config.yaml").write_text("# moved\n" + BAD)
    again = call("validate", "config.yaml", "--baseline", "known.json", cwd=folder)
    assert (again.returncode, again.stdout) == (0, "1 file: no problems\n")
    assert "2 more in the baseline" in again.stderr
    second = BAD.replace(
        "general", "- model_name: b\n  litellm_params: {model: antropi/x}\ngeneral"
    )
    (folder / "config.yaml").write_text(second)
    new = call(
        "validate", "config.yaml", "--baseline", "known.json", "--format", "json", cwd=folder
    )
    assert new.returncode == 1
    assert codes(new.stdout) == ["NX402"]


def test_the_same_finding_once_more_is_new(folder: Path):
    call("validate", "config.yaml", "--write-baseline", "known.json", cwd=folder)
    entry = "".join(BAD.splitlines(keepends=True)[1:5]).replace("name: a", "name: b")
    (folder / "config.yaml").write_text(BAD.replace("general_s", f"{entry}general_s"))
    done = call(
        "validate", "config.yaml", "--baseline", "known.json", "--format", "json", cwd=folder
    )
    assert sorted(codes(done.stdout)) == ["NX302", "NX402"]


def test_a_baseline_says_what_it_holds_in_vain(folder: Path):
    call("validate", "config.yaml", "--write-baseline", "known.json", cwd=folder)
    (folder / "config.yaml").write_text(BAD.replace("antropic", "anthropic"))
    done = call("validate", "config.yaml", "--baseline", "known.json", cwd=folder)
    assert done.returncode == 0
    assert "1 in the baseline no longer found" in done.stderr


def test_a_file_that_cannot_be_read_is_in_no_baseline(tmp_path: Path):
    project = tmp_path / "project"
    shutil.copytree(HERE / "cases" / "original", project, ignore=shutil.ignore_patterns("expected"))
    (project / "providers" / "claude.yaml").write_text("a: [")
    done = call("validate", "--write-baseline", "known.json", cwd=project)
    assert done.returncode == 1
    assert "NX003" in done.stdout
    assert "NX003" not in (project / "known.json").read_text()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "no such file"),
        ("{", "not JSON"),
        ("[]", "version"),
        ('{"version": 1, "findings": [{}]}', "file, code, line"),
        ('{"version": 1, "findings": 3}', "file, code, line"),
    ],
)
def test_a_bad_baseline_is_wrong_usage(text: str | None, why: str, folder: Path):
    if text is not None:
        (folder / "known.json").write_text(text)
    done = call("validate", "config.yaml", "--baseline", "known.json", cwd=folder)
    assert done.returncode == 2
    assert why in done.stderr


@pytest.mark.parametrize("form", ["sarif", "github", "gitlab"])
def test_a_service_gets_paths_from_where_nixcfg_runs(form: str, tmp_path: Path):
    """Code scanning looks for them at the top of the repository, not in the project."""
    project = tmp_path / "deep" / "gateway"
    shutil.copytree(HERE / "cases" / "original", project, ignore=shutil.ignore_patterns("expected"))
    (project / "providers" / "claude.yaml").write_text(BAD)
    for arguments in (["-C", "deep/gateway", "validate"], ["validate", "deep/gateway/nixcfg.yaml"]):
        done = call(*arguments, "--format", form, cwd=tmp_path)
        if arguments[0] == "-C":
            assert "deep/gateway/providers/claude.yaml" in done.stdout
    inside = call("validate", "--format", form, cwd=project)
    assert "providers/claude.yaml" in inside.stdout
    assert "deep" not in inside.stdout


def test_gitlab_gets_a_fingerprint_for_each_finding(folder: Path):
    (folder / "config.yaml").write_text(BAD.replace("- model", "# x\n- model", 1) + BAD[11:80])
    done = call("validate", "config.yaml", "--format", "gitlab", cwd=folder)
    listed = json.loads(done.stdout)
    assert listed
    assert len({each["fingerprint"] for each in listed}) == len(listed)
    assert {each["severity"] for each in listed} <= {"info", "minor", "major"}


def _read(stream: int, wanted: bytes) -> bytes:
    got = b""
    end = time.monotonic() + 30
    while wanted not in got and time.monotonic() < end:
        if select.select([stream], [], [], 1)[0]:
            got += os.read(stream, 65536)
    return got


def test_watch_checks_again_after_each_change(folder: Path):
    command = [sys.executable, "-P", "-m", "nixcfg", "validate", "--watch", "config.yaml"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as program:
        try:
            out = program.stdout.fileno()
            assert b"NX402" in _read(out, b"Ctrl-C")
            (folder / "new.yaml").write_text(BAD.replace("antropic", "anthropic"))
            (folder / "new.yaml").replace(folder / "config.yaml")  # as editors write
            second = _read(out, b"Ctrl-C")
            assert b"NX302" in second
            assert b"NX402" not in second
        finally:
            program.send_signal(signal.SIGINT)
        assert program.wait(timeout=30) == 0


@pytest.mark.parametrize("more", [["--format", "json"], ["--write-baseline", "x"], ["-"]])
def test_watch_is_for_files_and_people(more: list[str], folder: Path):
    assert call("validate", "--watch", *more, cwd=folder).returncode == 2
