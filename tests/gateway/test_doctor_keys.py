"""`nixcfg doctor` on key files: what they hold, who can read them, and whether git has them."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from day import Cli, Done
from examined import checks, claude_key, settings, told
from other_user import NOBODY, run_as
from vendor import Vendor

SOPS = "config.sops.secrets.anthropic.path"


def test_keys_in_order(doctor, project: Path, vendors: dict[str, Vendor]):
    found = doctor()
    for variable in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"):
        told(found[f"key {variable}"], "ok", f"{project}/keys/{variable.lower()}.txt")
    told(found["key GROQ_API_KEY"], "warning", "groq.txt is missing", "optional")
    assert not [v for v in vendors.values() if v.key in json.dumps(found)]


BAD = {
    "empty": ("", "is empty", "sudo nixcfg set-key ANTHROPIC_API_KEY"),
    "two-lines": ("sk-ant-secret-1\nsk-ant-secret-2\n", "holds more than one line", "set-key"),
    "placeholder": ("replace-me\n", "still holds a placeholder", "set-key"),
    "carriage-return": ("sk-ant-secret\r\n", "holds a control character", "set-key"),
}


@pytest.mark.parametrize("name", BAD)
def test_keys_that_the_service_refuses(doctor, project: Path, name: str):
    content, message, fix = BAD[name]
    claude_key(project).write_text(content)
    found = doctor(code=1)
    told(found["key ANTHROPIC_API_KEY"], "error", message, fix)
    assert "secret-" not in json.dumps(found)


def test_a_missing_key_stops_the_models_that_need_it_and_no_other(doctor, project: Path):
    claude_key(project).unlink()
    told(doctor()["key ANTHROPIC_API_KEY"], "warning", "is missing; requests", "set-key")
    stops = ("error", "is missing, so the gateway does not start", "sudo nixcfg set-key")
    settings(project, model_config="claude")  # no model of which works without it
    told(doctor(code=1)["key ANTHROPIC_API_KEY"], *stops)


def test_a_missing_key_that_is_required(doctor, project: Path):
    file = project / "nixcfg.yaml"
    key = f"{{file: {claude_key(project)}, required: true}}"
    file.write_text(
        file.read_text().replace("secrets:\n", f"secrets:\n  ANTHROPIC_API_KEY: {key}\n")
    )
    claude_key(project).unlink()
    check = doctor(code=1)["key ANTHROPIC_API_KEY"]
    told(check, "error", "is missing, so the gateway does not start")


def test_keys_that_are_not_missed(doctor, project: Path):
    """One that another configuration needs, and one that NixOS puts in place."""
    claude_key(project).unlink()
    settings(project, model_config="openai")
    told(doctor()["key ANTHROPIC_API_KEY"], "skipped", "is missing; openai does not need it")
    file = project / "nixcfg.yaml"
    text = file.read_text().replace("secrets:\n", "secrets:\n  ANTHROPIC_API_KEY: " + SOPS + "\n")
    file.write_text(text)
    settings(project, model_config="claude")
    check = doctor()["key ANTHROPIC_API_KEY"]
    told(check, "skipped", f"{SOPS} is not at /run/secrets/anthropic", "Is the secret declared")


def test_a_file_in_a_key_files_place(doctor, project: Path):
    claude_key(project).unlink()
    claude_key(project).mkdir()
    told(doctor(code=1)["key ANTHROPIC_API_KEY"], "error", "is a folder", "Store the key again")


def test_a_key_of_another_vendor(doctor, project: Path, vendors: dict[str, Vendor]):
    claude_key(project).write_text(vendors["openai"].key)
    check = doctor()["key ANTHROPIC_API_KEY"]
    told(check, "warning", "it looks like a key for OPENAI_API_KEY")
    twice = doctor()["key OPENAI_API_KEY"]
    told(twice, "warning", "holds the same as that of ANTHROPIC_API_KEY")


@pytest.fixture
def open_project(project: Path) -> Iterator[Path]:
    """The project below folders that let everybody come near, but for the key files' own."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to be somebody else")
    place = Path(tempfile.mkdtemp(prefix="nixcfg-open-"))
    if not all(folder.stat().st_mode & 0o001 for folder in place.parents):
        place.rmdir()
        pytest.skip("nobody else can come near the folder for temporary files")
    try:
        place.chmod(0o755)
        own = place / "project"
        shutil.copytree(project, own)
        for folder in (own, own / "providers"):
            folder.chmod(0o755)
        text = (own / "nixcfg.yaml").read_text().replace(str(project), str(own))
        (own / "nixcfg.yaml").write_text(text)
        yield own
    finally:
        shutil.rmtree(place)


def test_a_key_that_others_can_read(cli: Cli, open_project: Path):
    def check() -> dict[str, Any]:
        return checks(cli(open_project, "doctor", "--json"))["key ANTHROPIC_API_KEY"]

    file = claude_key(open_project)
    file.parent.chmod(0o755)
    expected = {
        0o644: ("error", "everyone on this machine can read"),
        0o602: ("error", "everyone can write to"),
        0o600: ("ok", "in order"),
    }
    for mode, (status, message) in expected.items():
        file.chmod(mode)
        told(check(), status, message)
    os.chown(file, 0, 65534)
    file.chmod(0o640)
    told(check(), "warning", "the group nogroup can read", f"chmod 0600 {file}")
    os.chown(file, 0, 54321)
    told(check(), "warning", "the group 54321 can read")
    os.chown(file, 65534, 0)
    file.chmod(0o600)
    told(check(), "warning", "belongs to nobody", "chown root")
    os.chown(file, 0, 0)
    file.parent.chmod(0o757)
    told(check(), "error", f"everyone can replace files in {file.parent}")
    # In a closed folder the mode of the file gives nothing away.
    file.chmod(0o644)
    file.parent.chmod(0o700)
    told(check(), "ok")


def test_a_key_that_git_has(doctor, project: Path):
    if not shutil.which("git"):
        pytest.skip("git is not installed here")

    def git(*arguments: str | Path) -> None:
        person = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
        command = ["git", "-C", project, *person, *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    git("init", "-q")
    told(doctor()["key ANTHROPIC_API_KEY"], "warning", "does not ignore it", ".gitignore")
    (project / ".gitignore").write_text("keys/\n")
    told(doctor()["key ANTHROPIC_API_KEY"], "ok")
    git("add", "-f", claude_key(project))
    told(doctor(code=1)["git"], "error", "git tracks it", "Revoke")


def test_git_that_does_not_answer(doctor, stand_in, project: Path):
    (project / ".git").mkdir()
    for script, reason in (
        ("echo 'fatal: index file corrupt' >&2; exit 128", "fatal: index file corrupt"),
        ("exit 128", "git gives no reason"),
    ):
        check = doctor(PATH=stand_in("git", script))["key ANTHROPIC_API_KEY"]
        told(check, "skipped", "whether git tracks", reason)


def test_a_key_in_the_store(doctor, project: Path):
    claude_key(project).unlink()
    claude_key(project).symlink_to("/nix/store/00000000000000000000000000000000-key.txt")
    told(doctor(code=1)["key ANTHROPIC_API_KEY"], "error", "is in the Nix store", "revoke")


def ordinary(project: Path) -> Done:
    """`nixcfg doctor` as the user nobody."""
    done = run_as(NOBODY, "-C", project, "doctor", "--json")
    assert done.stdout, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def test_an_ordinary_user_sees_half(open_project: Path):
    found = checks(ordinary(open_project))
    told(found["key ANTHROPIC_API_KEY"], "skipped", "you cannot read it", "sudo nixcfg doctor")
    for name in ("project", "rendered"):
        assert found[name]["status"] != "skipped"
    # With a key file that anybody can read it sees that, too.
    claude_key(open_project).parent.chmod(0o755)
    claude_key(open_project).chmod(0o644)
    told(checks(ordinary(open_project))["key ANTHROPIC_API_KEY"], "error", "everyone on this")
