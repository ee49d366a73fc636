"""Where `nixcfg render` writes, for real: a small disk, two at once, and links in the way."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cli import Cli, snapshot
from shots import Change, Range, leftovers

FILL = "dd if=/dev/zero of=$1/filler bs=1k status=none || true"

SMALL_DISK = """\
set -e
mount -t tmpfs -o size=512k,nr_inodes={inodes} none "$1"
cp -a "$2/." "$1"
{full}
shift 2
"$@" && code=0 || code=$?
cp -a "{project}" "{result}"
exit $code
"""


@pytest.mark.parametrize(
    ("full", "inodes"),
    [
        pytest.param(FILL, 1000, id="no_space"),
        pytest.param(f"{FILL}; truncate -s -12K $1/filler", 1000, id="little_space"),
        pytest.param("i=0; while true > $1/filler$i; do i=$((i+1)); done", 100, id="no_inodes"),
        pytest.param("mount -o remount,ro $1", 1000, id="read_only"),
    ],
)
def test_a_real_disk_that_is_full_or_read_only(
    full: str, inodes: int, cli: Cli, change: Change, tmp_path: Path
):
    unshare = ["unshare", "--mount", "--map-root-user"]
    probe = [*unshare, "mount", "-t", "tmpfs", "none", str(tmp_path)]
    if (
        not shutil.which("unshare")
        or subprocess.run(probe, capture_output=True, check=False).returncode
    ):
        pytest.skip("no mount namespaces here for a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = SMALL_DISK.format(full=full, inodes=inodes, project=disk, result=tmp_path / "result")
    done = cli(
        "-C",
        disk,
        "render",
        before=[*unshare, "sh", "-c", script, "sh", str(disk), str(change.project)],
    )
    result = tmp_path / "result"
    assert done.code == 1, done.said
    assert "Traceback" not in done.said
    assert str(disk.name) in done.err
    assert snapshot(result / "rendered") == change.old
    assert [name for name in leftovers(result) if not name.startswith("filler")] == []


@pytest.mark.parametrize(("together", "rounds"), [(2, 6), (5, 1)])
def test_renders_at_once(together: int, rounds: int, cli: Cli, change: Change, tmp_path: Path):
    for number in range(rounds):
        project = change.copy(tmp_path / f"round{number}")
        line = cli.line("-C", project, "render")
        running = [
            subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(together)
        ]
        try:
            said = [process.communicate(timeout=30) for process in running]
        finally:
            for process in running:
                process.kill()
        assert [process.returncode for process in running] == [0] * together, said
        assert snapshot(project / "rendered") == change.new
        assert leftovers(project) == []


def test_a_link_in_place_of_a_leftover_is_not_followed(
    change: Change, shots: Callable[[Change], Range], cli: Cli, tmp_path: Path
):
    """What a killed run left is cleared away; a link of that name, in a project from somewhere
    else, leads to folders that must stay as they are."""
    ground = shots(change)
    project = change.copy(tmp_path / "project")
    done, _ = ground.traced(project, "fsync", "-e", "inject=fsync:signal=KILL:when=1")
    (leftover,) = leftovers(project)
    shutil.rmtree(project / leftover)
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "folder" / "file").write_text("somebody else's\n")
    before = snapshot(tmp_path / "outside"), outside.stat().st_mode
    (project / leftover).symlink_to(outside)
    done = cli("-C", project, "render")
    assert done.code in (0, 1), done.said
    assert (snapshot(tmp_path / "outside"), outside.stat().st_mode) == before


def test_a_link_in_the_output_is_not_followed(cli: Cli, change: Change, tmp_path: Path):
    project = change.copy(tmp_path / "project")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "claude.yaml").write_text("somebody else's\n")
    shutil.rmtree(project / "rendered" / "litellm")
    (project / "rendered" / "litellm").symlink_to(outside)
    (project / "rendered" / "docker.nix").unlink()
    (project / "rendered" / "docker.nix").symlink_to(outside / "docker.nix")
    for force in ([], ["--force"]):
        done = cli("-C", project, "render", *force)
        assert "Traceback" not in done.said
        assert snapshot(outside) == {"claude.yaml": ("-rw-r--r--", b"somebody else's\n")}
    assert done.code == 0, done.said
    assert snapshot(project / "rendered") == change.new
