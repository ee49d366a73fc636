"""The real LiteLLM as judge: what gateway a configuration gives, asked for many in one process.

Run as a program, it reads `{"config": path, "env": {name: value}}` on stdin, one a line, and
answers each with one line of JSON. LiteLLM is imported once; each configuration is loaded in a
fork of its own, so that none sees what another left in LiteLLM's globals. No socket is opened.
"""

import asyncio
import contextlib
import inspect
import io
import json
import os
import socket
import sys
import time
from typing import Any

SECONDS = 20
ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_TELEMETRY": "False",
    "LITELLM_MASTER_KEY": "sk-" + "0123456789abcdef" * 2,
}


def refuse(*_arguments: object, **_options: object) -> Any:
    raise ConnectionRefusedError(111, "no network here")


async def load(path: str) -> dict[str, Any]:
    import litellm
    from litellm.proxy import proxy_server

    proxy_server.run_ollama_serve = lambda: None
    config = proxy_server.ProxyConfig()
    router, _, general = await asyncio.wait_for(config.load_config(None, path), SECONDS)
    names = [
        name for name in inspect.signature(litellm.Router.__init__).parameters if name != "self"
    ]
    settings = {name: getattr(router, name) for name in names if hasattr(router, name)}
    settings.pop("model_list", None)
    asked = ((await config.get_config(path)).get("litellm_settings") or {}).keys()
    deployments = [
        {
            "model_name": each["model_name"],
            "params": each["litellm_params"],
            "info": {k: v for k, v in each["model_info"].items() if k not in ("id", "db_model")},
        }
        for each in (router.model_list if router else [])
    ]
    return {
        "deployments": deployments,
        "router": {name: told(value) for name, value in settings.items()},
        "litellm": {name: told(getattr(litellm, name, None)) for name in asked},
        "general": {name: told(value) for name, value in general.items()},
    }


def told(value: Any) -> Any:
    """A value for JSON; of an object only its kind, which is the same in another process."""
    if isinstance(value, dict):
        return {str(key): told(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [told(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else type(value).__name__


def answer(question: dict[str, Any]) -> dict[str, Any]:
    os.environ.update(question["env"])
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return asyncio.run(load(question["config"]))
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is the answer)
        return {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}


def main() -> None:
    os.environ.update(ENVIRONMENT)
    # What cannot be reached is asked for again and again, with pauses in between.
    time.sleep = lambda _seconds: None
    pause = asyncio.sleep
    asyncio.sleep = lambda _seconds, *result: pause(0, *result)
    with contextlib.redirect_stdout(io.StringIO()):
        from litellm.proxy import proxy_server  # noqa: F401 (slow; once)
    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.write(1, json.dumps(answer(json.loads(line)), default=str).encode() + b"\n")
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
