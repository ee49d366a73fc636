"""Root in a user's project, and a user in root's; folders and files that are someone else's."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from other_user import run_as

from program import HERE, Run

USER = 4321
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of root's that every user can come to, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="nixcfg-owners-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home(place: Path) -> Path:
    """A project that belongs to a user."""
    folder = place / "project"
    shutil.copytree(HERE / "cases" / "original", folder, ignore=shutil.ignore_patterns("expected"))
    for path in (folder, *folder.rglob("*")):
        os.chown(path, USER, USER)
    return folder


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


def test_what_root_writes_into_a_users_project_is_the_users(home: Path, nixcfg: Run) -> None:
    assert nixcfg("-C", home, "render").returncode == 0
    added = nixcfg("-C", home, "add-provider", "groq", "--model", "openai/gpt-oss-20b")
    assert added.returncode == 0, added.stderr
    assert nixcfg("-C", home, "use", "groq").returncode == 0
    assert owners(home) == {USER}
    again = run_as(USER, "-C", home, "render")
    assert again.returncode == 0, again.stderr
    assert nixcfg("-C", home, "init", "other").returncode == 0
    assert owners(home / "other") == {USER}


def test_a_link_in_the_folder_is_not_followed(home: Path, place: Path, nixcfg: Run) -> None:
    mine = place / "mine"
    mine.write_text("root's")
    other = place / "other"
    other.write_text("root's, under a second name")
    assert nixcfg("-C", home, "render").returncode == 0
    (home / "rendered" / "link").symlink_to(mine)
    (home / "rendered" / "second").hardlink_to(other)
    (home / "nixcfg.yaml").write_text("port: 4001\n")
    assert nixcfg("-C", home, "render").returncode == 0
    assert (home / "rendered" / "link").readlink() == mine
    assert mine.stat().st_uid == other.stat().st_uid == 0


def test_a_folder_that_is_roots_is_named_with_the_way_out(home: Path, nixcfg: Run) -> None:
    assert nixcfg("-C", home, "render").returncode == 0
    for path in (home / "rendered", *(home / "rendered").rglob("*"), home):
        os.chown(path, 0, 0)
    (home / "nixcfg.yaml").write_text("port: 4001\n")
    done = run_as(USER, "-C", home, "render")
    assert done.returncode == 1
    assert "root's" in done.stderr
    assert "sudo chown -R $USER" in done.stderr


def test_a_key_file_of_roots(home: Path, place: Path) -> None:
    secrets = place / "secrets"
    secrets.mkdir()
    key = secrets / "anthropic_api_key.txt"
    key.write_text("sk-ant-api03-" + "aB3" * 30 + "AA")
    key.chmod(0o600)
    (home / "nixcfg.yaml").write_text(f"model_config: claude\nsecrets_dir: {secrets}\n")
    done = run_as(USER, "-C", home, "try")
    assert done.returncode == 1
    assert "root can: run it with sudo" in done.stderr
    assert "ANTHROPIC_API_KEY=" not in done.stdout


def test_a_port_below_1024(home: Path) -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("every user may listen on every port here")
    done = run_as(USER, "-C", home, "try", "--mock", "--port", "80")
    assert done.returncode == 1
    assert "port 80 is for root alone" in done.stderr
    assert "taken" not in done.stderr
