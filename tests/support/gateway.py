"""The real LiteLLM proxy as a child process, with the environment that the NixOS wiring gives it.

`key_environment` does to key files what the wiring unit does; `gateway` starts the proxy on one
rendered file, which it reads unchanged, and ends the whole process group however the test ends.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: What the wiring sets for an optional key whose file is missing. An unset variable would make
#: LiteLLM fall back to OPENAI_API_KEY for about sixty vendors.
MISSING_KEY = "nixcfg-missing-key"

START_SECONDS = 180.0
REQUEST_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, whole."""

    status: int
    content_type: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def text(self) -> str:
        """The assistant's text in a plain chat completion."""
        return str(self.json()["choices"][0]["message"]["content"])

    def data(self) -> list[str]:
        """The `data:` fields of an event stream, in order."""
        lines = self.body.decode().splitlines()
        return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]

    def streamed_text(self) -> str:
        """The assistant's text in an event stream, put together."""
        chunks = [json.loads(field) for field in self.data() if field != "[DONE]"]
        deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
        return "".join(delta.get("content") or "" for delta in deltas)


@dataclass(frozen=True)
class Gateway:
    """A running proxy. `master_key` is sent as bearer token unless a call says otherwise."""

    port: int
    master_key: str
    log: Path

    def request(
        self, method: str, path: str, body: object = None, *, authorized: bool = True
    ) -> Answer:
        headers = {"Content-Type": "application/json"}
        if authorized:
            headers["Authorization"] = f"Bearer {self.master_key}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_SECONDS)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, headers)
            response = connection.getresponse()
            content_type = response.headers.get("Content-Type", "")
            return Answer(response.status, content_type, response.read())
        finally:
            connection.close()

    def chat(
        self,
        model: str,
        *contents: str,
        system: str | None = None,
        stream: bool = False,
        authorized: bool = True,
    ) -> Answer:
        messages = [{"role": "user", "content": content} for content in contents]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        body: dict[str, Any] = {"model": model, "messages": messages}
        if stream:
            body["stream"] = True
        return self.request("POST", "/chat/completions", body, authorized=authorized)


def key_environment(variables: Iterable[str], secrets_dir: Path) -> dict[str, str]:
    """What the wiring puts into the environment for `variables`: the content of
    `<secrets_dir>/<variable in lower case>.txt` without its trailing newline, or the harmless
    text where that file is missing."""
    environment = {}
    for variable in variables:
        file = secrets_dir / f"{variable.lower()}.txt"
        environment[variable] = (
            file.read_text().removesuffix("\n") if file.exists() else MISSING_KEY
        )
    return environment


def free_port() -> int:
    """A free port, never 4000: that one LiteLLM swaps for a random one when it is busy."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_ports(count: int) -> list[int]:
    """Ports in a row that no one listens on."""
    while True:
        with ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                for number in range(port + 1, port + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            except OSError:
                continue
            return list(range(port, port + count))


@contextmanager
def gateway(
    config: Path,
    environment: Mapping[str, str],
    master_key: str,
    log: Path,
    program: Sequence[str] = (sys.executable, "-c", "from litellm import run_server; run_server()"),
) -> Iterator[Gateway]:
    """The proxy on `config`, up and answering its liveliness route.

    `environment` is the whole environment but for PATH, HOME, the master key and the two
    settings of the NixOS module that keep LiteLLM from reading a .env file and from fetching its
    price list off the network.

    Raises AssertionError with the end of the log when the proxy exits or is not up in time.
    """
    port = free_port()
    home = log.parent / f"{log.stem}-home"
    home.mkdir()
    command = [*program, "--config", str(config)]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    setpriv = shutil.which("setpriv")
    if setpriv:  # the proxy goes with us even when we are killed ourselves
        command = [setpriv, "--pdeathsig", "KILL", *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=home,
            env={
                "PATH": os.defpath,
                "HOME": str(home),
                "LITELLM_MODE": "PRODUCTION",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_MASTER_KEY": master_key,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            running = Gateway(port, master_key, log)
            _wait_until_alive(process, running)
            yield running
        finally:
            # It holds no state worth a graceful end, which takes two seconds.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)


@contextmanager
def gateways(
    starts: Mapping[str, tuple[Path, Mapping[str, str]]], master_key: str, folder: Path
) -> Iterator[dict[str, Gateway]]:
    """Several proxies by name, each with its config and environment, started at the same time:
    a start takes seconds. Logs are written into `folder`."""
    entering = {
        name: gateway(config, environment, master_key, folder / f"{name}.log")
        for name, (config, environment) in starts.items()
    }
    with ThreadPoolExecutor(len(entering)) as pool:
        started = {name: pool.submit(one.__enter__) for name, one in entering.items()}
        try:
            yield {name: future.result() for name, future in started.items()}
        finally:
            for name, future in started.items():
                if future.exception() is None:
                    entering[name].__exit__(None, None, None)


def _wait_until_alive(process: subprocess.Popen[bytes], running: Gateway) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            end = running.log.read_text(errors="replace")[-3000:]
            raise AssertionError(f"the proxy exited with {process.returncode}:\n{end}")
        try:
            if running.request("GET", "/health/liveliness", authorized=False).status == 200:
                return
        except OSError:
            time.sleep(0.1)
    end = running.log.read_text(errors="replace")[-3000:]
    raise AssertionError(f"the proxy was not up after {START_SECONDS:.0f} s:\n{end}")
