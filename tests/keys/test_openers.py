"""nixcfg/keys is the only package that opens a key file, whatever a command does."""

import subprocess
import sys
from pathlib import Path

import pytest

from program import ROOT

KEYS = ROOT / "nixcfg" / "keys"

# Runs a command, and prints who of nixcfg has opened a file of the folder of keys: the nearest of
# its modules at each opening.
WATCHED = """
import sys
folder, package, *arguments = sys.argv[1:]
openers = set()

def watch(event, details):
    if event != "open" or not isinstance(details[0], (str, bytes)):
        return
    name = details[0].decode() if isinstance(details[0], bytes) else details[0]
    if not name.startswith(folder + "/"):
        return
    frame = sys._getframe()
    while frame and not frame.f_code.co_filename.startswith(package):
        frame = frame.f_back
    openers.add(frame.f_code.co_filename if frame else "elsewhere")

sys.addaudithook(watch)
sys.argv = ["nixcfg", *arguments]
from nixcfg import cli
try:
    cli.main()
except SystemExit:
    pass
print("OPENERS", *sorted(openers))
"""

PROVIDER = """\
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "providers").mkdir(parents=True)
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "openai_api_key.txt").write_text("sk-proj-Ab9dEf1123x56789ghIJk\n")
    (tmp_path / "keys" / "master.txt").write_text("sk-0123456789abcdef0123456789abcdef\n")
    (folder / "nixcfg.yaml").write_text(
        f"secrets_dir: {tmp_path}/keys\nmaster_key_file: {tmp_path}/keys/master.txt\n"
    )
    (folder / "providers" / "openai.yaml").write_text(PROVIDER)
    return folder


def openers(project: Path, *arguments: str) -> set[str]:
    folder = str(project.parent / "keys")
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, folder, str(ROOT / "nixcfg"), "-C", project, *arguments],
        input=b"sk-proj-Zz9dEf1123x56789ghIJk\n",
        capture_output=True,
        timeout=120,
        check=True,
    )
    (line,) = [each for each in done.stdout.decode().splitlines() if each.startswith("OPENERS")]
    return {str(Path(each).relative_to(ROOT / "nixcfg")) for each in line.split()[1:]}


@pytest.mark.parametrize(
    "command",
    [
        ["validate"],
        ["render"],
        ["fix", "--diff", "--unsafe"],
        ["providers"],
        ["add-provider", "groq", "--model", "llama-3.3-70b-versatile"],
        ["remove-provider", "openai"],
        ["try", "--mock", "--help"],
    ],
    ids=" ".join,
)
def test_other_commands_open_no_key(command: list[str], project: Path):
    assert openers(project, *command) == set()


def test_doctor_and_set_key_open_keys_in_keys_alone(project: Path):
    assert openers(project, "doctor") == {"keys/read.py"}
    # Writing is for disk/private.py: it is given the bytes, and reads none.
    assert openers(project, "set-key", "openai") <= {"disk/private.py", "disk/write.py"}


def test_nothing_else_reads_what_a_key_file_names():
    """By the source: who asks keys/read.py for a key, and no one else makes a path of its file."""
    users = {
        path.relative_to(ROOT / "nixcfg").as_posix()
        for path in (ROOT / "nixcfg").rglob("*.py")
        if "from nixcfg.keys.read import" in path.read_text()
        or "from nixcfg.keys import read" in path.read_text()
    }
    assert users == {
        "commands/reached.py",
        "commands/set_key.py",  # whether there is one to replace
        "doctor/files.py",
        "doctor/gateway.py",
        "doctor/status.py",
        "gateway/launch.py",
        "plan/look.py",
    }
