"""`nixcfg try`: the newcomer's minute, real keys, and nothing left behind."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from day import REFUSED, Cli, Trying, clean_environment, descendants, is_running, start_trying
from gateway import free_port
from terminal import Terminal
from vendor import Vendor

from nixcfg.commands import running
from program import ROOT

SECONDS = 20.0


def processes_of(trying: Trying) -> list[int]:
    return [trying.process.pid, *descendants(trying.process.pid)]


def have_ended(pids: list[int], folder: Path) -> bool:
    """Whether processes and temporary folders are gone, or go within some seconds."""
    give_up = time.monotonic() + SECONDS
    while any(map(is_running, pids)) or list(folder.glob("nixcfg-proxy-*")):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.1)
    return True


def files_with(text: bytes, folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and text in p.read_bytes()]


def test_a_newcomer_sees_a_streamed_answer(
    litellm: None,  # noqa: ARG001
    program: list[str],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
):
    """From a fresh clone, at a terminal, with no key on the machine; then Ctrl-C."""
    for tool in ("git", "curl", "bash"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed here")
    clone = tmp_path / "clone"
    done = subprocess.run(
        ["git", "clone", "-q", ROOT, clone], capture_output=True, timeout=60, check=False
    )
    if done.returncode != 0:
        pytest.skip("these tests are not in a git clone")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    port = free_port()
    command = [*program, "try", "--mock", "--port", str(port)]
    places = {"PYTHONPATH": str(clone), "TMPDIR": str(temporary), "HOME": str(tmp_path)}
    began = time.monotonic()
    with Terminal(command, clone, columns=100, **places) as person:
        wait_for(person, "Ctrl-C ends it.", 180)
        shown = "\n".join(person.lines)
        export = re.search(r"^  (export LITELLM_MASTER_KEY=sk-\w+)$", shown, re.MULTILINE)
        curl = re.search(r"^  curl .*?^    -d '.*?'$", shown, re.MULTILINE | re.DOTALL)
        assert export, shown
        assert curl, shown
        answer = subprocess.run(
            ["bash", "-c", f"{export[1]}\n{curl[0]}"],
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        seconds = time.monotonic() - began
        person.reads("POST /chat/completions: 200 OK")
        pids = [person.pid, *descendants(person.pid)]
        person.interrupts()
        assert person.ends() == 0
    events = [line.removeprefix("data: ") for line in answer.splitlines() if line]
    assert events.pop() == "[DONE]"
    pieces = [json.loads(event)["choices"][0]["delta"].get("content") or "" for event in events]
    assert len([piece for piece in pieces if piece]) > 10
    assert "".join(pieces) == running.ANSWER
    assert have_ended(pids, temporary)
    assert shown.count("sk-") == 1
    assert f"http://127.0.0.1:{port}" in shown
    assert "no key is read, no vendor is asked" in shown
    for noise in ("Krrish", "Feedback", "██", "trusted_proxy", "Traceback", "WARNING"):
        assert noise not in person.screen
    record_property("seconds_to_the_streamed_answer", round(seconds, 1))


def wait_for(person: Terminal, text: str, seconds: float) -> None:
    """As `person.reads`, for what takes longer than an answer."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            person.reads(text)
        except AssertionError:
            if time.monotonic() > give_up or not is_running(person.pid):
                raise
        else:
            return


def test_what_runs_has_its_keys_and_nobody_else_has(trying: Trying, vendors: dict[str, Vendor]):
    secrets = [vendors[name].key.encode() for name in ("claude", "openai", "gemini")]
    secrets.append(trying.key.encode())
    pids = processes_of(trying)
    assert len(pids) == 3
    holders = []
    for pid in pids:
        folder = Path(f"/proc/{pid}")
        assert not [key for key in secrets if key in (folder / "cmdline").read_bytes()]
        environment = (folder / "environ").read_bytes()
        holders += [pid] * sum(key in environment for key in secrets)
    # One process has them all.
    assert len(holders) == 4
    assert len(set(holders)) == 1
    variables = dict(
        line.split("=", 1)
        for line in Path(f"/proc/{holders[0]}/environ").read_text().split("\0")
        if "=" in line
    )
    assert variables["GROQ_API_KEY"] == "nixcfg-missing-key"
    assert variables["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert variables["LITELLM_MODE"] == "PRODUCTION"
    assert variables["HOME"] != os.environ.get("HOME")
    assert not [name for name in variables if name.startswith(("PYTEST", "NIXCFG", "GIT"))]
    folder = trying.project.parent
    for key in secrets:
        kept = [path for path in files_with(key, folder) if path.name != "try.log"]
        assert all(path.parent == trying.project / "keys" for path in kept)


def test_what_it_says_of_keys_and_port(trying: Trying):
    said = trying.said()
    port = re.search(r"^port: (\d+)$", (trying.project / "nixcfg.yaml").read_text(), re.MULTILINE)
    assert f"Port {port[1]} is taken, so this is on {trying.url.rpartition(':')[2]}." in said
    missing = f"optional key file {trying.project}/keys/groq.txt is missing"
    assert f"Warning: GROQ_API_KEY: {missing}." in said
    assert "error: Error creating deployment: litellm.BadRequestError: LLM Provider NOT" in said


def is_closed(port: int) -> bool:
    """Whether no one listens. A killed process counts as ended while its last threads still go."""
    give_up = time.monotonic() + SECONDS
    while time.monotonic() < give_up:
        with socket.socket() as gone:
            if gone.connect_ex(("127.0.0.1", port)) != 0:
                return True
        time.sleep(0.05)
    return False


def test_kill_9_leaves_no_process_and_no_key(
    trying: Trying, program: list[str], vendors: dict[str, Vendor], tmp_path: Path
):
    running = start_trying(program, trying.project, tmp_path, "whole")
    pids = processes_of(running)
    assert len(pids) == 3
    assert list(tmp_path.glob("nixcfg-proxy-*"))
    running.process.kill()
    running.process.wait(30)
    assert have_ended(pids, tmp_path)
    keys = [vendors[name].key.encode() for name in ("claude", "openai", "gemini")]
    assert not [path for key in keys for path in files_with(key, tmp_path)]
    assert is_closed(int(running.url.rpartition(":")[2]))


BAD = {
    "placeholder": ("replace-me\n", "still holds a placeholder"),
    "two-lines": ("sk-ant-secret-1\nsk-ant-secret-2\n", "holds more than one line"),
    "quoted": ('"sk-ant-secret"\n', "begins with a quote"),
    "assignment": ("ANTHROPIC_API_KEY=sk-ant-secret\n", "holds an assignment"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_key_that_the_service_would_refuse(cli: Cli, project: Path, name: str):
    content, reason = BAD[name]
    file = project / "keys" / "anthropic_api_key.txt"
    file.write_text(content)
    done = cli(project, "try")
    assert done.code == 1
    assert f"Error: ANTHROPIC_API_KEY: key file {file} {reason}" in done.err
    assert "secret-" not in done.said
    assert "nixcfg try --mock" in done.err


def test_only_the_keys_of_the_configuration_are_asked_for(cli: Cli, project: Path):
    for file in (project / "keys").iterdir():
        file.unlink()
    done = cli(project, "try", "openai")
    assert done.err.count("is missing") == 1
    assert "OPENAI_API_KEY" in done.err


def test_a_port_that_is_taken(cli: Cli, project: Path, vendors: dict[str, Vendor]):
    port = vendors["openai"].url.rpartition(":")[2]
    done = cli(project, "try", "--mock", "--port", port)
    assert done.code == 1
    assert f"port {port} is taken" in done.err


def test_an_unknown_configuration(cli: Cli, project: Path):
    done = cli(project, "try", "openia")
    assert done.code == 2
    assert "did you mean openai?" in done.err


def test_a_project_with_errors(cli: Cli, project: Path):
    (project / "providers" / "openai.yaml").write_text("model_list: 5\n")
    done = cli(project, "try", "--mock")
    assert done.code == 1
    assert "providers/openai.yaml:1:13: error[" in done.err


def test_without_litellm_one_command_is_named(project: Path, bare_packages: str, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-m", "nixcfg", "-C", project, "try", "--mock"],
        # No podman and no docker on it, which would run the image.
        env={**clean_environment(), "PYTHONPATH": bare_packages, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "LiteLLM's proxy is not installed beside nixcfg (no litellm" in done.stderr
    assert f"{sys.executable} -m pip install 'nixcfg[proxy]'" in done.stderr
    assert "or install podman or docker, which then runs ghcr.io/berriai/litellm" in done.stderr


def test_cases_without_litellm(project: Path, bare_packages: str, tmp_path: Path):
    """An image does not help there: LiteLLM is forked for each case."""
    (project / "tests").mkdir()
    (project / "tests" / "case.yaml").write_text(
        "cases:\n"
        "  - name: it answers\n"
        "    request: { model: gpt-4o, prompt: Hello }\n"
        "    expect: { status: 200 }\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-m", "nixcfg", "-C", project, "test"],
        env={**clean_environment(), "PYTHONPATH": bare_packages, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Error: LiteLLM's proxy is not installed beside nixcfg")


def test_an_end_while_it_starts(
    litellm: None,  # noqa: ARG001
    program: list[str],
    project: Path,
    tmp_path: Path,
):
    """Ctrl-C at a terminal, and a terminal that is closed."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    command = [*program, "-C", str(project), "try", "--mock"]
    for end in ("Ctrl-C", "SIGHUP"):
        with Terminal(command, tmp_path, TMPDIR=str(temporary)) as person:
            person.reads("Starting LiteLLM")
            person.reads("1 s")
            pids = [person.pid, *descendants(person.pid)]
            assert len(pids) == 3
            if end == "Ctrl-C":
                person.interrupts()
            else:
                os.kill(person.pid, signal.SIGHUP)
            assert person.ends() == 1
        assert have_ended(pids, temporary)
        assert "Traceback" not in person.screen


def test_a_port_that_is_taken_meanwhile(
    litellm: None,  # noqa: ARG001
    program: list[str],
    project: Path,
    tmp_path: Path,
):
    """On 4000 LiteLLM would go on, on a random port."""
    port = free_port()
    command = [*program, "-C", str(project), "try", "--mock", "--port", str(port)]
    with Terminal(command, tmp_path) as person:
        person.reads("Starting LiteLLM")
        with socket.create_server(("127.0.0.1", port)):
            person.reads(f"port {port} was taken while LiteLLM started")
            assert person.ends() == 1


def test_a_start_that_litellm_refuses(
    litellm: None,  # noqa: ARG001
    cli: Cli,
    project: Path,
):
    (project / "providers" / "refused.yaml").write_text(REFUSED)
    done = cli(project, "try", "refused", "--mock")
    assert done.code == 1
    assert "LiteLLM ended by itself with exit code" in done.err
    assert "ValueError: Empty module name" in done.err
