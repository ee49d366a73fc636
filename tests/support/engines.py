"""podman and docker with folders of their own, and a small image: for tests of the real ones."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

IMAGE = "localhost/stub:1"

#: Shows whom it runs as, answers a health check, lists one model, and waits for the signal with
#: which the container stops; ends as LiteLLM does with a key that its database does not take.
LITELLM = """#!/usr/bin/python3
import os, signal, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print(os.getuid(), *sys.argv[1:], flush=True)
if "refused" in os.environ["ANTHROPIC_API_KEY"]:
    sys.exit(3)
class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/health/liveliness", "/v1/models") else 404)
        self.end_headers()
        self.wfile.write(b'{"data": [{"id": "claude"}]}')
try:
    server = HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
except (OSError, ValueError):
    pass
signal.sigwait([signal.SIGINT])
print("finished", flush=True)
"""


def copy_with_libraries(program: Path, root: Path) -> None:
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    libraries = [word for word in said.split() if word.startswith("/")]
    for file in (str(program), *libraries):
        target = root / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


def stub_image(root: Path) -> Path:
    """The root of an image of this machine's Python and LITELLM, as an archive beside `root`."""
    python = Path("/usr/bin/python3").resolve()
    library = Path("/usr/lib") / python.name
    if not python.exists() or not library.is_dir() or shutil.which("ldd") is None:
        pytest.skip("the image is made from Debian's Python")
    for folder in ("usr/bin", "usr/lib", "usr/lib64", "usr/local/bin", "app", "etc", "tmp", "run"):
        (root / folder).mkdir(parents=True)
    for folder in ("bin", "lib", "lib64"):
        (root / folder).symlink_to(f"usr/{folder}")
    for program in (python, Path("/usr/bin/sleep"), Path("/usr/bin/dash")):
        copy_with_libraries(program, root)
    (root / "usr/bin/python3").symlink_to(python.name)
    (root / "usr/bin/sh").symlink_to("dash")
    shutil.copytree(library, root / library.relative_to("/"), symlinks=True)
    (root / "usr/local/bin/litellm").write_text(LITELLM)
    (root / "usr/local/bin/litellm").chmod(0o755)
    modules = root / library.relative_to("/") / "litellm/proxy"
    modules.mkdir(parents=True)
    for module in ("__init__", "proxy_cli", "proxy_server"):
        (modules / f"{module}.py").write_text("print('imported')\n")
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


@contextlib.contextmanager
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


@contextlib.contextmanager
def docker(
    folder: Path,
    networks: tuple[str, ...] = ("--iptables=false", "--ip6tables=false", "--bridge=none"),
    before: tuple[str, ...] = (),
) -> Iterator[Engine]:
    """`before` is what dockerd is started by, such as nsenter."""
    if shutil.which("dockerd") is None:
        pytest.skip("dockerd is not installed")
    host = f"unix://{folder}/docker.sock"
    roots = [folder / "data", folder / "exec"]
    with (folder / "dockerd.log").open("w") as log:
        daemon = subprocess.Popen(
            [
                *before,
                "dockerd",
                *networks,
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
        # dockerd leaves its own network namespace mounted, and then the folder cannot be removed.
        left = ["umount", roots[1] / "netns" / "default"]
        subprocess.run(left, capture_output=True, check=False)
