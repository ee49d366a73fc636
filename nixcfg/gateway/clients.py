"""How programs that ask a gateway are told where it is: each in its own form. Pure.

No text holds the master key, only where it comes from, unless the caller passes it as `key`.
Sources, read in November 2026: the clients' own documentation of their settings, and what the
versions in tests/clients do with them.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

VARIABLE = "LITELLM_MASTER_KEY"
"""Where a client finds the key, as `probe` and `ask` do."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked: the gateway's `url` without a path, a model, and how its key is had.

    `key` is "" where a client is to read VARIABLE of its environment.
    """

    url: str
    model: str
    models: tuple[str, ...] = ()
    key: str = ""
    is_open: bool = False

    @property
    def v1(self) -> str:
        return f"{self.url}/v1"

    @property
    def literal(self) -> str:
        """A key for clients that insist on one, where the gateway asks for none."""
        return self.key or ("none" if self.is_open else "")

    @property
    def shell(self) -> str:
        """The key as a word of a shell command."""
        return shlex.quote(self.literal) if self.literal else f'"${VARIABLE}"'


@dataclass(frozen=True, slots=True)
class Setup:
    """A client's settings: a text to use as it is, or the content of `file`, relative to the home
    folder, and `start`, the command that uses it. `format` says how --write joins what is there.
    """

    text: str
    file: str = ""
    start: str = ""
    format: str = "shell"
    data: Mapping[str, Any] | None = None


def _curl(target: Target) -> Setup:
    body = {"model": target.model, "messages": [{"role": "user", "content": "Hello"}]}
    bearer = "" if target.is_open else f'  -H "Authorization: Bearer {_inside(target)}" \\\n'
    return Setup(
        f"curl {target.v1}/chat/completions \\\n{bearer}"
        f'  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(json.dumps(body))}\n"
    )


def _inside(target: Target) -> str:
    return target.key or f"${VARIABLE}"


def _python(target: Target) -> Setup:
    key = json.dumps(target.literal) if target.literal else f'os.environ["{VARIABLE}"]'
    imports = "" if target.literal else "import os\n\n"
    return Setup(
        f"{imports}from openai import OpenAI\n\n"
        f"client = OpenAI(base_url={json.dumps(target.v1)}, api_key={key})\n"
        "answer = client.chat.completions.create(\n"
        f"    model={json.dumps(target.model)},\n"
        '    messages=[{"role": "user", "content": "Hello"}],\n'
        ")\n"
        "print(answer.choices[0].message.content)\n",
        format="python",
    )


def _claude_code(target: Target) -> Setup:
    """https://code.claude.com/docs/en/llm-gateway: the base URL has no /v1, and apiKeyHelper is a
    command that prints the key."""
    models = ("ANTHROPIC_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL", "ANTHROPIC_SMALL_FAST_MODEL")
    environment = {"ANTHROPIC_BASE_URL": target.url, **dict.fromkeys(models, target.model)}
    data: dict[str, Any] = {"env": environment}
    if target.literal:
        environment["ANTHROPIC_AUTH_TOKEN"] = target.literal
    else:
        data["apiKeyHelper"] = f"printenv {VARIABLE}"
    return _json(data, ".claude/settings.json", "claude")


def _opencode(target: Target) -> Setup:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "LiteLLM, by nixcfg",
        "options": {
            "baseURL": target.v1,
            "apiKey": target.literal or f"{{env:{VARIABLE}}}",
        },
        "models": {name: {"name": name} for name in target.models or (target.model,)},
    }
    data = {
        "$schema": "https://opencode.ai/config.json",
        "provider": {"nixcfg": provider},
        "model": f"nixcfg/{target.model}",
    }
    return _json(data, ".config/opencode/opencode.json", "opencode")


def _json(data: Mapping[str, Any], file: str, start: str) -> Setup:
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    return Setup(text, file=file, start=start, format="json", data=data)


def _codex(target: Target) -> Setup:
    """`wire_api` is responses: current versions know no other."""
    key = f'http_headers = {{ Authorization = "Bearer {target.literal}" }}'
    reference = f'env_key = "{VARIABLE}"'
    return Setup(
        f"model = {json.dumps(target.model)}\n"
        'model_provider = "nixcfg"\n\n'
        "[model_providers.nixcfg]\n"
        'name = "LiteLLM, by nixcfg"\n'
        f"base_url = {json.dumps(target.v1)}\n"
        f"{key if target.literal else reference}\n"
        'wire_api = "responses"\n',
        file=".codex/config.toml",
        start="codex",
        format="toml",
    )


def _aider(target: Target) -> Setup:
    """aider asks through LiteLLM itself, which takes openai/NAME for an OpenAI API."""
    return Setup(
        f"export OPENAI_API_BASE={shlex.quote(target.v1)}\n"
        f"export OPENAI_API_KEY={target.shell}\n"
        f"aider --model {shlex.quote(f'openai/{target.model}')}\n"
    )


def _open_webui(target: Target) -> Setup:
    return Setup(
        f"export OPENAI_API_BASE_URL={shlex.quote(target.v1)}\n"
        f"export OPENAI_API_KEY={target.shell}\n"
        f"export DEFAULT_MODELS={shlex.quote(target.model)}\n"
        "export ENABLE_OLLAMA_API=false\n"
        "open-webui serve\n"
    )


CLIENTS: Mapping[str, Callable[[Target], Setup]] = {
    "aider": _aider,
    "claude-code": _claude_code,
    "codex": _codex,
    "curl": _curl,
    "open-webui": _open_webui,
    "opencode": _opencode,
    "python": _python,
}


class TakenError(Exception):
    """The client's own file says something else already; the message names what."""


def joined(setup: Setup, text: str) -> str:
    """A client's file with the settings in it; what else it says stays. Raises TakenError.

    A JSON file is written anew, as no comments can be in it; to a TOML file lines are added.
    """
    if setup.format == "json":
        try:
            old = json.loads(text or "{}")
        except ValueError:
            raise TakenError("it is no plain JSON") from None
        if not isinstance(old, dict):
            raise TakenError("it is no JSON object")
        return json.dumps(_merged(old, setup.data or {}), indent=2, ensure_ascii=False) + "\n"
    if not text.strip():
        return setup.text
    if setup.text in text:
        return text
    import tomllib

    try:
        there = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise TakenError("it is no TOML") from None
    head, _, table = setup.text.partition("\n\n")
    taken = [name for name in tomllib.loads(head) if name in there]
    if "nixcfg" in there.get("model_providers", {}):
        taken.append("model_providers.nixcfg")
    if taken:
        raise TakenError(f"it sets {' and '.join(taken)} already")
    # Keys of the file itself come before its first table.
    return f"{head}\n{text.rstrip()}\n\n{table}"


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(old)
    for key, value in new.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both else value
    return result
