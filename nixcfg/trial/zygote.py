"""LiteLLM, imported once and forked for each case: a start takes a moment instead of ten seconds.

Run as a program with two arguments: the process id of nixcfg, with which it dies, and the handle on
which it answers. Each line of standard input is a JSON object: `config` (a path), `port`,
`environment` (variables to set), `log` and `clock` (paths), `skips` (whether the clock runs ahead).
The answer is the process id of the child that
serves it.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1


def main(parent: int, answers: int) -> None:
    """Import LiteLLM, say so, then fork on request until standard input ends."""
    _die_with(parent)
    sys.path.append(str(Path(__file__).parents[2]))
    from nixcfg.trial import loopback, warm

    loopback.confine()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies: nixcfg looks at the port
    from litellm.proxy import proxy_server  # what takes the time
    from litellm.proxy.proxy_cli import run_server

    _say(answers, "ready")
    mine = os.getpid()
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    learnt = warm.Learnt(reading)
    for number, line in enumerate(sys.stdin):
        if number == 1:  # one case alone would not gain by it
            warm.prepare(proxy_server.app)
        learnt.catch_up()
        child = os.fork()
        if child == 0:
            _die_with(mine)
            os.close(answers)
            _serve(json.loads(line), run_server, writing)
        _say(answers, f"{child}")


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _say(answers: int, text: str) -> None:
    os.write(answers, f"{text}\n".encode())


def _serve(asked: dict[str, Any], run_server: Any, told: int) -> None:
    from nixcfg.trial import warm

    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for stream, handle in ((0, nothing), (1, log), (2, log)):
            os.dup2(handle, stream)
        os.environ.update(asked["environment"])
        warm.tell(told)
        _set_clock(asked["clock"], skips=asked["skips"])
        arguments = ["--config", asked["config"], "--host", "127.0.0.1"]
        run_server(
            [*arguments, "--port", str(asked["port"]), "--num_workers", "1"], standalone_mode=False
        )
        code = 0
    finally:
        os._exit(code)  # nothing of the parent's is to be cleaned up here


def _set_clock(path: str, *, skips: bool) -> None:
    from litellm.proxy.proxy_cli import ProxyInitializationHelpers as Helpers

    from nixcfg.trial import clock

    clock.install(path, skips=skips)
    if skips:  # uvloop has a clock of its own
        for name in ("_get_loop_type", "get_loop_type"):
            setattr(Helpers, name, staticmethod(lambda: "asyncio"))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
