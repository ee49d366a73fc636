"""Real PostgreSQL and Redis for one test run: on a socket and on a free port, in a folder of their
own, gone afterwards. What Debian starts by itself, on 5432 and 6379, is never used."""

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from program import children

START_SECONDS = 30.0

#: Everything that a URL gives a meaning to.
PASSWORD = "p@ss/w:o?r#d %41+"


def encoded(text: str) -> str:
    return quote(text, safe="")


class Server:
    """The process of a service, which runs between `start` and `stop` and can be started again."""

    def __init__(self, command: list[str], ready: Path, ending: signal.Signals) -> None:
        self._command, self._ready, self._ending = command, ready, ending
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it accepts connections. Raises AssertionError with what it said."""
        # Not in the folder: it goes away, and a server that ends may still write.
        with tempfile.TemporaryFile() as log:
            self._process = process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            until = time.monotonic() + START_SECONDS
            while not _accepts(self._ready):
                if process.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    said = log.read()[-2000:]
                    raise AssertionError(f"{self._command[0]} did not start: {said!r}")
                time.sleep(0.05)

    def stop(self, ending: signal.Signals | None = None) -> None:
        """By the signal it was made with, or this one. Nothing where it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(ending or self._ending)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def signal(self, number: signal.Signals) -> None:
        """To all of its processes: PostgreSQL's are each a group of their own."""
        assert self._process is not None
        pid = self._process.pid
        for each in (pid, *children(pid)):
            with suppress(ProcessLookupError):
                os.kill(each, number)

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            self.start()
            yield
        finally:
            self.stop()


@dataclass(frozen=True)
class Redis:
    """A Redis that wants `PASSWORD`."""

    port: int
    socket: Path
    server: Server

    @property
    def socket_url(self) -> str:
        return f"unix://:{encoded(PASSWORD)}@{self.socket}"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(self.port),
            "REDIS_PASSWORD": PASSWORD,
        }

    def forget(self) -> None:
        subprocess.run(
            ["redis-cli", "-s", str(self.socket), "flushall"],
            env={**os.environ, "REDISCLI_AUTH": PASSWORD},
            capture_output=True,
            timeout=30,
            check=True,
        )


@dataclass(frozen=True)
class Postgres:
    """A database `litellm` with an owner of that name, who comes in over the socket as the user
    who runs the tests, and over TCP by `PASSWORD`."""

    port: int
    folder: Path
    server: Server

    @property
    def socket_url(self) -> str:
        """The form that both of LiteLLM's database clients understand."""
        folder = encoded(str(self.folder))
        return f"postgresql://litellm@{folder}:{self.port}/litellm?host={self.folder}"

    @property
    def localhost_url(self) -> str:
        """The form that Prisma's documentation has for a socket."""
        return f"postgresql://litellm@localhost:{self.port}/litellm?host={self.folder}"

    @property
    def tcp_url(self) -> str:
        return f"postgresql://litellm:{encoded(PASSWORD)}@127.0.0.1:{self.port}/litellm"

    def shut(self) -> None:
        """Let no one in, and put everyone out, as when the server restarts."""
        self._as_owner("alter database litellm allow_connections false")
        self._as_owner(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname='litellm'"
        )

    def open(self) -> None:
        """Let everyone in again."""
        self._as_owner("alter database litellm allow_connections true")

    def dump(self) -> str:
        """As services.postgresqlBackup of NixOS makes it."""
        return self._run("pg_dump", "--create", "litellm")

    def restore(self, dump: str) -> None:
        """In place of the database that is there."""
        self._drop()
        self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "postgres", given=dump)

    def empty(self) -> None:
        """As it was at first."""
        self._drop()
        self._as_owner("create database litellm owner litellm")

    def _drop(self) -> None:
        self._as_owner("drop database litellm with (force)")

    def _as_owner(self, statement: str) -> None:
        self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, "postgres")

    def _run(self, *command: str, given: str = "") -> str:
        program, *arguments = command
        where = ["-U", "postgres", "-h", str(self.folder), "-p", str(self.port)]
        done = subprocess.run(
            [program, *where, *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout

    def ask(self, statement: str) -> list[str]:
        """The rows that psql prints, over the socket, as the owner."""
        psql = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "litellm"]
        done = subprocess.run(
            [*psql, "-h", str(self.folder), "-p", str(self.port), "-c", statement, "litellm"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.splitlines()


@contextmanager
def redis() -> Iterator[Redis]:
    with _folder() as folder:
        port, ready = _free_port(), folder / "redis.sock"
        # No argument: they can be read by everybody.
        (folder / "redis.conf").write_text(
            f"port {port}\nbind 127.0.0.1\nunixsocket {ready}\n"
            f'unixsocketperm 700\nrequirepass "{PASSWORD}"\nsave ""\ndir {folder}\n'
        )
        command = _as(getpass.getuser(), ["redis-server", str(folder / "redis.conf")])
        server = Server(command, ready, signal.SIGTERM)
        with server.running():
            yield Redis(port, ready, server)


@contextmanager
def postgres(disk: int | None = None) -> Iterator[Postgres]:
    """PostgreSQL refuses to run as root: there it runs as the user of Debian's package. `disk` are
    the MiB of a file system of its own, in memory, which only root can mount."""
    with _folder(disk) as folder:
        owner = "postgres" if os.geteuid() == 0 else getpass.getuser()
        shutil.chown(folder, owner)
        data, programs = folder / "data", _postgres_programs()
        initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--no-sync"]
        _run_as(owner, [*initdb, "--auth", "reject"])
        (data / "pg_hba.conf").write_text(
            "local all postgres peer map=tests\n"
            "local litellm litellm peer map=tests\n"
            "host litellm litellm 127.0.0.1/32 scram-sha-256\n"
        )
        (data / "pg_ident.conf").write_text(
            f"tests {pwd.getpwuid(os.geteuid()).pw_name} postgres\n"
            f"tests {pwd.getpwuid(os.geteuid()).pw_name} litellm\n"
        )
        port = _free_port()
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": folder}
        settings |= {"port": port, "fsync": "off", "max_connections": 200}
        command = [str(programs / "postgres"), "-D", str(data)]
        command += [each for name, value in settings.items() for each in ("-c", f"{name}={value}")]
        server = Server(_as(owner, command), folder / f".s.PGSQL.{port}", signal.SIGQUIT)
        with server.running():
            psql = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres"]
            subprocess.run(
                [*psql, "-h", str(folder), "-p", str(port), "postgres"],
                input=f"create role litellm login password '{PASSWORD}';\n"
                "create database litellm owner litellm;\n",
                text=True,
                timeout=60,
                check=True,
            )
            yield Postgres(port, folder, server)


def absent(*names: str) -> str | None:
    """Which of the services is not installed, and how to have it."""
    found: dict[str, Callable[[], bool]] = {
        "redis-server": lambda: bool(shutil.which("redis-server")),
        "postgresql": lambda: _postgres_programs().is_dir() and bool(shutil.which("psql")),
    }
    lacking = [name for name in names if not found[name]()]
    return f"not installed here (Debian): {', '.join(lacking)}" if lacking else None


def _postgres_programs() -> Path:
    """Debian keeps the server of each release in a folder of its own."""
    releases = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return releases[-1].parent if releases else Path("/nonexistent")


@contextmanager
def _folder(disk: int | None = None) -> Iterator[Path]:
    """Not below pytest's own folder, into which no other user may look; a short path, since a
    socket's may have 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="nixcfg-", dir="/tmp"))
    try:
        with mounted(folder, disk) if disk else nullcontext():
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def mounted(folder: Path, size: int) -> Iterator[None]:
    """A file system of so many MiB in that place, in memory. Only for root."""
    small = ["-t", "tmpfs", "-o", f"size={size}m", "tmpfs"]
    subprocess.run(["mount", *small, str(folder)], timeout=30, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], timeout=30, check=True)


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as trial:
        try:
            trial.connect(str(path))
        except OSError:
            return False
    return True


def _as(user: str, command: list[str]) -> list[str]:
    """The command, run by this user; it goes with us even when we are killed ourselves."""
    if user == getpass.getuser():
        return ["setpriv", "--pdeathsig", "KILL", *command]
    who = ["--reuid", user, "--regid", user, "--clear-groups"]
    return ["setpriv", *who, "--pdeathsig", "KILL", *command]


def _run_as(user: str, command: list[str]) -> None:
    subprocess.run(_as(user, command), cwd="/", capture_output=True, timeout=120, check=True)


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
