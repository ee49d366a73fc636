"""`nixcfg fix` as a program: what it writes, says, and how it ends."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nixcfg import check
from nixcfg.project.find import read_project
from nixcfg.render.files import rendered_files

ORIGINAL = Path(__file__).parents[1] / "cases" / "original"
MISPLACED = ["NX201"]
BEFORE = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY  # from the environment

# What the proxy does.
litellm_settings:
  drop_params: true
  # Take turns.
  routing_strategy: simple-shuffle  # the default
"""
AFTER = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY  # from the environment

# What the proxy does.
litellm_settings:
  drop_params: true

router_settings:
  # Take turns.
  routing_strategy: simple-shuffle  # the default
"""


def nixcfg(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "nixcfg", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The first example this project began with, misplaced settings included."""
    shutil.copy(ORIGINAL / "nixcfg.yaml", tmp_path)
    shutil.copytree(ORIGINAL / "providers", tmp_path / "providers")
    return tmp_path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """An ordinary LiteLLM file with one misplaced setting."""
    path = tmp_path / "config.yaml"
    path.write_text(BEFORE)
    return path


def codes(home: Path) -> list[str]:
    report = json.loads(nixcfg("-C", home, "validate", "--format", "json").stdout)
    return [problem["code"] for problem in report["problems"]]


def texts(home: Path) -> dict[str, bytes]:
    files = (path for path in home.rglob("*") if path.is_file())
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


def test_a_project_validates_clean_and_renders_the_same(home: Path):
    assert set(MISPLACED) <= set(codes(home))
    before = check.validate(read_project(home)).project
    done = nixcfg("-C", home, "fix")
    assert done.returncode == 0, done.stderr
    assert "providers/claude.yaml:10:3: NX201: " in done.stdout
    assert not set(MISPLACED) & set(codes(home))
    after = check.validate(read_project(home)).project
    assert before
    assert after
    assert rendered_files(before) == rendered_files(after)

    fixed = texts(home)
    again = nixcfg("-C", home, "fix")
    assert (again.returncode, again.stdout) == (0, "")
    assert texts(home) == fixed
    assert set(fixed) == {"nixcfg.yaml", *(f"providers/{n}.yaml" for n in NAMES)}


NAMES = ("claude", "gemini", "openai")


def test_a_litellm_file_without_a_project(config: Path):
    done = nixcfg("fix", config)
    assert (done.returncode, done.stderr) == (0, "1 problem fixed in 1 file.\n")
    moved = "litellm_settings.routing_strategy moved to router_settings"
    assert done.stdout == f"{config}:11:3: NX201: {moved}\n"
    assert config.read_text() == AFTER


def test_a_relative_file_is_found_from_the_folder_of_c(config: Path):
    done = nixcfg("-C", config.parent, "fix", config.name)
    assert done.returncode == 0
    assert done.stdout.startswith("config.yaml:11:3: ")
    assert config.read_text() == AFTER


def test_a_line_that_is_to_be_left_alone(config: Path):
    text = BEFORE.replace("# the default", "# nixcfg: ignore NX201")
    config.write_text(text)
    done = nixcfg("fix", config)
    assert (done.returncode, done.stderr) == (0, "Nothing to fix.\n")
    assert config.read_text() == text


def test_what_a_file_includes_is_left_as_it_is(config: Path):
    included = config.with_name("more.yaml")
    included.write_text(BEFORE)
    config.write_text("include: [more.yaml]\n" + BEFORE)
    assert nixcfg("fix", config).returncode == 0
    assert config.read_text() == "include: [more.yaml]\n" + AFTER
    assert included.read_text() == BEFORE


def test_a_byte_order_mark_and_windows_line_ends_stay(config: Path):
    config.write_bytes(b"\xef\xbb\xbf" + BEFORE.replace("\n", "\r\n").encode())
    assert nixcfg("fix", config).returncode == 0
    assert config.read_bytes() == b"\xef\xbb\xbf" + AFTER.replace("\n", "\r\n").encode()


def test_diff_writes_nothing_and_is_a_patch(config: Path):
    done = nixcfg("-C", config.parent, "fix", "--diff", "config.yaml")
    assert done.returncode == 0
    assert config.read_text() == BEFORE
    assert "NX201" in done.stderr
    patch = shutil.which("patch")
    if not patch:
        pytest.skip("no patch program here")
    subprocess.run([patch, "-sp1"], input=done.stdout, text=True, cwd=config.parent, check=True)
    assert config.read_text() == AFTER


def test_check_writes_nothing_and_tells_by_its_exit_code(config: Path):
    behind = nixcfg("fix", "--check", config)
    assert (behind.returncode, config.read_text()) == (1, BEFORE)
    assert "NX201" in behind.stdout
    assert nixcfg("fix", config).returncode == 0
    done = nixcfg("fix", "--check", "--diff", config)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Nothing to fix.\n")


def test_what_is_not_fixed_says_why(config: Path):
    head = BEFORE[: BEFORE.index("# What")]
    sections = "litellm_settings: { # inside\n  routing_strategy: least-busy }\n"
    text = f"{head}{sections}router_settings:\n  num_retries: 1\n"
    config.write_text(text)
    done = nixcfg("fix", config)
    assert config.read_text() == text
    assert done.returncode == 1
    assert "NX201: not fixed: comments stand between the entries in { }" in done.stderr


def test_what_is_set_twice_is_left_to_the_user(config: Path):
    text = BEFORE + "router_settings:\n  routing_strategy: least-busy\n"
    config.write_text(text)
    done = nixcfg("fix", config)
    assert config.read_text() == text
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Nothing to fix.\n")


def test_one_broken_file_keeps_no_other_from_being_fixed(home: Path):
    broken = home / "providers" / "openai.yaml"
    broken.write_text("model_list: [\n")
    done = nixcfg("-C", home, "fix")
    assert done.returncode == 1
    assert re.search(r"providers/openai.yaml:\d+:\d+: error\[NX003\]", done.stderr)
    assert broken.read_text() == "model_list: [\n"
    assert "router_settings" in (home / "providers" / "claude.yaml").read_text()


def test_a_file_that_is_not_there(tmp_path: Path):
    done = nixcfg("-C", tmp_path, "fix", "no/config.yaml", ".")
    assert done.returncode == 1
    assert "no/config.yaml:1:1: error[NX001]" in done.stderr
    assert "Traceback" not in done.stderr


def test_permissions_stay_and_a_link_stays_a_link(config: Path):
    config.chmod(0o640)
    target = config.rename(config.with_name("target.yaml"))
    config.symlink_to("target.yaml")
    assert nixcfg("fix", config).returncode == 0
    assert config.is_symlink()
    assert target.read_text() == AFTER
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert {path.name for path in config.parent.iterdir()} == {"config.yaml", "target.yaml"}


def test_a_file_stays_its_owner_s(config: Path):
    """`sudo nixcfg fix` must not make a user's file root's."""
    if os.geteuid() != 0:
        pytest.skip("only root can own a file for somebody else")
    os.chown(config, 65534, 12345)
    assert nixcfg("fix", config).returncode == 0
    status = config.stat()
    assert (status.st_uid, status.st_gid, config.read_text()) == (65534, 12345, AFTER)


@pytest.mark.parametrize("option", ["--diff", "--check", None])
def test_no_key_is_shown(option: str | None, config: Path):
    """Keys in lines around a change are in the diff, as asterisks."""
    secret = "sk-" + "a1B2" * 8
    config.write_text(BEFORE.replace("drop_params: true", f"api_key: {secret}"))
    done = nixcfg("fix", *([option] if option else []), config)
    assert "NX201" in done.stdout + done.stderr
    assert secret not in done.stdout + done.stderr
    assert secret in config.read_text()


def test_a_file_that_changes_under_the_fixer_is_left(config: Path):
    """The editor that saved a moment ago wins."""
    program = """
import sys
from pathlib import Path
from nixcfg import cli
from nixcfg import fixing
fix = fixing.fix
def slow(*arguments, **options):
    Path(sys.argv[-1]).write_text("model_list: []\\n")
    return fix(*arguments, **options)
fixing.fix = slow
cli.main()
"""
    command = [sys.executable, "-c", program, "fix", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "has changed meanwhile; nothing was changed" in done.stderr
    assert config.read_text() == "model_list: []\n"


def test_a_file_of_a_project_is_checked_as_part_of_it(home: Path):
    """As validate does: the keys of nixcfg.yaml are not those of a LiteLLM file."""
    file = home / "nixcfg.yaml"
    text = file.read_text() + "router_setings: {num_retries: 2}\n"
    file.write_text(text)
    before = {path: path.read_bytes() for path in home.rglob("*.yaml")}
    done = nixcfg("fix", "--unsafe", file)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout
    assert before == {path: path.read_bytes() for path in home.rglob("*.yaml")}
    # One file by its name leaves the others as they are.
    done = nixcfg("-C", home / "providers", "fix", "claude.yaml", "--diff")
    assert "--- a/claude.yaml\n" in done.stdout
    assert "providers/claude.yaml:10:3: NX201: " in done.stderr
    assert "openai" not in done.stdout + done.stderr
    done = nixcfg("-C", home / "providers", "fix", "claude.yaml")
    assert "providers/claude.yaml:10:3: NX201: " in done.stdout
    changed = [path.name for path, old in before.items() if path.read_bytes() != old]
    assert changed == ["claude.yaml"]
