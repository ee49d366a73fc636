"""Real podman and docker run the container of the module, and are searched for its keys.

The image is this machine's Python and a stand-in for LiteLLM, so that it takes seconds; tests/vm
has the real one. What sets limits on memory and processes or checks health is left out, because it
depends on the control groups of the machine.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.usefixtures("root"),
    pytest.mark.xdist_group("engines"),
    pytest.mark.slow,
]

HERE = Path(__file__).parent
IMAGE = "localhost/stub:1"
KEYS = {
    "ANTHROPIC_API_KEY": "sk-planted-0123456789",
    "ODD_KEY": "planted with \"quotes\" = $HOME 'x'",
}

#: Shows whom it runs as, and waits for the signal with which the container stops.
LITELLM = """#!/usr/bin/python3
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print(os.getuid(), *sys.argv[1:], flush=True)
signal.sigwait([signal.SIGINT])
print("finished", flush=True)
"""

CASE = """{ x = { lib, ... }: {
  services.litellm-proxy = {
    enable = true; backend = "%s"; modelConfig = "a";
    configs.a = { file = ./case.nix; secrets = [ "ANTHROPIC_API_KEY" ]; };
    secrets.ANTHROPIC_API_KEY.file = "/keys/a"; }; }; }"""


def copy_with_libraries(program: Path, root: Path) -> None:
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    libraries = [word for word in said.split() if word.startswith("/")]
    for file in (str(program), *libraries):
        target = root / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the image, as an archive."""
    root = tmp_path_factory.mktemp("image")
    python = Path("/usr/bin/python3").resolve()
    library = Path("/usr/lib") / python.name
    if not python.exists() or not library.is_dir() or shutil.which("ldd") is None:
        pytest.skip("the image is made from Debian's Python")
    for folder in ("usr/bin", "usr/lib", "usr/lib64", "usr/local/bin", "app", "etc", "tmp", "run"):
        (root / folder).mkdir(parents=True)
    for folder in ("bin", "lib", "lib64"):
        (root / folder).symlink_to(f"usr/{folder}")
    for program in (python, Path("/usr/bin/sleep")):
        copy_with_libraries(program, root)
    (root / "usr/bin/python3").symlink_to(python.name)
    shutil.copytree(library, root / library.relative_to("/"), symlinks=True)
    (root / "usr/local/bin/litellm").write_text(LITELLM)
    (root / "usr/local/bin/litellm").chmod(0o755)
    root.chmod(0o755)  # it becomes the root of the container
    archive = root.with_suffix(".tar")
    subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True, timeout=120)
    return archive


class Engine:
    """A container engine with folders of its own, and the container of the module in it."""

    def __init__(self, name: str, command: list[str], folders: list[Path], *run: str) -> None:
        self.name, self.command, self.folders, self.run_options = name, command, folders, run

    def __call__(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [*self.command, *arguments], capture_output=True, text=True, check=False, timeout=120
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def start(self, name: str, *arguments: str) -> None:
        self("run", "-d", f"--name={name}", "--network=none", *self.run_options, *arguments)

    def process(self, name: str) -> Path:
        return Path("/proc", self("inspect", "-f", "{{.State.Pid}}", name).strip())

    def until(self, name: str, text: str) -> str:
        """The log of a container, when it has this text."""
        for _ in range(600):
            log = self("logs", name)
            if text in log:
                return log
            time.sleep(0.1)
        raise AssertionError(log)

    def found(self, key: str, *containers: str) -> list[str]:
        """Where a byte-for-byte search finds a key."""
        shown = [self("inspect", name) for name in containers]
        places = ["inspect" for text in shown if key in text]
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if key.encode() in process.read_bytes():
                    places.append(str(process))
            except OSError:
                continue
        for folder in self.folders:
            done = subprocess.run(
                ["grep", "-rlaF", "--devices=skip", "-f", "-", folder],
                input=key,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            places += done.stdout.splitlines()
        return places


def podman(folder: Path) -> Iterator[Engine]:
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed")
    limits = '["nproc=1000:1000", "nofile=1000:1000"]'
    (folder / "containers.conf").write_text(f"[containers]\ndefault_ulimits={limits}\n")
    roots = [folder / "store", folder / "run"]
    command = [
        *("env", f"CONTAINERS_CONF={folder}/containers.conf", "podman"),
        *("--root", str(roots[0]), "--runroot", str(roots[1]), "--cgroup-manager=cgroupfs"),
        *(["--runtime=runc"] if shutil.which("runc") else []),
    ]
    # Given one limit, podman forgets its own, which are above what a container may set here.
    limited = ("--ulimit=nofile=1000:1000", "--ulimit=nproc=1000:1000", "--log-driver=k8s-file")
    yield Engine("podman", command, roots, *limited)


def docker(folder: Path) -> Iterator[Engine]:
    if shutil.which("dockerd") is None:
        pytest.skip("dockerd is not installed")
    host = f"unix://{folder}/docker.sock"
    roots = [folder / "data", folder / "exec"]
    with (folder / "dockerd.log").open("w") as log:
        daemon = subprocess.Popen(
            [
                *("dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none"),
                *("--exec-opt", "native.cgroupdriver=cgroupfs", "--storage-driver=vfs"),
                *("--default-ulimit", "nofile=1000:1000", "-H", host, "--pidfile"),
                *(f"{folder}/pid", "--data-root", str(roots[0]), "--exec-root", str(roots[1])),
            ],
            stdout=log,
            stderr=log,
        )
    engine = Engine("docker", ["docker", "-H", host], [*roots, folder / "dockerd.log"])
    try:
        for _ in range(300):
            if daemon.poll() is not None:
                pytest.skip(
                    f"dockerd does not run here: {(folder / 'dockerd.log').read_text()[-300:]}"
                )
            if "Server:" in engine("version", check=False):
                break
            time.sleep(0.1)
        yield engine
    finally:
        daemon.terminate()
        daemon.wait(timeout=60)


@pytest.fixture(scope="module", params=["podman", "docker"])
def engine(request: pytest.FixtureRequest, image: Path) -> Iterator[Engine]:
    make = {"podman": podman, "docker": docker}[request.param]
    # podman takes no run folder whose name is longer than 50 characters.
    short = tempfile.TemporaryDirectory(prefix=request.param, ignore_cleanup_errors=True)
    with short as folder:
        for made in make(Path(folder)):
            path = "ENV PATH=/usr/local/bin:/usr/bin"
            made("import", "--change", path, str(image), IMAGE)
            try:
                made.start("probe", "--entrypoint=sleep", IMAGE, "60")
            except AssertionError as reason:
                pytest.skip(f"{request.param} starts no container here: {str(reason)[-200:]}")
            made("rm", "-f", "probe")
            yield made


@pytest.fixture
def container(
    engine: Engine, nix: Callable[..., Any], tmp_path: Path
) -> Iterator[Callable[..., Path]]:
    """`container(user)` starts the module's container with the keys in the file that it returns."""
    (tmp_path / "case.nix").write_text(CASE % engine.name)
    (case,) = nix("cases.nix", cases=str(tmp_path / "case.nix")).values()
    spec = case["container"]
    assert spec["environmentFiles"] == []
    keys = tmp_path / "environment"
    keys.write_text("".join(f"{name}={key}\n" for name, key in KEYS.items()))
    keys.chmod(0o600)
    wanted = ("--cap-drop", "--security-opt", "--read-only", "--tmpfs", "--ulimit", "--stop-")
    options = [option for option in spec["extraOptions"] if option.startswith(wanted)]
    for volume in spec["volumes"]:
        source, rest = volume.split(":", 1)
        real = str(keys) if source == "/run/litellm-proxy/environment" else source
        options += ["-v", f"{real}:{rest}"]

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
