"""The real LiteLLM as judge: what it does with a configuration, asked for many in one process.

Run as a program, it reads a JSON list of questions on stdin and writes one JSON answer a line:
`{"text": YAML, "files": {name: text}, "env": {name: value}, "ask": model, "times": N,
"status": 200}`. Nothing leaves the process: what LiteLLM sends to a vendor is caught where httpx
would open a connection, answered with `status`, and told under `sent`. `live` is what else is at
work (live.py); with `"trace": true`, `asked` are the variables that LiteLLM looked up.
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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import live
import yaml

_ABSENT = object()
FIXED = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_TELEMETRY": "False",
    "LITELLM_MASTER_KEY": "sk-" + "0123456789abcdef" * 2,
    "DISABLE_AIOHTTP_TRANSPORT": "True",
    "NO_PROXY": "*",
}
KEYS = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
REPLY = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "type": "message",
    "role": "assistant",
    "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "hello"}],
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
    ],
    "candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname}: {record.getMessage()}"[:300])


class _Wire:
    """In place of the network: keeps what is sent, answers every request alike."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.hosts: set[str] = set()
        self.status = 200

    def install(self) -> None:
        import httpx

        async def handle(_self: object, request: httpx.Request) -> httpx.Response:
            return self.answer(request, await request.aread())

        def handle_sync(_self: object, request: httpx.Request) -> httpx.Response:
            return self.answer(request, request.read())

        httpx.AsyncHTTPTransport.handle_async_request = handle  # type: ignore[method-assign,assignment]
        httpx.HTTPTransport.handle_request = handle_sync  # type: ignore[method-assign,assignment]
        socket.socket.connect = _refuse  # type: ignore[method-assign]
        resolve = socket.getaddrinfo

        def listening(host: Any, *arguments: Any, **options: Any) -> Any:
            self.hosts.add(str(host))
            return resolve(host, *arguments, **options)

        socket.getaddrinfo = listening

    def answer(self, request: Any, body: bytes) -> Any:
        import httpx

        if request.url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol("no protocol", request=request)
        self.sent.append(
            {
                "url": str(request.url),
                "keys": {name: request.headers[name] for name in KEYS if name in request.headers},
                "body": body.decode("utf-8", "replace"),
            }
        )
        failed = {"error": {"message": "the stand-in fails", "type": "x", "code": "x"}}
        return httpx.Response(
            self.status, json=REPLY if self.status == 200 else failed, request=request
        )


def _refuse(*_arguments: object, **_options: object) -> Any:
    raise ConnectionRefusedError(111, "no network here")


async def _answer(path: Path, question: Mapping[str, Any], log: _Log, wire: _Wire) -> Any:
    from litellm.proxy import proxy_server

    log.lines.clear()
    wire.sent.clear()
    wire.hosts.clear()
    live.forget()
    proxy_server.user_custom_auth = None
    proxy_server.master_key = None
    proxy_server.general_settings = {}
    spawned: list[str] = []
    proxy_server.run_ollama_serve = lambda: spawned.append("ollama serve")
    try:
        router, _, general = await asyncio.wait_for(
            proxy_server.ProxyConfig().load_config(None, str(path)), timeout=20
        )
        _authenticate_tokens(general or {})
        refused = _refused_master_key(general or {}, path)
    except BaseException as problem:  # noqa: BLE001 (whatever it is, it is the answer)
        error = f"{type(problem).__name__}: {problem}"[:3000]
        return {"error": error, "warnings": list(log.lines), "live": live.seen(None)}
    loaded = list(router.model_list) if router else []
    told = {
        "error": None,
        "loaded": len(loaded),
        "names": sorted({each["model_name"] for each in loaded}),
        "ids": [each["model_info"]["id"] for each in loaded],
        "params": [_plain(each["litellm_params"]) for each in loaded],
        "general": _plain(general or {}),
        "refused": refused,
        "warnings": list(log.lines),
        "spawned": spawned,
        "router": _attributes(router, "routing_strategy num_retries allowed_fails timeout"),
        "litellm": _attributes(sys.modules["litellm"], "drop_params success_callback api_key"),
        "constants": _attributes(sys.modules["litellm.constants"], "DEFAULT_MAX_RETRIES"),
        "redis": bool(router and router.cache.redis_cache),
        "env": {name: os.environ.get(name) for name in _environment(path)},
        "live": live.seen(router),
        "replies": [],
    }
    for _ in range(question.get("times", 1) if "ask" in question else 0):
        told["replies"].append(await _ask(router, question["ask"], question.get("tags", [])))
    if "request" in question:
        told["replies"].append(await _request(**question["request"]))
    told["sent"] = list(wire.sent)
    told["hosts"] = sorted(wire.hosts)
    return told


async def _ask(router: Any, model: str, tags: list[str]) -> str:
    try:
        given: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
        if tags:
            given["metadata"] = {"tags": tags}
        reply = await asyncio.wait_for(router.acompletion(model=model, **given), 20)
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is the answer)
        return f"{type(error).__name__}: {error}"[:800]
    return f"ok: {reply.choices[0].message.content}"


async def _request(path: str, headers: Mapping[str, str]) -> str:
    """The status of a request to the gateway itself, sent without a network."""
    import httpx
    from litellm.proxy.proxy_server import app

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        asked = client.post(path, headers=dict(headers), json={"query": "hello"})
        return str((await asyncio.wait_for(asked, 20)).status_code)


def _authenticate_tokens(general: Mapping[str, Any]) -> None:
    """What the proxy does with litellm_jwtauth at its start, after it has loaded the file."""
    from litellm.proxy import proxy_server

    startup: Any = proxy_server.ProxyStartupEvent
    name = "initialize_jwt_auth"
    begin = getattr(startup, name, None) or getattr(startup, f"_{name}")
    begin(
        general_settings=dict(general),
        prisma_client=None,
        user_api_key_cache=proxy_server.user_api_key_cache,
    )


def _refused_master_key(general: Mapping[str, Any], path: Path) -> bool:
    from litellm.proxy import proxy_server
    from litellm.proxy.auth import master_key_boot_check as boot

    verdict = boot.master_key_boot_verdict(
        master_key=proxy_server.master_key,
        environment_master_key=os.environ.get("LITELLM_MASTER_KEY"),
        general_settings=general,
        config_file_path=str(path),
        override_env_is_on=False,
        salt_key_is_set=False,
        database_is_configured=False,
    )
    return isinstance(verdict, boot.UnsafeMasterKeyRefused)


def _attributes(thing: Any, names: str) -> dict[str, str]:
    return {name: repr(getattr(thing, name, None)) for name in names.split()}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if isinstance(v, str | int | float | list)}


def _environment(path: Path) -> list[str]:
    section = yaml.safe_load(path.read_text(encoding="utf-8")).get("environment_variables")
    return list(section or ())


@contextlib.contextmanager
def _as_it_was(module: Any, text: str) -> Iterator[None]:
    """LiteLLM sets every litellm_settings key on its own module; take that back afterwards."""
    try:
        settings = yaml.safe_load(text)["litellm_settings"]
        keys = [key for key in settings if isinstance(key, str)]
    except (yaml.YAMLError, KeyError, TypeError):
        keys = []
    keys += ["cache", "callbacks", "success_callback", "failure_callback", "drop_params"]
    keys += ["num_retries", "credential_list"]
    before = {key: _copied(vars(module).get(key, _ABSENT)) for key in keys}
    try:
        yield
    finally:
        for key, value in before.items():
            if value is not _ABSENT:
                setattr(module, key, value)
            elif key in vars(module):
                delattr(module, key)


def _copied(value: Any) -> Any:
    """A copy of a list or a mapping, which LiteLLM adds to; anything else is replaced in whole."""
    return copy.copy(value) if isinstance(value, list | dict | set) else value


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


class Oracle:
    """The LiteLLM of this process, ready to be asked: from here on nothing leaves it."""

    def __init__(self) -> None:
        os.environ.update(FIXED)
        self._clean = dict(os.environ)
        with _silence():
            import litellm
            from litellm.proxy import proxy_server  # noqa: F401 (slow; once)
        self._litellm = litellm
        self._log, self._wire = _Log(), _Wire()
        self._wire.install()
        for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router"):
            logging.getLogger(name).addHandler(self._log)

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        os.environ.clear()
        os.environ.update(self._clean | question.get("env", {}))
        self._wire.status = question.get("status", 200)
        self._litellm.in_memory_llm_clients_cache.flush_cache()
        files = {**question.get("files", {}), "config.yaml": question["text"]}
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                (Path(folder) / name).write_text(text, encoding="utf-8", errors="surrogateescape")
            path = Path(folder) / "config.yaml"
            with _as_it_was(self._litellm, question["text"]), _silence(), live.looked_up() as asked:
                answer = asyncio.run(_answer(path, question, self._log, self._wire))
        return {**answer, "asked": sorted(asked)} if question.get("trace") else dict(answer)


def main() -> None:
    questions = json.load(sys.stdin)
    oracle = Oracle()
    for question in questions:
        print(json.dumps(oracle.ask(question)), flush=True)


if __name__ == "__main__":
    main()
