"""Odd surroundings: environment, streams, working folder, umask and home."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cli import Cli, change, refused, snapshot


@pytest.fixture(scope="module")
def foreign_words(
    cli: Cli, rendered_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A project with names outside ASCII, rendered; and one whose report has to quote them."""
    good = tmp_path_factory.mktemp("words") / "good"
    shutil.copytree(rendered_project, good)
    provider = good / "providers" / "claude.yaml"
    text = provider.read_text().replace("claude-3-7-sonnet", "claude-naïve-✓-日本", 1)
    provider.write_text(text)
    bad = Path(shutil.copytree(good, good.with_name("bad")))
    (bad / "providers" / "claude.yaml").write_text(text + "✗: &ä [*ö]\n")
    done = cli("-C", good, "render")
    assert done.code == 0, done.said
    assert "日本".encode() in (good / "rendered" / "litellm" / "claude.yaml").read_bytes()
    return good, bad


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({}, id="no_home"),
        pytest.param({"HOME": "/nonexistent"}, id="home_that_is_not"),
        pytest.param({"LC_ALL": "C"}, id="locale_c"),
        pytest.param(
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, id="only_ascii"
        ),
        pytest.param({"LC_ALL": "tlh_KL.KLINGON", "TERM": "dumb"}, id="unknown_locale"),
    ],
)
def test_the_environment_changes_neither_result_nor_report(
    environment: dict[str, str], foreign_words: tuple[Path, Path], cli: Cli, tmp_path: Path
):
    good, bad = foreign_words
    out = tmp_path / "out"
    done, *reports = cli.each(
        ["-C", good, "render", "--out", out],
        ["-C", bad, "validate"],
        ["-C", bad, "validate", "--format", "json"],
        environment=environment,
    )
    assert done.code == 0, done.said
    assert snapshot(out) == snapshot(good / "rendered")
    for report in reports:
        assert report.code == 1, report.said
        assert "Traceback" not in report.said
        assert "providers/claude.yaml" in report.out


def test_closed_stdout(cli: Cli, project: Path):
    shell = ["sh", "-c", 'exec "$@" >&-', "sh"]
    for command in (["validate"], ["validate", "--format", "json"], ["render"]):
        done = cli("-C", project, *command, before=shell)
        assert done.code in (0, 1), done.err
        assert "Traceback" not in done.err
        assert "Exception ignored" not in done.err


def test_stdout_whose_reader_is_gone(cli: Cli, project: Path):
    """As in `nixcfg … | head -0`; 141 is what a shell shows for SIGPIPE."""
    for command in (["validate", "--format", "json"], ["schema", "provider"], ["--help"]):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            done = cli("-C", project, *command, stdout=writer)
        finally:
            os.close(writer)
        assert done.code in (0, 1, 141, -13), (command, done.err)
        assert "Traceback" not in done.err
        assert "Exception ignored" not in done.err


def test_full_stdout(cli: Cli, project: Path):
    """A report that went nowhere is no success."""
    for command in (["validate", "--format", "json"], ["schema", "provider"]):
        full = os.open("/dev/full", os.O_WRONLY)
        try:
            done = cli("-C", project, *command, stdout=full)
        finally:
            os.close(full)
        refused(done)


def test_limited_shell_is_there():
    """`sh` must know `ulimit -d`, or every test above would fail for the wrong reason."""
    done = subprocess.run(["sh", "-c", "ulimit -d 1000000"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "</dev/full >/dev/null"], ids=str
)
def test_closed_streams(closed: str, cli: Cli, project: Path):
    """A file that is opened next must not get the number of a stream, and then its text."""
    change(project)
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh"]
    commands = (["render"], ["add-provider", "groq"], ["fix"], ["set-key", "groq"], ["validate"])
    for command in commands:
        done = cli("-C", project, *command, before=shell)
        assert done.code in (0, 1), (command, done.said)
        assert "Traceback" not in done.said
        assert "has a bug" not in done.said
    assert (project / "providers" / "groq.yaml").read_text().startswith("#")
    assert cli("-C", project, "render").code == 0
    assert cli("-C", project, "render", "--check").code == 0


@pytest.mark.parametrize("encoding", ["utf-16", "ascii", "latin-1:strict", "cp037", "rot13"])
def test_odd_encodings_of_the_streams(encoding: str, cli: Cli, project: Path):
    """What the user has asked Python for may garble a message, not a file."""
    before = snapshot(project / "rendered")
    (project / "providers" / "claude.yaml").write_text("é: 'ü\n")
    done = cli("-C", project, "render", environment={"PYTHONIOENCODING": encoding})
    assert done.code != 0
    assert "Traceback" not in done.said
    assert snapshot(project / "rendered") == before


def test_a_folder_that_is_gone(cli: Cli, tmp_path: Path):
    """As after `git checkout` in another terminal."""
    for command in ("render", "validate", "init", "fix", "doctor"):
        script = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"'
        done = cli(command, before=["sh", "-c", script, str(tmp_path / "gone")])
        assert done.code in (1, 2), (command, done.said)
        assert "Traceback" not in done.said
        assert "has a bug" not in done.said


def test_a_umask_that_leaves_nothing(cli: Cli, project: Path, as_owner: list[str]):
    change(project)
    umask = [*as_owner, "sh", "-c", 'umask 0777; exec "$@"', "sh"]
    for command in (["render"], ["add-provider", "groq"]):
        done = cli("-C", project, *command, before=umask)
        assert done.code in (0, 1), done.said
        assert "Traceback" not in done.said
        assert "has a bug" not in done.said
    assert not [path for path in project.iterdir() if path.name.startswith(".")]
    key = project.parent / "keys" / "groq.txt"
    done = cli("-C", project, "set-key", "claude", "--file", key, before=umask)
    assert done.code in (0, 1)


def test_a_home_that_is_read_only(cli: Cli, project: Path, as_owner: list[str], tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    change(project)
    done = cli("-C", project, "render", before=as_owner, environment={"HOME": str(home)})
    assert done.code == 0, done.said
    assert list(home.iterdir()) == []
