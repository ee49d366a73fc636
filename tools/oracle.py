"""The real LiteLLM as judge: what it does with a configuration, asked for many in one process.

Run as a program, it reads a JSON list of questions on stdin, `{"text": YAML, "env": {name: value},
"ask": [model names]}`, and writes one JSON answer a line. No socket leaves the process: whatever
LiteLLM tries to send is refused and told under `sent` instead.
"""

import asyncio
import contextlib
import copy
import io
import json
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_ABSENT = object()
FIXED = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_TELEMETRY": "False",
    "LITELLM_MASTER_KEY": "sk-" + "0123456789abcdef" * 2,
    "NO_PROXY": "*",
}


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname}: {record.getMessage()}"[:300])


def _refuse(*_arguments: object, **_options: object) -> Any:
    raise ConnectionRefusedError(111, "no network here")


async def _load(path: Path, log: _Log) -> dict[str, Any]:
    import litellm
    from litellm.proxy import proxy_server

    log.lines.clear()
    proxy_server.user_custom_auth = None
    spawned: list[str] = []
    proxy_server.run_ollama_serve = lambda: spawned.append("ollama serve")
    before = {name: id(getattr(litellm, name, None)) for name in ("acompletion", "completion")}
    try:
        router, models, _ = await asyncio.wait_for(
            proxy_server.ProxyConfig().load_config(None, str(path)), timeout=20
        )
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is the answer)
        return {"error": f"{type(error).__name__}: {error}"[:500], "warnings": list(log.lines)}
    return {
        "error": None,
        "models": len(models or []),
        "loaded": len(router.model_list) if router else 0,
        "names": sorted(set(router.get_model_names())) if router else [],
        "warnings": list(log.lines),
        "spawned": spawned,
        "replaced": [n for n, was in before.items() if id(getattr(litellm, n, None)) != was],
        "deployments": [
            {k: v for k, v in each["litellm_params"].items() if isinstance(v, str | int | float)}
            for each in (router.model_list if router else [])
        ],
        "router": {
            name: repr(getattr(router, name, None))
            for name in (
                "routing_strategy",
                "num_retries",
                "allowed_fails",
                "cooldown_time",
                "timeout",
                "fallbacks",
                "default_fallbacks",
                "model_group_alias",
            )
        },
        "litellm": {
            name: repr(getattr(litellm, name, None))
            for name in ("drop_params", "success_callback", "request_timeout", "num_retries")
        },
        "redis": bool(router and router.cache.redis_cache),
    }


@contextlib.contextmanager
def _as_it_was(module: Any, text: str) -> Iterator[None]:
    """LiteLLM sets every litellm_settings key on its own module; take that back afterwards."""
    try:
        settings = yaml.safe_load(text)["litellm_settings"]
        keys = [key for key in settings if isinstance(key, str)]
    except (yaml.YAMLError, KeyError, TypeError):
        keys = []
    keys += ["cache", "callbacks", "success_callback", "failure_callback", "drop_params"]
    before = {key: copy.copy(vars(module).get(key, _ABSENT)) for key in keys}
    try:
        yield
    finally:
        for key, value in before.items():
            if value is not _ABSENT:
                setattr(module, key, value)
            elif key in vars(module):
                delattr(module, key)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def main() -> None:
    questions = json.load(sys.stdin)
    os.environ.update(FIXED)
    clean = dict(os.environ)
    with contextlib.redirect_stdout(io.StringIO()):
        import litellm
        from litellm.proxy import proxy_server  # noqa: F401 (slow; once)
    socket.socket.connect = _refuse  # type: ignore[method-assign]
    log = _Log()
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router"):
        logging.getLogger(name).addHandler(log)
    for question in questions:
        os.environ.clear()
        os.environ.update(clean | question.get("env", {}))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.yaml"
            path.write_text(question["text"], encoding="utf-8", errors="surrogateescape")
            with _as_it_was(litellm, question["text"]), _silence():
                answer = asyncio.run(_load(path, log))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
