"""Run cases: for each a LiteLLM of its own on the rendered configuration, stand-ins, a verdict."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixcfg.gateway import launch, process
from nixcfg.gateway import log as gateway_log
from nixcfg.gateway.client import Gateway
from nixcfg.gateway.launch import Launch
from nixcfg.project.model import Config, Project
from nixcfg.trial import judge, zygote
from nixcfg.trial.ask import ask
from nixcfg.trial.case import Case, Step
from nixcfg.trial.clock import Clock
from nixcfg.trial.deployment import KEY, deployments
from nixcfg.trial.intercept import Authority, Interceptor
from nixcfg.trial.judge import Answered, Failure
from nixcfg.trial.standin import Exchange, StandIns

UP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case. `broken` says why it could not be judged, "" where it could."""

    case: Case
    failures: tuple[Failure, ...]
    log: tuple[Exchange, ...]
    seconds: float
    broken: str = ""

    @property
    def has_failed(self) -> bool:
        return bool(self.failures or self.broken)


def run(
    project: Project,
    config: Config,
    cases: Sequence[Case],
    tick: Callable[[Result], None],
    *,
    jobs: int,
) -> list[Result]:
    """Run all cases of one configuration, `jobs` at a time; `tick` is called after each.

    Raises process.StartError where LiteLLM cannot be started at all.
    """
    process.check_installed()
    with process.interruptible(), process.private_folder() as (folder, end_with_us):
        authority = Authority(folder)
        text = launch.configuration(project.machine, config)
        start = _with_keys(launch.rehearsed(project.machine, config, text, 0), config)
        (folder / "config.yaml").write_text(start.config, encoding="utf-8")
        with (
            _imported(folder, start, end_with_us) as litellm,
            process.held_ports(len(cases)) as ports,
        ):
            ground = _Ground(litellm, start, folder, authority, project, config, ports)
            turn = threading.Lock()

            def one(numbered: tuple[int, Case]) -> Result:
                result = ground.run(*numbered)
                with turn:
                    tick(result)
                return result

            with ThreadPoolExecutor(jobs) as pool:
                return list(pool.map(one, enumerate(cases)))


def _with_keys(start: Launch, config: Config) -> Launch:
    """Each variable has a key that names it, so that a stand-in sees whose it was given."""
    keys = {each: KEY + each for each in config.secrets if each in start.environment}
    return dataclasses.replace(start, environment={**start.environment, **keys})


class _LiteLLM:
    """LiteLLM, imported, and waiting to be forked."""

    def __init__(self, child: "subprocess.Popen[str]", answers: Iterator[str]) -> None:
        self._child = child
        self._answers = answers
        self._lock = threading.Lock()

    def fork(self, asked: Mapping[str, Any]) -> int:
        """Start one that serves; its process id."""
        assert self._child.stdin is not None  # noqa: S101 (it was opened as a pipe)
        with self._lock:
            self._child.stdin.write(json.dumps(asked) + "\n")
            self._child.stdin.flush()
            return int(next(self._answers))


@contextlib.contextmanager
def _imported(
    folder: Path, start: Launch, end_with_us: Callable[[int], None]
) -> Iterator[_LiteLLM]:
    reading, writing = os.pipe()
    noise = folder / "import.log"
    with noise.open("wb") as output, os.fdopen(reading) as answers:
        child = subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, "-P", zygote.__file__, str(os.getpid()), str(writing)],
            cwd=folder,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(folder),
                "TMPDIR": str(folder),
                **launch.kept(),
                **start.environment,
                "CONFIG_FILE_PATH": str(folder / "config.yaml"),
            },
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            pass_fds=[writing],
        )
        os.close(writing)
        try:
            end_with_us(child.pid)
            if next(answers, "").strip() != "ready":
                lines = noise.read_text("utf-8", "replace").splitlines()
                raise process.StartError("LiteLLM cannot be imported", lines[-10:])
            yield _LiteLLM(child, answers)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.communicate()


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all cases of one configuration share."""

    litellm: _LiteLLM
    start: Launch
    folder: Path
    authority: Authority
    project: Project
    config: Config
    ports: Sequence[int]

    def run(self, number: int, case: Case) -> Result:
        began = time.monotonic()
        vendors = StandIns(deployments(self.project, self.config), case.vendors)
        failures: list[Failure] = []
        broken = ""
        clock = Clock(self.folder / f"case-{number}.clock", skips=case.skips)
        with Interceptor(self.authority, vendors.answer, clock) as outside:
            url = f"http://127.0.0.1:{self.ports[number]}"
            gateway = Gateway(url, self.start.master_key)
            try:
                with self._serving(number, gateway, outside), clock.watched(outside.is_asked):
                    for step in case.steps:
                        clock.leap(step.after)
                        seen = len(vendors.log)
                        for _ in range(step.repeat):
                            last = len(vendors.log)
                            answered = _asked(gateway, step, clock)
                        log = vendors.log
                        failures += judge.failures(step, answered, log[seen:], log[last:])
            except process.StartError as error:
                broken = "\n".join([f"{error}", *error.log])
            except TimeoutError as error:
                broken = f"{error}"
        return Result(
            case, tuple(failures), vendors.log, round(time.monotonic() - began, 2), broken
        )

    @contextlib.contextmanager
    def _serving(self, number: int, gateway: Gateway, outside: Interceptor) -> Iterator[None]:
        written = self.folder / f"case-{number}.log"
        child = self.litellm.fork(
            {
                "config": str(self.folder / "config.yaml"),
                "port": int(gateway.url.rpartition(":")[2]),
                "environment": dict(outside.environment),
                "log": str(written),
                "clock": str(outside.clock.path),
                "skips": outside.clock.skips,
            }
        )
        try:
            self._wait(child, gateway, written)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def _wait(self, child: int, gateway: Gateway, written: Path) -> None:
        give_up = time.monotonic() + UP_SECONDS
        while not gateway.is_alive():
            has_ended = not Path(f"/proc/{child}").exists()
            if has_ended or time.monotonic() > give_up:
                lines = (
                    written.read_text("utf-8", "replace").splitlines() if written.exists() else []
                )
                said = [each.text for each in gateway_log.events(lines) if each.level == "error"]
                why = "ended by itself" if has_ended else f"was not up after {UP_SECONDS:.0f} s"
                raise process.StartError(f"LiteLLM {why}", said or gateway_log.last_words(lines))
            time.sleep(0.05)


def _asked(gateway: Gateway, step: Step, clock: Clock) -> Answered:
    with clock.asking():
        answered = ask(gateway, step, clock.now)
    clock.settle()
    return answered
