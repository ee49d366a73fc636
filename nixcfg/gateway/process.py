"""Run the real LiteLLM as a child of this process: the one place that starts it.

Nothing outlives nixcfg: LiteLLM is killed by the kernel when nixcfg dies, and cleanup.py ends what
LiteLLM started and removes its folder.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from nixcfg.gateway import cleanup, machine
from nixcfg.gateway.client import Gateway
from nixcfg.gateway.launch import Launch, kept
from nixcfg.gateway.pinned import Container
from nixcfg.keys.mask import masked
from nixcfg.knowledge import releases

# nixcfg is there, so that pip asks no registry for it: only for what its extra needs.
EXTRA = "nixcfg[proxy]"
START_SECONDS = 180.0
STOP_SECONDS = 10.0

_NEEDED = ("litellm", "fastapi", "uvicorn", "apscheduler")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")

_CHILD = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: die with nixcfg
if os.getppid() != int(sys.argv.pop(1)):
    sys.exit(1)
from litellm import run_server
run_server()
"""


class StartError(Exception):
    """LiteLLM cannot be started, or did not come up; `log` are its last lines."""

    def __init__(self, message: str, log: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.log = tuple(log)


def absent() -> tuple[str, ...]:
    """The Python packages of the proxy that are not there."""
    return tuple(name for name in _NEEDED if importlib.util.find_spec(name) is None)


def not_installed(lacking: Sequence[str]) -> str:
    """The message where packages are `absent`, with the one command that installs them."""
    return (
        f"LiteLLM's proxy is not installed beside nixcfg (no {', '.join(lacking)}); run\n"
        f"  {sys.executable} -m pip install '{EXTRA}'"
    )


def version() -> str:
    """The release of LiteLLM that is installed beside nixcfg."""
    return importlib.metadata.version("litellm")


def holes() -> str:
    """What is known against the installed release, as a warning, or ""."""
    found = releases.of_version(version())
    return f"LiteLLM {version()} has known holes: {', '.join(map(str, found))}" if found else ""


def free_port(wanted: int) -> int:
    """`wanted` if it is free, else another one; 0 for any."""
    return wanted if wanted and not unusable(wanted) else _any_port()


def unusable(port: int) -> str:
    """Why no program of this user can listen on a port of the loopback address; "" if one can."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except PermissionError:
            return "is for root alone, as it is below 1024"
        except OSError:
            return "is taken"
    return ""


def _any_port() -> int:
    with held_ports(1) as (port,):
        return port


@contextlib.contextmanager
def held_ports(count: int) -> Iterator[list[int]]:
    """So many free ports of the loopback address, which no one is given meanwhile who asks for any.
    Who sets SO_REUSEADDR, as servers do, can listen on them."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in held:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind(("127.0.0.1", 0))
        yield [each.getsockname()[1] for each in held]


class Proxy:
    """LiteLLM while it runs. `log` are the lines it has written, keys masked."""

    def __init__(self, process: "subprocess.Popen[bytes]", launch: Launch) -> None:
        self.process = process
        self.gateway = Gateway(f"http://127.0.0.1:{launch.port}", launch.master_key)
        self.log: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._secrets = launch.hidden
        threading.Thread(target=self._read, daemon=True).start()

    def lines(self, seconds: float) -> Iterator[str]:
        """What is written within the next `seconds`; ends early when LiteLLM ends."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                return
            if line is None:
                self._lines.put(None)
                return
            self.log.append(line)
            yield line

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 (it was opened as a pipe)
        for raw in self.process.stdout:
            text = _COLOR.sub("", raw.decode("utf-8", "replace").rstrip("\r\n"))
            self._lines.put(masked(text, self._secrets))
        self._lines.put(None)


def check_installed() -> None:
    """Raise StartError where LiteLLM's proxy is not there, or is one that must not run."""
    lacking = absent()
    if lacking:
        raise StartError(not_installed(lacking))
    if malicious := releases.compromised(releases.of_version(version())):
        raise StartError(
            f"the LiteLLM {version()} that is installed beside nixcfg is compromised, and was not "
            f"started: {malicious[0]}. Install another release, and replace every key that this "
            "user could read."
        )


@contextlib.contextmanager
def running(
    launch: Launch,
    tick: Callable[[float, Sequence[str]], None] = lambda _seconds, _lines: None,
    container: Container | None = None,
) -> Iterator[Proxy]:
    """LiteLLM, up and answering; that of `container` where one is given, else the installed one.
    `tick` is called some times a second while it starts, with the seconds since and the new lines
    of its log.

    Ends it, and all that it started, however the block is left; SIGTERM and SIGHUP are a
    KeyboardInterrupt meanwhile. Raises StartError.
    """
    if container is None:
        check_installed()
    with interruptible(), _child(launch, container) as process:
        try:
            proxy = Proxy(process, launch)
            _wait(proxy, launch, tick, process.pid if container is None else None)
            yield proxy
        finally:
            _stop(process)


@contextlib.contextmanager
def _child(launch: Launch, container: Container | None) -> Iterator["subprocess.Popen[bytes]"]:
    """LiteLLM, or what holds its container, as a child that ends when nixcfg is killed."""
    if container is not None:
        yield container.start(launch)
        return
    with private_folder() as (folder, end_with_us):
        (folder / "config.yaml").write_text(launch.config, encoding="utf-8")
        with _documents(launch.documents) as (paths, handles):
            process = _start(folder, launch, paths, handles)
        end_with_us(process.pid)
        yield process


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP are a KeyboardInterrupt inside, so that what was started is ended."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def private_folder() -> Iterator[tuple[Path, Callable[[int], None]]]:
    """A private folder, and how to have a process group ended with us; both go afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="nixcfg-proxy-"))
    watcher = _watch(folder)
    assert watcher.stdin is not None  # noqa: S101 (it was opened as a pipe)
    pipe = watcher.stdin

    def end(group: int) -> None:
        pipe.write(f"{group}\n".encode())
        pipe.flush()

    try:
        yield folder, end
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        watcher.kill()
        watcher.communicate()


def _watch(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 (our own program and folder)
        [sys.executable, "-I", "-S", cleanup.__file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},
        start_new_session=True,
    )


@contextlib.contextmanager
def _documents(contents: Mapping[str, bytes]) -> Iterator[tuple[dict[str, str], list[int]]]:
    """Files that exist in memory alone, for what LiteLLM wants to read from a path."""
    with contextlib.ExitStack() as stack:
        paths, handles = {}, []
        for variable, content in contents.items():
            handle = os.memfd_create(variable)
            stack.callback(os.close, handle)
            os.write(handle, content)
            paths[variable] = f"/proc/self/fd/{handle}"
            handles.append(handle)
        yield paths, handles


def _start(
    folder: Path, launch: Launch, paths: Mapping[str, str], handles: Sequence[int]
) -> "subprocess.Popen[bytes]":
    config = str(folder / "config.yaml")
    child = [sys.executable, "-P", "-c", _CHILD, str(os.getpid())]
    arguments = ["--config", config, "--host", "127.0.0.1", "--port", str(launch.port)]
    return subprocess.Popen(  # noqa: S603 (our own program; keys are in the environment alone)
        [*child, *arguments, "--num_workers", "1"],
        cwd=folder,
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "TMPDIR": str(folder),
            **kept(),
            **launch.environment,
            **paths,
            # It would win over --config.
            "CONFIG_FILE_PATH": config,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=handles,
    )


def _wait(
    proxy: Proxy,
    launch: Launch,
    tick: Callable[[float, Sequence[str]], None],
    pid: int | None,
) -> None:
    began = time.monotonic()
    while (seconds := time.monotonic() - began) < START_SECONDS:
        tick(seconds, list(proxy.lines(0.2)))
        if proxy.has_ended:
            proxy.log.extend(proxy.lines(2))
            code = proxy.process.returncode
            raise StartError(f"LiteLLM ended by itself with exit code {code}", proxy.log)
        listens = _listens(pid, launch.port)
        if listens is False:
            # LiteLLM would move from 4000 to a random port without a word.
            raise StartError(f"port {launch.port} was taken while LiteLLM started")
        if listens and proxy.gateway.is_alive():
            return
    raise StartError(f"LiteLLM was not up after {START_SECONDS:.0f} seconds", proxy.log)


def _listens(pid: int | None, port: int) -> bool | None:
    """Whether it is this process that listens; None while no one does. Its log may be silent.

    Of a container no process is known here: what listens there is taken for it.
    """
    try:
        found = [each for each in machine.listeners(port) if each.address == "127.0.0.1"]
    except machine.UnknownError:
        return True  # not to be found out; that it answers has to be enough
    return any(pid in (None, each.pid) for each in found) if found else None


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """A short time to finish what is being answered, then the end of the whole group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
