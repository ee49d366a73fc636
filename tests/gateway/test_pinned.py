"""`nixcfg try` and `rehearse` where LiteLLM is not installed: podman or docker runs the image.

The engines are real; the image is this machine's Python with a stand-in for LiteLLM, so that it
takes seconds.
"""

import contextlib
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import engines
import pytest
from day import PROVIDER, Done, Trying, clean_environment, start_trying
from engines import IMAGE, Engine
from gateway import free_port

pytestmark = pytest.mark.slow
KEY = "sk-ant-api03-planted-0123456789abcdefghij"
PROJECT = "model_config: claude\nimage: {image}\nport: {port}\nsecrets_dir: {keys}\n"
#: Without the folder of this interpreter's own packages, among them LiteLLM.
PROGRAM = [sys.executable, "-S", "-P", "-m", "nixcfg"]
UP = "LiteLLM localhost/stub:1 is up after"


@pytest.fixture(scope="module", params=["podman", "docker"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    make = {"podman": engines.podman, "docker": engines.docker}[request.param]
    image = engines.stub_image(tmp_path_factory.mktemp("image") / "root")
    # podman takes no run folder whose name is longer than 50 characters.
    short = tempfile.TemporaryDirectory(prefix=request.param, ignore_cleanup_errors=True)
    with short as folder, make(Path(folder)) as made:
        made("import", "--change", "ENV PATH=/usr/local/bin:/usr/bin", str(image), IMAGE)
        try:
            made.start("probe", "--entrypoint=sleep", IMAGE, "60")
        except AssertionError as reason:
            pytest.skip(f"{request.param} starts no container here: {str(reason)[-200:]}")
        made("rm", "-f", "probe")
        yield made


@pytest.fixture
def programs(engine: Engine, tmp_path: Path) -> str:
    """A PATH with this one engine, which has the folders and limits that it has for tests."""
    command, options = shlex.join(engine.command), shlex.join(engine.run_options)
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / engine.name).write_text(
        "#!/bin/sh\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        f'case $1 in run) shift; exec {command} run {options} "$@" ;; esac\n'
        f'exec {command} "$@"\n'
    )
    (folder / engine.name).chmod(0o755)
    return str(folder)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    keys = folder / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "anthropic_api_key.txt").write_text(KEY + "\n")
    (keys / "anthropic_api_key.txt").chmod(0o600)
    (folder / "providers").mkdir()
    provider = PROVIDER.format("claude", "anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY")
    (folder / "providers" / "claude.yaml").write_text(provider)
    text = PROJECT.format(image=IMAGE, port=free_port(), keys=keys)
    (folder / "nixcfg.yaml").write_text(text)
    return folder


@pytest.fixture
def without_litellm(programs: str, bare_packages: str) -> dict[str, str]:
    return {"PATH": programs, "PYTHONPATH": bare_packages}


@pytest.fixture
def trying(own: Path, without_litellm: dict[str, str], tmp_path: Path) -> Iterator[Trying]:
    running = start_trying(PROGRAM, own, tmp_path, **without_litellm)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait(60)


def containers(engine: Engine) -> list[str]:
    return engine("ps", "--all", "--quiet").split()


def holders() -> list[Path]:
    """The processes with the key in their environment."""
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            found += [each] * (KEY.encode() in each.read_bytes())
    return found


def are_gone(engine: Engine) -> bool:
    """Whether no container is there, or none is within some seconds."""
    give_up = time.monotonic() + 30
    while containers(engine):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.2)
    return True


def test_it_runs_the_pinned_image_and_keeps_the_key_to_it(engine: Engine, trying: Trying) -> None:
    said = trying.said()
    assert f"not installed beside nixcfg, so {engine.name} runs {IMAGE}.\n" in said
    assert UP in said
    [container] = containers(engine)
    process = engine.process(container)
    assert len(holders()) == 1
    assert not engine.found(KEY, container)
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    trying.process.send_signal(signal.SIGINT)
    assert trying.process.wait(60) == 0
    assert are_gone(engine)


def test_kill_9_leaves_no_container(engine: Engine, trying: Trying) -> None:
    assert containers(engine)
    trying.process.kill()
    trying.process.wait(30)
    assert are_gone(engine)


def run(project: Path, environment: dict[str, str], *arguments: str) -> Done:
    done = subprocess.run(
        [*PROGRAM, "-C", project, *arguments],
        env={**clean_environment(), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_an_image_that_cannot_be_fetched(
    engine: Engine, own: Path, without_litellm: dict[str, str]
) -> None:
    absent = "localhost:1/absent:1"
    (own / "nixcfg.yaml").write_text((own / "nixcfg.yaml").read_text().replace(IMAGE, absent))
    done = run(own, without_litellm, "try", "--mock")
    assert done.code == 1
    assert f"{engine.name} fetches it first" in done.err
    assert f"Error: {engine.name} could not fetch {absent}\n" in done.err


def test_a_rehearsal(engine: Engine, own: Path, without_litellm: dict[str, str]) -> None:
    done = run(own, without_litellm, "rehearse")
    assert done.code == 0, done.said
    assert "claude: 1 of 1 models served" in done.out
    assert are_gone(engine)
