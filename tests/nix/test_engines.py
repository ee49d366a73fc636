"""Real podman and docker run the container of the module, and are searched for its keys.

The image is this machine's Python and a stand-in for LiteLLM, so that it takes seconds; tests/vm
has the real one. What sets limits on memory and processes or checks health is left out, because it
depends on the control groups of the machine.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import engines
import pytest
from engines import IMAGE, Engine

pytestmark = [
    pytest.mark.usefixtures("root"),
    pytest.mark.slow,
]

HERE = Path(__file__).parent
KEYS = {
    "ANTHROPIC_API_KEY": "sk-planted-0123456789",
    "ODD_KEY": "planted with \"quotes\" = $HOME 'x'",
}

BYTECODE = "/var/cache/litellm-proxy/bytecode"
CASE = """{ x = { lib, ... }: {
  services.litellm-proxy = {
    enable = true; backend = "%s"; modelConfig = "a";
    configs.a = { file = ./case.nix; secrets = [ "ANTHROPIC_API_KEY" ]; };
    secrets.ANTHROPIC_API_KEY.file = "/keys/a"; }; }; }"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return engines.stub_image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module", params=["podman", "docker"])
def engine(request: pytest.FixtureRequest, image: Path) -> Iterator[Engine]:
    make = {"podman": engines.podman, "docker": engines.docker}[request.param]
    # podman takes no run folder whose name is longer than 50 characters.
    short = tempfile.TemporaryDirectory(prefix=request.param, ignore_cleanup_errors=True)
    with short as folder, make(Path(folder)) as made:
        path = "ENV PATH=/usr/local/bin:/usr/bin"
        made("import", "--change", path, str(image), IMAGE)
        try:
            made.start("probe", "--entrypoint=sleep", IMAGE, "60")
        except AssertionError as reason:
            pytest.skip(f"{request.param} starts no container here: {str(reason)[-200:]}")
        made("rm", "-f", "probe")
        yield made


@pytest.fixture(scope="module")
def case(engine: Engine, nix: Callable[..., Any], tmp_path_factory: Any) -> dict[str, Any]:
    """What cases.nix says of the module with this engine."""
    file = tmp_path_factory.mktemp("case") / "case.nix"
    file.write_text(CASE % engine.name)
    return nix("cases.nix", cases=str(file))["x"]


@pytest.fixture
def bytecode(tmp_path: Path) -> Path:
    """The folder that containers have in the place of BYTECODE."""
    folder = tmp_path / "cache/bytecode"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def container(
    engine: Engine, case: dict[str, Any], tmp_path: Path, bytecode: Path
) -> Iterator[Callable[..., Path]]:
    """`container(user)` starts the module's container with the keys in the file that it returns."""
    spec = case["container"]
    assert spec["environmentFiles"] == []
    keys = tmp_path / "environment"
    keys.write_text("".join(f"{name}={key}\n" for name, key in KEYS.items()))
    keys.chmod(0o600)
    wanted = ("--cap-drop", "--security-opt", "--read-only", "--tmpfs", "--ulimit", "--stop-")
    options = [option for option in spec["extraOptions"] if option.startswith(wanted)]
    places = {"/run/litellm-proxy/environment": keys, BYTECODE: bytecode}
    for volume in spec["volumes"]:
        source, rest = volume.split(":", 1)
        options += ["-v", f"{places.get(source, source)}:{rest}"]

    def start(user: str = spec["user"]) -> Path:
        engine.start(
            "gateway",
            f"--entrypoint={spec['entrypoint']}",
            "-u",
            user,
            *options,
            IMAGE,
            *spec["cmd"],
        )
        return keys

    yield start
    engine("rm", "-f", "gateway", check=False)


def environment(process: Path) -> dict[str, str]:
    pairs = (process / "environ").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


def test_litellm_has_the_keys_and_the_engine_has_none(engine, container):
    container()
    log = engine.until("gateway", "--config")
    assert log.split() == ["0", "--config", "/app/config.yaml", "--port", "4040"]
    process = engine.process("gateway")
    assert environment(process).items() >= KEYS.items()
    assert "CapBnd:\t0000000000000000" in (process / "status").read_text()
    for key in KEYS.values():
        assert engine.found(key, "gateway") == []
    engine("stop", "gateway")
    assert "finished" in engine("logs", "gateway")  # it heard SIGINT, as process 1
    engine("rm", "gateway")
    for key in KEYS.values():
        assert engine.found(key) == []


def test_a_new_key_is_there_after_a_restart(engine, container):
    keys = container()
    engine.until("gateway", "--config")
    new = keys.with_name("new")
    new.write_text("ANTHROPIC_API_KEY=sk-planted-2nd\n")
    new.chmod(0o600)
    new.rename(keys)
    engine("rm", "-f", "gateway")
    container()
    engine.until("gateway", "--config")
    assert environment(engine.process("gateway"))["ANTHROPIC_API_KEY"] == "sk-planted-2nd"
    assert engine.found("sk-planted-2nd", "gateway") == []


def test_another_user_reads_the_keys_that_were_given_to_it(engine, container):
    keys = container("65534:65534")
    assert f"user 65534 cannot read {keys.name}" in engine.until("gateway", "cannot").replace(
        "/run/litellm-proxy/", ""
    )
    engine("rm", "-f", "gateway")
    os.chown(keys, 65534, 65534)
    container("65534:65534")
    assert engine.until("gateway", "--config").startswith("65534 ")


#: Hands what a script asks for to the engine of the test, without what `container` leaves out too.
WRAPPER = """#!/usr/bin/python3
import os, sys
words = sys.argv[1:]
left_out = ("--memory", "--pids-limit", "--log-driver", "--add-host")
words = [word for word in words if not word.startswith(left_out)]
words = ["{image}" if word.startswith("ghcr.io/") else word for word in words]
if words[0] == "run":
    words[1:1] = {options}
command = {command}
os.environ["PATH"] = "{path}"  # without this program
os.execvp(command[0], [*command, *words])
"""


def script(
    engine: Engine, folder: Path, text: str, places: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Runs a script of the module. `places` is what stands in it for each of its own places."""
    for its, ours in places.items():
        text = text.replace(its, ours)
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / engine.name
    options = [*(["--network=none"] if "--network" not in text else []), *engine.run_options]
    command, path = engine.command, os.environ["PATH"]
    program.write_text(WRAPPER.format(image=IMAGE, options=options, command=command, path=path))
    program.chmod(0o755)
    return subprocess.run(
        ["bash", "-ec", text],
        env={"PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_image_is_compiled_once_and_its_containers_read_that(
    engine, container, case, bytecode, tmp_path
):
    text = case["fetch"].partition("if ! systemctl")[0]  # without what asks systemd
    places = {str(Path(BYTECODE).parent): str(bytecode.parent)}
    first = script(engine, tmp_path, text, places)
    assert "files are compiled" in first.stdout, first.stdout + first.stderr
    assert list(bytecode.rglob("proxy_server.*.pyc"))
    again = script(engine, tmp_path, text, places)
    assert (again.returncode, again.stdout) == (0, "")
    container()
    engine.until("gateway", "--config")
    process = engine.process("gateway")
    assert environment(process)["PYTHONPYCACHEPREFIX"] == "/app/bytecode"
    mounts = (process / "mountinfo").read_text().splitlines()
    (options,) = (line.split()[5] for line in mounts if line.split()[4] == "/app/bytecode")
    assert options.split(",")[0] == "ro"


def test_new_keys_are_tried_beside_the_running_container(
    engine, container, case, bytecode, tmp_path
):
    keys = container()
    engine.until("gateway", "--config")
    places = {"=/run/litellm-proxy/environment:": f"={keys}:", BYTECODE: str(bytecode)}

    def trial(key: str) -> tuple[int, str]:
        new = keys.with_name("new")
        new.write_text(f"ANTHROPIC_API_KEY={key}\n")
        new.rename(keys)
        done = script(engine, tmp_path, case["trial"], places)
        engine("rm", "-f", "litellm-proxy-trial")  # as the unit does in the end
        return done.returncode, done.stdout + done.stderr

    code, said = trial("sk-planted-refused")
    assert "it ended with 3" in said
    assert code == 1
    code, said = trial("sk-planted-anew")
    assert "LiteLLM starts with the new keys." in said
    assert code == 0
    assert environment(engine.process("gateway")).items() >= KEYS.items()
    for key in ("sk-planted-refused", "sk-planted-anew"):
        assert engine.found(key, "gateway") == []


def test_the_search_finds_keys_that_the_engine_is_given(engine, tmp_path):
    """As the module did it once; with podman they are there even when the container is not."""
    key = f"sk-planted-with-{engine.name}"
    (tmp_path / "old").write_text(f"ANTHROPIC_API_KEY={key}\n")
    engine.start("old", "--env-file", str(tmp_path / "old"), "--entrypoint=sleep", IMAGE, "60")
    places = engine.found(key, "old")
    engine("rm", "-f", "old")
    assert "inspect" in places
    assert [place for place in places if place.endswith(("config.json", "config.v2.json"))], places
    if engine.name == "podman":
        assert engine.found(key)
