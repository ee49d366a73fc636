"""The gateway as the module runs it, with everything beside it, for what fails to be tried on it.

LiteLLM, PostgreSQL, Redis, nginx and nixcfg are the real ones; the vendors are stand-ins, of which
the first can fall silent. The configuration is what `nixcfg render` makes of a project, and the
environment what the module gives the container. In place of the container's unit is a loop that
starts LiteLLM again after five seconds, as that unit does.
"""

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / each) for each in ("support", "scale")]

import services  # noqa: E402
import toolchain  # noqa: E402
from bed import RUN, new_key  # noqa: E402
from confined import Confined, confined  # noqa: E402
from front import absent as no_front  # noqa: E402
from front import front  # noqa: E402
from gateway import Gateway, gateway  # noqa: E402
from load import Load, load  # noqa: E402
from patient import PatientOpenAI  # noqa: E402
from processes import is_engine  # noqa: E402
from vendor import Reply, Seen  # noqa: E402
from vendors import Anthropic  # noqa: E402

from nixcfg.gateway.launch import MODULE  # noqa: E402

MASTER_KEY = f"sk-{secrets.token_hex(24)}"
SALT_KEY = f"sk-{secrets.token_hex(24)}"
#: With drainSeconds of one instance.
ENVIRONMENT = MODULE | {"GRACEFUL_SHUTDOWN_TIMEOUT": "25"}
PATIENCE = {"TIMEOUT_WORKER_HEALTHCHECK": "60"}
CLOCK = "clock"
LIBRARIES, CLOCKWORK = Path("/usr/lib"), "*/faketime/libfaketimeMT.so.1"
#: RestartSec of the unit, in seconds.
RESTART = 5
UNIT = f'while :; do setpriv --pdeathsig KILL "$@"; sleep {RESTART}; done'

#: What clients ask for, and its fallback, where a project has one.
MODEL, FALLBACK = "gpt", "claude-sonnet"
PROVIDERS = {
    MODEL: ("openai/gpt-5.6", "OPENAI_API_KEY"),
    FALLBACK: ("anthropic/claude-sonnet-5-5", "ANTHROPIC_API_KEY"),
}


class Vendor(PatientOpenAI):
    """While it is silent it takes requests, and answers neither them nor those that it has begun
    to answer: not even when it speaks again."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.silent = threading.Event()
        self._never = threading.Event()

    def answer(self, seen: Seen) -> Reply:
        if self.silent.is_set() and not self.wants_stream(seen):
            self._never.wait()
        reply = super().answer(seen)

        def unless_silent() -> Iterator[bytes]:
            for chunk in reply.chunks:
                if self.silent.is_set():
                    self._never.wait()
                yield chunk

        return Reply(reply.status, reply.content_type, unless_silent())


@dataclass(frozen=True)
class Setup:
    """`settings` are sections of the project's providers. `disk` is the file system of PostgreSQL's
    own, and `tmp` that of LiteLLM's /tmp, in MiB. `clock` is whether that of LiteLLM can be made to
    jump: neither Redis nor initdb runs with libfaketime. `arguments` are LiteLLM's."""

    database: bool = False
    workers: int = 1
    instances: int = 1
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    disk: int | None = None
    tmp: int | None = None
    clock: bool = False
    behind_nginx: bool = False
    arguments: Sequence[str] = ()


@dataclass(frozen=True)
class Stage:
    """What runs. `port` is what clients ask, `key` what they ask it with. LiteLLM uses PostgreSQL
    and Redis where the setup has a database."""

    setup: Setup
    folder: Path
    vendor: Vendor
    gateways: Sequence[Gateway]
    port: int
    key: str
    redis: services.Redis
    postgres: services.Postgres
    confined: Sequence[Confined]

    @property
    def tmp(self) -> Path:
        return self.folder / "tmp"

    def pids(self) -> set[int]:
        """LiteLLM's processes of now, but for Prisma's engines, which are not the native ones."""
        inside = {pid for each in self.confined for pid in each.pids()}
        return {pid for pid in inside if not is_engine(pid)}

    def jump(self, seconds: int) -> None:
        """What the clock says from now on, more than the machine's."""
        (self.folder / CLOCK).write_text(f"{seconds:+d}\n")

    @contextmanager
    def load(self) -> Iterator[Load]:
        """Six clients, of which three ask for streams, with 0.2 seconds between an answer and
        their next request."""
        with load(self.port, self.key, [MODEL], clients=6, pause=0.2, apart=True) as record:
            yield record

    def logged(self) -> str:
        return "".join(each.log.read_text(errors="replace") for each in self.gateways)


def absent() -> str | None:
    """What cannot be had here, and how to have it."""
    if os.geteuid() != 0:
        return "needs root, for file systems of its own and for a limit of memory"
    return no_front() or services.absent("redis-server", "postgresql")


def no_clock() -> str | None:
    """Why none can be made to jump here."""
    found = any(LIBRARIES.glob(CLOCKWORK))
    return None if found else "not installed here (Debian): libfaketime"


@contextmanager
def stage(setup: Setup, folder: Path) -> Iterator[Stage]:
    """In an empty folder, which others may read. Raises toolchain.AbsentError where LiteLLM's
    database client cannot be had."""
    with ExitStack() as stack:
        vendor = stack.enter_context(Vendor("sk-proj-of-the-first-vendor"))
        other = stack.enter_context(Anthropic("sk-ant-of-the-second-vendor"))
        clock = _clock(folder) if setup.clock else {}
        redis = stack.enter_context(services.redis())
        postgres = stack.enter_context(services.postgres(setup.disk))
        tmp = folder / "tmp"
        tmp.mkdir()
        if setup.tmp:
            stack.enter_context(services.mounted(tmp, setup.tmp))
        environment = ENVIRONMENT | vendor.environment | other.environment | clock
        environment |= {"OPENAI_API_KEY": vendor.key, "ANTHROPIC_API_KEY": other.key}
        environment |= {"HOME": str(tmp), "TMPDIR": str(tmp)}
        if setup.workers > 1:
            environment |= PATIENCE | {"NUM_WORKERS": str(setup.workers)}
        if setup.database:
            environment |= {"REDIS_URL": redis.socket_url, "DATABASE_URL": postgres.socket_url}
            environment["LITELLM_SALT_KEY"] = SALT_KEY
        config, running, groups = rendered(setup, folder), [], []
        for number in range(1, setup.instances + 1):
            own = dict(environment)
            groups.append(stack.enter_context(confined(f"nixcfg-{os.getpid()}-{number}")))
            program = ["sh", "-c", UNIT, "unit", *groups[-1].program]
            if setup.database:
                own |= toolchain.installed().environment(tmp / f"migrations-{number}")
            if number > 1:
                own["DISABLE_SCHEMA_UPDATE"] = "True"
            log, command = (
                folder / f"{number}.log",
                [*program, sys.executable, "-c", RUN, *setup.arguments],
            )
            running.append(stack.enter_context(gateway(config, own, MASTER_KEY, log, command)))
        port = running[0].port
        if setup.behind_nginx:
            port = stack.enter_context(front(*(each.port for each in running)))
        key = new_key(running[0]) if setup.database else MASTER_KEY
        yield Stage(setup, folder, vendor, running, port, key, redis, postgres, groups)


def _clock(folder: Path) -> dict[str, str]:
    """The variables by which a program looks into a file for its clock, each second."""
    (folder / CLOCK).write_text("+0\n")
    library = next(LIBRARIES.glob(CLOCKWORK))
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(folder / CLOCK),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DISABLE_SHM": "1",
        # That of intervals is no clock that anyone sets.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def rendered(setup: Setup, folder: Path) -> Path:
    """The configuration of a project that `nixcfg init` has begun, with two providers."""
    project = folder / "project"
    nixcfg = [sys.executable, "-m", "nixcfg", "-C", str(project)]
    subprocess.run([*nixcfg[:-2], "init", str(project)], capture_output=True, check=True)  # noqa: S603
    if setup.database:
        with (project / "nixcfg.yaml").open("a") as file:
            file.write("database: local\nredis: local\n")
    for old in (project / "providers").iterdir():
        old.unlink()
    for name, (model, key) in PROVIDERS.items():
        params = {"model_name": name, "litellm_params": {"model": model}}
        provider = {"model_list": [params], "environment_variables": {key: f"${{{key}}}"}}
        # JSON is YAML.
        file = project / "providers" / f"{name}.yaml"
        file.write_text(json.dumps(provider | setup.settings))
    done = subprocess.run([*nixcfg, "render"], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"nixcfg render: {done.stdout}{done.stderr}")
    return project / "rendered" / "litellm" / "all.yaml"
