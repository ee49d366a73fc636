"""Run the real LiteLLM as a child of this process: the one place that starts it.

What LiteLLM gets is what the NixOS module gives it: the rendered configuration, an environment
made from scratch, and the keys of that configuration, which go from their files into the
environment of that one process. Nothing outlives nixcfg: LiteLLM is killed by the kernel when
nixcfg dies, and nixcfg/guard.py ends what LiteLLM started and removes its folder.
"""

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import queue
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nixcfg.gateway import guard, machine
from nixcfg.gateway.client import Gateway
from nixcfg.keys import keys
from nixcfg.keys.keys import KeyForbiddenError, KeyMissingError, KeyUnusableError
from nixcfg.knowledge import LITELLM_VERSION
from nixcfg.project import wiring
from nixcfg.project.model import MODELS, Config, Machine

EXTRA = f"litellm[proxy]=={LITELLM_VERSION}"
START_SECONDS = 180.0
STOP_SECONDS = 10.0

_NEEDED = ("litellm", "fastapi", "uvicorn", "apscheduler")
_KEPT = (
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "NIX_LD",
    "NIX_LD_LIBRARY_PATH",
    "NIX_SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)
"""What Python and its TLS need from the machine."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_FIXED = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "True",
    "SCARF_NO_ANALYTICS": "True",
    "NO_DOCS": "True",
    "NO_OPENAPI": "True",
    "NO_REDOC": "True",
    "DISABLE_ADMIN_UI": "True",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""As in modules/litellm-proxy; the last two are for a log that comes line by line."""

_CHILD = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: die with nixcfg
if os.getppid() != int(sys.argv.pop(1)):
    sys.exit(1)
from litellm import run_server
run_server()
"""


class StartError(Exception):
    """LiteLLM cannot be started, or did not come up; the message says why, `log` its last words."""

    def __init__(self, message: str, log: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.log = tuple(log)


@dataclass(frozen=True, slots=True)
class Keys:
    """What the key files gave. `values` are shown nowhere; `missing` and `errors` are in words."""

    values: Mapping[str, bytes] = field(repr=False)
    paths: Mapping[str, str]
    missing: tuple[str, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Launch:
    """One start of LiteLLM: the text of its configuration, its whole environment, its port.

    `environment` holds keys, so it is in no representation. `documents` are the variables whose
    value becomes the path of a file in memory.
    """

    config: str
    port: int
    master_key: str = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    documents: Mapping[str, bytes] = field(repr=False, default_factory=dict)
    open: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something that LiteLLM said: `level` is error, warning, request or info."""

    level: str
    text: str


def absent() -> tuple[str, ...]:
    """The Python packages of the proxy that are not there."""
    return tuple(name for name in _NEEDED if importlib.util.find_spec(name) is None)


def not_installed(lacking: Sequence[str]) -> str:
    """What to say where packages are `absent`: the one command that mends it."""
    return (
        f"LiteLLM's proxy is not installed beside nixcfg (no {', '.join(lacking)}); run\n"
        f"  {sys.executable} -m pip install '{EXTRA}'"
    )


def version() -> str:
    """The release of LiteLLM that is installed beside nixcfg."""
    return importlib.metadata.version("litellm")


def free_port(wanted: int) -> int:
    """`wanted` if nobody uses it, else another one; 0 for any."""
    return wanted if wanted and is_free(wanted) else _any_port()


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of the loopback address."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    return port


def read_keys(here: Machine, config: Config) -> Keys:
    """Read the key files that `config` needs, and no others, as the service reads them."""
    values, paths, missing, errors = {}, {}, [], []
    for variable in config.secrets:
        key = here.key_files[variable]
        path = wiring.place(key.file)
        try:
            content = keys.read(key)
        except KeyMissingError:
            if key.optional:
                missing.append(f"{variable}: optional key file {path} is missing")
            else:
                errors.append(f"{variable}: key file {path} is missing")
            continue
        except KeyForbiddenError as error:
            errors.append(f"{variable}: key file {path} {error}")
            continue
        except KeyUnusableError as error:
            errors.append(f"{variable}: key file {path} {error}")
            continue
        if key.kind == "file" and not key.encrypted:
            paths[variable] = str(Path(path).absolute())
        else:
            values[variable] = content
    return Keys(values, paths, tuple(missing), tuple(errors))


def real(here: Machine, config: Config, text: str, found: Keys, port: int) -> Launch:
    """A start with the real keys, which were `found` without errors."""
    kinds = {variable: here.key_files[variable].kind for variable in found.values}
    environment = {
        **dict.fromkeys(config.secrets, wiring.MISSING_KEY),
        **{v: os.fsdecode(value) for v, value in found.values.items() if kinds[v] == "env"},
        **found.paths,
    }
    documents = {v: value for v, value in found.values.items() if kinds[v] == "file"}
    kept = {name for proxy in _PROXIES for name in (proxy, proxy.lower())}
    outside = {name: os.environ[name] for name in sorted(kept) if name in os.environ}
    return _launch(here, text, {**outside, **environment}, port, documents)


def rehearsed(here: Machine, config: Config, text: str, port: int) -> Launch:
    """A start without any key: the harmless text stands in for each."""
    dummies = {
        variable: wiring.MISSING_KEY
        for variable in config.secrets
        if variable not in _SERVICES and here.key_files[variable].kind == "env"
    }
    return _launch(here, text, dummies, port)


_SERVICES = frozenset({"DATABASE_URL", "DIRECT_URL"})
"""Variables that make LiteLLM connect to something at its start; without them it does not."""


def _launch(
    here: Machine,
    text: str,
    environment: Mapping[str, str],
    port: int,
    documents: Mapping[str, bytes] | None = None,
) -> Launch:
    is_open = here.auth == "open"
    master_key = "" if is_open else f"sk-{secrets.token_hex(24)}"
    plain = {name: local(value) for name, value in here.environment.items()}
    return Launch(
        config=local(text),
        port=port,
        master_key=master_key,
        environment={
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            **plain,
            **environment,
            **_FIXED,
            **(
                {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
                if is_open
                else {wiring.MASTER_KEY_VARIABLE: master_key}
            ),
        },
        documents=documents or {},
        open=is_open,
    )


def local(text: str) -> str:
    """The container's name for the machine it runs on means nothing on the machine itself."""
    return text.replace(wiring.HOST, "127.0.0.1")


def mocked(config: Config, answer: str) -> Config:
    """The same configuration, where LiteLLM answers by itself instead of asking a vendor."""
    entries = [
        {**entry, "litellm_params": {**entry["litellm_params"], "mock_response": answer}}
        for entry in config.litellm[MODELS]
    ]
    return replace(config, litellm={**config.litellm, MODELS: entries})


def unshared(here: Machine, config: Config) -> Config:
    """The same configuration without the Redis of its machine, to which nothing is wired here."""
    settings = config.litellm.get("general_settings") or {}
    if here.redis is None or "coordination_redis" not in settings:
        return config
    kept = {key: value for key, value in settings.items() if key != "coordination_redis"}
    return replace(config, litellm={**config.litellm, "general_settings": kept})


class Proxy:
    """LiteLLM while it runs. `log` are the lines it has written, keys masked."""

    def __init__(self, process: "subprocess.Popen[bytes]", launch: Launch) -> None:
        self.process = process
        self.gateway = Gateway(f"http://127.0.0.1:{launch.port}", launch.master_key)
        self.log: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        documents = (os.fsdecode(each) for each in launch.documents.values())
        self._secrets = [launch.master_key, *_secret_values(launch), *documents]
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
            self._lines.put(keys.mask(text, self._secrets))
        self._lines.put(None)


def _secret_values(launch: Launch) -> list[str]:
    """The values of the environment that are keys; addresses and flags may be shown."""
    return [
        value
        for name, value in launch.environment.items()
        if name not in _FIXED and name not in _KEPT and re.search(_NAMES_A_KEY, name)
    ]


_NAMES_A_KEY = r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL|DATABASE_URL|REDIS_URL"
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


@contextlib.contextmanager
def running(
    launch: Launch, tick: Callable[[float, Sequence[str]], None] = lambda _seconds, _lines: None
) -> Iterator[Proxy]:
    """LiteLLM, up and answering. `tick` is called some times a second while it starts, with the
    seconds since and the new lines of its log.

    Ends it, and all that it started, however the block is left; SIGTERM and SIGHUP are a
    KeyboardInterrupt meanwhile. Raises StartError.
    """
    lacking = absent()
    if lacking:
        raise StartError(not_installed(lacking))
    with _interruptible(), _folder() as (folder, tell_guard):
        (folder / "config.yaml").write_text(launch.config, encoding="utf-8")
        with _documents(launch.documents) as (paths, handles):
            process = _start(folder, launch, paths, handles)
        try:
            tell_guard(process.pid)
            proxy = Proxy(process, launch)
            _wait(proxy, launch, tick)
            yield proxy
        finally:
            _stop(process)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
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
def _folder() -> Iterator[tuple[Path, Callable[[int], None]]]:
    """A private folder, and how to tell the guard of a process group; both gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="nixcfg-proxy-"))
    watcher = _watch(folder)
    assert watcher.stdin is not None  # noqa: S101 (it was opened as a pipe)
    pipe = watcher.stdin

    def tell(group: int) -> None:
        pipe.write(f"{group}\n".encode())
        pipe.flush()

    try:
        yield folder, tell
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        watcher.kill()
        watcher.communicate()


def _watch(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 (our own program and folder)
        [sys.executable, "-I", "-S", guard.__file__, str(folder)],
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


def _wait(proxy: Proxy, launch: Launch, tick: Callable[[float, Sequence[str]], None]) -> None:
    began = time.monotonic()
    while (seconds := time.monotonic() - began) < START_SECONDS:
        tick(seconds, list(proxy.lines(0.2)))
        if proxy.has_ended:
            proxy.log.extend(proxy.lines(2))
            code = proxy.process.returncode
            raise StartError(f"LiteLLM ended by itself with exit code {code}", proxy.log)
        listens = _listens(proxy.process.pid, launch.port)
        if listens is False:
            # LiteLLM would move from 4000 to a random port without a word.
            raise StartError(f"port {launch.port} was taken while LiteLLM started")
        if listens and proxy.gateway.is_alive():
            return
    raise StartError(f"LiteLLM was not up after {START_SECONDS:.0f} seconds", proxy.log)


def _listens(pid: int, port: int) -> bool | None:
    """Whether it is this process that listens; None while nobody does. Its log may be silent."""
    try:
        found = [each for each in machine.listeners(port) if each.address == "127.0.0.1"]
    except machine.UnknownError:
        return True  # nobody can tell; that it answers has to be enough
    return any(each.pid == pid for each in found) if found else None


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


# What LiteLLM says, made readable.

_HEAD = re.compile(
    r"(?:\d\d:\d\d:\d\d - )?(?P<who>LiteLLM[\w ]*):(?P<level>[A-Z]+): (?:\S+:\d+ - )?(?P<text>.*)"
)
_REQUEST = re.compile(r'INFO: +\S+ - "(?P<what>[A-Z]+ \S+) HTTP/[\d.]+" (?P<status>\d+.*)')
_UVICORN = re.compile(r"(?P<level>INFO|WARNING|ERROR|CRITICAL): +(?P<text>.*)")
_NOISE = (
    "trusted_proxy_ranges is not set",
    "Exception in ASGI application",
    "Application startup failed. Exiting.",
    "This looks like a bug in LiteLLM rather than in your request",
)
_ORIGIN = re.compile(r"litellm\.proxy\S+\(\): Exception occured - (?:litellm_call_id=\S+ - )?")


def events(lines: Iterable[str]) -> list[Event]:
    """What is worth telling of a log: warnings, errors and requests; no banner, no traceback.

    A traceback that is all there is becomes the exception at its end.
    """
    found: list[Event] = []
    goes_on, is_traceback = False, False
    for line in lines:
        event = _event(line)
        if event:
            is_noise = any(noise in event.text for noise in _NOISE)
            goes_on = event.level in ("error", "warning") and not is_noise
            is_traceback = event.text.startswith(_TRACEBACK)
            if not is_noise:
                found.append(event)
        elif line.startswith(_TRACEBACK):
            goes_on = False
        elif goes_on and is_traceback:
            if _EXCEPTION.match(line):
                found[-1] = replace(found[-1], text=line)
        elif goes_on and line.strip():
            found[-1] = replace(found[-1], text=f"{found[-1].text} {line.strip()}")
    return found


_TRACEBACK = "Traceback (most recent call last)"
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*: \S")


def _event(line: str) -> Event | None:
    if match := _REQUEST.fullmatch(line):
        return Event("request", f"{match['what']}: {match['status']}")
    if line.startswith('{"'):
        return _json_event(line)
    if match := _HEAD.fullmatch(line) or _UVICORN.fullmatch(line):
        return Event(_level(match["level"]), _ORIGIN.sub("", match["text"]))
    return None


def _json_event(line: str) -> Event | None:
    """As `litellm_settings.json_logs` writes it."""
    try:
        data = json.loads(line)
        text = str(data["message"])
    except (ValueError, LookupError, TypeError):
        return None
    if match := _REQUEST.fullmatch(f"INFO: {text}"):
        return Event("request", f"{match['what']}: {match['status']}")
    return Event(_level(str(data.get("level"))), _ORIGIN.sub("", " ".join(text.split())))


def _level(name: str) -> str:
    return {"WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}.get(name, "info")
