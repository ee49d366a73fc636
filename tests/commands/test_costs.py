"""What must not creep in: counts, the same on every machine. The seconds are in benchmarks/."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from program import ROOT, Run

HEAVY = {"yaml", "jinja2", "jsonschema", "fastjsonschema", "pathlib", "nixcfg.problems.problem"}

# Runs a command in this process and prints what it did. Audit hooks see files that are opened.
COUNT = """
import collections, sys
opened = collections.Counter()
def hook(event, args):
    if event == "open" and isinstance(args[0], str) and isinstance(args[2], int):
        opened[args[0], bool(args[2] & 3)] += 1
sys.addaudithook(hook)
import yaml, re
parsed = []
class Counted(yaml.CSafeLoader):
    def __init__(self, stream):
        parsed.append(len(stream))
        super().__init__(stream)
yaml.CSafeLoader = Counted
from nixcfg import cli
sys.argv = ["nixcfg", *sys.argv[1:]]
try:
    cli.main()
except SystemExit as end:
    code = end.code
read = {name: count for (name, wrote), count in opened.items() if not wrote}
wrote = [name for (name, wrote), count in opened.items() if wrote]
print(code, len(parsed), sum(count for name, count in read.items() if "/providers/" in name),
      len(wrote), "jsonschema" in sys.modules, "fastjsonschema" in sys.modules,
      sum(count for name, count in read.items() if "/docs/rules/" in name))
"""


def modules(*arguments: str, **environment: str) -> set[str]:
    """What a command has imported when it ends."""
    program = (
        "import sys\nfrom nixcfg import cli\nsys.argv = ['nixcfg', *sys.argv[1:]]\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stderr.split())


def project(folder: Path, providers: int = 3) -> Path:
    (folder / "providers").mkdir(parents=True)
    (folder / "nixcfg.yaml").write_text("model_config: all\n")
    for number in range(providers):
        shutil.copy(ROOT / "providers" / "openai.yaml", folder / "providers" / f"p{number}.yaml")
    return folder


def counted(folder: Path, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", COUNT, "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize("arguments", [["--help"], ["nonsense"]])
def test_no_library_but_click_to_say_what_there_is(arguments: list[str]):
    found = modules(*arguments)
    assert "click" in found
    assert not HEAVY & found
    assert not {name for name in found if name.startswith("nixcfg.commands.")}


def test_completion_of_a_command_imports_as_little():
    words = {"_NIXCFG_COMPLETE": "bash_complete", "COMP_WORDS": "nixcfg ren", "COMP_CWORD": "1"}
    found = modules(**words)
    assert "click.shell_completion" in found
    assert not HEAVY & found


def test_each_file_is_read_and_parsed_once(tmp_path: Path):
    code, parsed, read, _, explains, compiles, _ = counted(project(tmp_path / "new"), "render")
    assert code == "0"
    assert (parsed, read) == ("4", "3")  # with nixcfg.yaml
    # jsonschema only explains, and the schemas are compiled beforehand.
    assert (explains, compiles) == ("False", "False")


def test_an_error_in_one_file_costs_one_explanation(tmp_path: Path):
    folder = project(tmp_path / "new")
    (folder / "providers" / "p1.yaml").write_text("model_list: {}\n")
    code, parsed, read, _, explains, *_ = counted(folder, "validate")
    assert (code, parsed, read, explains) == ("1", "4", "3", "True")


@pytest.mark.parametrize(
    ("arguments", "pages"),
    [
        (["validate"], 0),
        (["validate", "--format", "json"], 0),
        (["validate", "--format", "sarif"], 1),
        (["explain", "NX408"], 1),
    ],
)
def test_only_what_prints_prose_reads_the_page_of_a_rule(
    tmp_path: Path, arguments: list[str], pages: int
):
    folder = project(tmp_path / "new", providers=1)
    (folder / "providers" / "p0.yaml").write_text(
        "model_list:\n- {model_name: a, litellm_params: {model: openai/gpt-4o}}\n"
        "- {model_name: a, litellm_params: {model: openai/gpt-4o, rpm: 1}}\n"
    )
    *_, read = counted(folder, *arguments)
    assert read == str(pages)


def test_nothing_is_written_the_second_time(tmp_path: Path, nixcfg: Run):
    folder = project(tmp_path / "new")
    assert nixcfg("-C", folder, "render").returncode == 0
    before = {path: path.stat() for path in folder.rglob("*")}
    code, *_, written, _, _, _ = counted(folder, "render")
    assert (code, written) == ("0", "0")
    after = {path: path.stat() for path in folder.rglob("*")}
    assert {p: (s.st_ino, s.st_mtime_ns) for p, s in before.items()} == {
        p: (s.st_ino, s.st_mtime_ns) for p, s in after.items()
    }


def test_the_list_of_commands_is_that_of_their_own_help(nixcfg: Run):
    from nixcfg import cli

    for name, summary in cli.COMMANDS.items():
        command = cli.nixcfg.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        text = " ".join((command.help or "").split("\n\n")[0].split())
        assert text.startswith(summary), name
        assert len(summary) <= 60
    shown = nixcfg("--help").stdout
    assert all(f"  {name} " in shown and summary in shown for name, summary in cli.COMMANDS.items())
