"""What is measured: the real LiteLLM on a core of its own, and everything that it talks to on the
other one: stand-in vendor, load generator, Redis, PostgreSQL, and Prisma's engine, which here is
WebAssembly in place of the native one and so says nothing about that one's CPU time."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT)]

import arrivals  # noqa: E402
import services  # noqa: E402
import toolchain  # noqa: E402
from arrivals import Question, Target  # noqa: E402
from front import front  # noqa: E402
from gateway import Gateway, gateway  # noqa: E402
from pace import Pace, pace  # noqa: E402
from paced_vendor import PIECE_SECONDS, vendor  # noqa: E402
from processes import below, children, has_ended, is_engine, memory, pin, preempt  # noqa: E402

from nixcfg.gateway.launch import MODULE  # noqa: E402

MASTER_KEY = "sk-benchmark-0123456789abcdef"
#: What a container has that someone starts with an image and a configuration, and no more. Prices
#: are those of LiteLLM's package all the same, as there is no network.
BY_HAND = {"LITELLM_MODE": "DEV"}
RUN = "from litellm import run_server; run_server()"
OURS, GATEWAY = 0, 1
#: Models of the gateway: what LiteLLM takes them for, and what the stand-in does.
MODELS = {
    "plain": ("openai/gpt-4o", "at-once"),
    "waiting": ("openai/gpt-4o", "after-2"),
    "streamed-31": ("openai/gpt-4o", "pieces-31"),
    "streamed-100": ("openai/gpt-4o", "pieces-100"),
    "without-price": ("openai/a-model-of-ones-own", "at-once"),
    "claude": ("anthropic/claude-sonnet-4-5", "at-once"),
    "embedding": ("openai/text-embedding-3-small", "at-once"),
}


def chat(model: str, *, words: int = 100, seconds: float = 0.0) -> Question:
    """A chat completion with a prompt of so many words."""
    message = {"role": "user", "content": "word " * words}
    body: dict[str, Any] = {"model": model, "messages": [message]}
    if model.startswith("streamed-"):
        body["stream"] = True
    return Question("/v1/chat/completions", body, MODELS[model][1], seconds)


def streamed(pieces: int) -> Question:
    return chat(f"streamed-{pieces}", seconds=pieces * PIECE_SECONDS)


PLAIN = chat("plain")
LONG = chat("plain", words=10_000)  # 50 kB
WITHOUT_PRICE = chat("without-price")
WAITING = chat("waiting", seconds=2.0)
MESSAGES = Question("/v1/messages", {**PLAIN.body, "model": "claude", "max_tokens": 200})
EMBEDDINGS = Question("/v1/embeddings", {"model": "embedding", "input": "word " * 100})


@dataclass(frozen=True)
class Setup:
    """How LiteLLM is started: `settings` are sections of its configuration, `arguments` what
    stands behind its program. `by_hand` is without what the module gives
    every container; `limits` are those of the virtual key, where there is a database. More
    than one instance are behind nginx."""

    workers: int = 1
    instances: int = 1
    by_hand: bool = False
    limits: Mapping[str, int] = field(default_factory=lambda: {"rpm_limit": 10**9})
    redis: bool = False
    postgres: bool = False
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()


@dataclass(frozen=True)
class Running:
    """What is asked, and the processes that it is, with those below them. `first_answer` is the
    seconds from its start to its first answer."""

    target: Target
    processes: set[int]
    pace: Pace
    first_answer: float = 0.0

    @property
    def pids(self) -> set[int]:
        """Its processes of now, but for Prisma's engines."""
        found = {pid for process in self.processes for pid in below(process)}
        return {pid for pid in found if not is_engine(pid)}

    @property
    def has_ended(self) -> bool:
        return any(map(has_ended, self.processes))

    def memory(self) -> float:
        return memory(self.pids)


class Bed:
    """The machine, with what is started once."""

    def __init__(self, stack: ExitStack) -> None:
        os.sched_setaffinity(0, {OURS})
        preempt()
        self._folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="nixcfg-speed-"))
        )
        self._starts = 0
        self.pace = stack.enter_context(pace(GATEWAY))
        self.vendor = stack.enter_context(vendor())
        self._redis = stack.enter_context(services.redis())
        self._postgres = stack.enter_context(services.postgres())
        self._prisma = toolchain.installed()

    def _config(self, setup: Setup) -> dict[str, Any]:
        models = []
        for name, (model, behaviour) in MODELS.items():
            api_base = f"{self.vendor}/{behaviour}"
            if model.startswith("openai/"):
                api_base += "/v1"
            params = {"model": model, "api_base": api_base, "api_key": "sk-stand-in"}
            models.append({"model_name": name, "litellm_params": params})
        config: dict[str, Any] = {
            "model_list": models,
            "litellm_settings": {"num_retries": 0},
            "general_settings": {},
        }
        for section, values in setup.settings.items():
            config[section] = config.get(section, {}) | dict(values)
        return config

    @contextmanager
    def running(self, setup: Setup) -> Iterator[Running]:
        self._starts += 1
        folder = self._folder / str(self._starts)
        folder.mkdir()
        (folder / "config.yaml").write_text(json.dumps(self._config(setup)))
        environment = {"NUM_WORKERS": str(setup.workers), **(BY_HAND if setup.by_hand else MODULE)}
        if setup.redis:
            self._redis.forget()
            environment["REDIS_URL"] = self._redis.socket_url
        if setup.postgres:
            environment |= self._prisma.environment(folder / "migrations")
            environment["DATABASE_URL"] = self._postgres.socket_url
            environment["LITELLM_SALT_KEY"] = MASTER_KEY
        program = ["taskset", "--cpu-list", str(GATEWAY)]
        program += [sys.executable, "-c", RUN, *setup.arguments]
        environment |= setup.environment
        before, began = children(os.getpid()), time.monotonic()
        with ExitStack() as stack:
            started = [
                stack.enter_context(
                    gateway(
                        folder / "config.yaml",
                        environment,
                        MASTER_KEY,
                        folder / f"{number}.log",
                        program,
                    )
                )
                for number in range(setup.instances)
            ]
            proxy = started[0]
            key = new_key(proxy, **setup.limits) if setup.postgres else MASTER_KEY
            first_answer = _until_answered(proxy) - began
            port = proxy.port
            if setup.instances > 1:
                port = stack.enter_context(front(*(each.port for each in started)))
            processes = children(os.getpid()) - before
            for pid in filter(is_engine, {pid for each in processes for pid in below(each)}):
                pin(pid, OURS)
            target = Target(f"http://127.0.0.1:{port}", key)
            yield Running(target, processes, self.pace, first_answer)


def _until_answered(proxy: Gateway) -> float:
    while (answer := proxy.request("POST", PLAIN.path, PLAIN.body)).status != 200:
        if answer.status != 503:
            sys.exit(f"LiteLLM does not answer: {answer.body[:500]!r}")
        time.sleep(0.05)
    return time.monotonic()


def new_key(proxy: Gateway, **limits: int) -> str:
    """A virtual key of LiteLLM's database."""
    answer = proxy.request("POST", "/key/generate", limits)
    if answer.status != 200:
        sys.exit(f"no key was made: {answer.body!r}")
    return str(answer.json()["key"])


@contextmanager
def bed() -> Iterator[Bed]:
    """Ends the program with a reason where it cannot be laid."""
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        sys.exit("two cores are needed: one for the gateway, one for everything else")
    reason = arrivals.absent() or services.absent("redis-server", "postgresql")
    if reason:
        sys.exit(reason)
    with ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, cores)
        try:
            yield Bed(stack)
        except toolchain.AbsentError as error:
            sys.exit(str(error))
