"""What LiteLLM is started with: its configuration, an environment made from scratch, and the keys.

It is what the NixOS module gives it: the rendered configuration, and the keys of that
configuration, which go from their files into the environment of that one process.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nixcfg import knowledge
from nixcfg.keys import read
from nixcfg.keys.read import KeyForbiddenError, KeyMissingError, KeyUnusableError
from nixcfg.keys.shapes import is_harmless, names_secret, password_in_url
from nixcfg.keys.written import written
from nixcfg.project import wiring
from nixcfg.project.model import MODELS, Config, Machine
from nixcfg.project.wiring import KeyFile
from nixcfg.render.litellm import litellm_yaml

_KEPT = (
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "NIX_LD",
    "NIX_LD_LIBRARY_PATH",
    "NIX_SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)
"""What Python and its TLS need from the machine."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
MODULE = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "True",
    "SCARF_NO_ANALYTICS": "True",
    "NO_DOCS": "True",
    "NO_OPENAPI": "True",
    "NO_REDOC": "True",
    "PYTHON_GC_THRESHOLD": "50000,20,20",
}
"""What every container has in its environment but for where things are in it: image.nix of
modules/litellm-proxy, with which tests/nix/test_instances.py compares it."""
_FIXED = {
    **MODULE,
    "DISABLE_ADMIN_UI": "True",
    # For a log that comes line by line.
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def kept() -> dict[str, str]:
    """What a Python of this machine needs of its environment, beside that of a launch."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


@dataclass(frozen=True, slots=True)
class Keys:
    """What the key files gave. `values` are printed nowhere; `missing`, `errors` are in words.

    `borrowed` are the variables whose key came from the environment, as its file could not be read.
    """

    values: Mapping[str, bytes] = field(repr=False)
    paths: Mapping[str, str]
    missing: tuple[str, ...]
    errors: tuple[str, ...]
    borrowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Launch:
    """One start of LiteLLM: the text of its configuration, its whole environment, its port.

    `environment` holds keys, so it is in no representation. `documents` are the variables whose
    value becomes the path of a file in memory; `from_files` are the keys, whatever they are called.
    """

    config: str
    port: int
    master_key: str = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    documents: Mapping[str, bytes] = field(repr=False, default_factory=dict)
    from_files: tuple[str, ...] = field(repr=False, default=())
    open: bool = False

    @property
    def hidden(self) -> list[str]:
        """All that its log must not show; not addresses and flags of the environment."""
        named = (
            value
            for name, value in self.environment.items()
            if name not in _FIXED
            and name not in _KEPT
            and names_secret(name)
            and not is_harmless(value)
        )
        in_urls = map(password_in_url, self.environment.values())
        documents = (os.fsdecode(each) for each in self.documents.values())
        return [
            *(self.master_key, *self.from_files, *named, *documents),
            *filter(None, in_urls),
            *written(self.config, None),
        ]


def read_keys(here: Machine, config: Config) -> Keys:
    """Read the key files that `config` needs, and no others, as the service reads them.

    Where a file is absent or another user's, a variable of that name gives the key.
    """
    values, paths, missing, errors, borrowed = {}, {}, [], [], []
    for variable in config.secrets:
        key = here.key_files[variable]
        path = wiring.place(key.file)
        try:
            content = read.content(key)
        except (KeyMissingError, KeyUnusableError) as error:
            why = f"key file {path} {error}".rstrip(".")
            found = _given(key) if isinstance(error, KeyMissingError | KeyForbiddenError) else None
            if isinstance(found, bytes):
                values[variable] = found
                borrowed.append(variable)
            elif found:
                errors.append(found)
            elif isinstance(error, KeyMissingError) and not here.requires(config, variable):
                missing.append(f"{variable}: optional {why}")
            else:
                errors.append(f"{variable}: {why}{_as_root(error)}")
            continue
        if key.kind == "file" and not key.encrypted:
            paths[variable] = str(Path(path).absolute())
        else:
            values[variable] = content
    return Keys(values, paths, tuple(missing), tuple(errors), tuple(borrowed))


def _given(key: KeyFile) -> bytes | str | None:
    """The key in the environment of whoever starts this, what is wrong with it, or None."""
    try:
        return read.from_environment(key)
    except (KeyMissingError, KeyUnusableError) as error:
        return f"{key.variable} in the environment {error}".rstrip(".")


def _as_root(error: Exception) -> str:
    is_hidden = isinstance(error, KeyForbiddenError) and os.geteuid() != 0
    return " (root can: run it with sudo)" if is_hidden else ""


def configuration(here: Machine, config: Config, vendor: str = "") -> str:
    """The text of the configuration that is started, without the Redis of the machine.

    With a `vendor`, the base URL of an OpenAI API, that one is asked instead of all others.
    """
    config = _unshared(here, config)
    return litellm_yaml(_redirected(config, vendor) if vendor else config)


def names_host(here: Machine, text: str) -> bool:
    """Whether the container's name for the machine it runs on is in what is started."""
    return any(wiring.HOST in each for each in (text, *here.environment.values()))


def real(here: Machine, config: Config, text: str, found: Keys, port: int) -> Launch:
    """A start with the real keys, which were `found` without errors."""
    kinds = {variable: here.key_files[variable].kind for variable in found.values}
    environment = {
        **dict.fromkeys(config.secrets, wiring.MISSING_KEY),
        **{v: os.fsdecode(value) for v, value in found.values.items() if kinds[v] == "env"},
        **found.paths,
    }
    documents = {v: value for v, value in found.values.items() if kinds[v] == "file"}
    kept = {name for proxy in _PROXIES for name in (proxy, proxy.lower())}
    outside = {name: os.environ[name] for name in sorted(kept) if name in os.environ}
    launch = _launch(here, text, {**outside, **environment}, port, documents)
    return replace(launch, from_files=tuple(map(os.fsdecode, found.values.values())))


def rehearsed(here: Machine, config: Config, text: str, port: int) -> Launch:
    """A start without any key: a harmless text takes the place of each."""
    dummies = {
        variable: wiring.MISSING_KEY
        for variable in config.secrets
        if variable not in _SERVICES and here.key_files[variable].kind == "env"
    }
    return _launch(here, text, dummies, port)


_SERVICES = frozenset({"DATABASE_URL", "DIRECT_URL"})
"""Variables that make LiteLLM connect to something at its start; without them it does not."""


def _launch(
    here: Machine,
    text: str,
    environment: Mapping[str, str],
    port: int,
    documents: Mapping[str, bytes] | None = None,
) -> Launch:
    is_open = here.auth == "open"
    master_key = "" if is_open else f"sk-{secrets.token_hex(24)}"
    plain = {name: local(value) for name, value in here.environment.items()}
    return Launch(
        config=local(text),
        port=port,
        master_key=master_key,
        environment={
            **plain,
            **environment,
            **_FIXED,
            **(
                {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
                if is_open
                else {wiring.MASTER_KEY_VARIABLE: master_key}
            ),
        },
        documents=documents or {},
        open=is_open,
    )


def local(text: str) -> str:
    """The container's name for the machine it runs on means nothing on the machine itself."""
    return text.replace(wiring.HOST, "127.0.0.1")


_ROUTING = (
    "max_parallel_requests",
    "order",
    "rpm",
    "stream_timeout",
    "tags",
    "timeout",
    "tpm",
    "weight",
)
"""Of litellm_params what says when a deployment is asked, and nothing of who is behind it."""
_CHAT = (None, "chat", "responses", "completion")


_PREFIX = "custom_openai"
"""A provider of which LiteLLM knows chat completions alone, so that it translates all its other
routes to those. `hosted_vllm` would be asked for /v1/responses."""


def _redirected(config: Config, vendor: str) -> Config:
    """The same models, with another vendor behind each; what is no chat LiteLLM answers itself."""

    def entry(given: Mapping[str, Any]) -> dict[str, Any]:
        params = given["litellm_params"]
        facts = knowledge.find_model(params["model"], params.get("custom_llm_provider"))
        if facts and facts.mode not in _CHAT:
            return {**given, "litellm_params": {**params, "mock_response": "mock"}}
        kept = {key: params[key] for key in _ROUTING if key in params}
        name = params["model"].rpartition("/")[2]
        asked = {"model": f"{_PREFIX}/{name}", "api_base": vendor, "api_key": "mock"}
        return {**given, "litellm_params": {**asked, "drop_params": True, **kept}}

    entries = [entry(each) for each in config.litellm[MODELS]]
    return replace(config, litellm={**config.litellm, MODELS: entries})


def _unshared(here: Machine, config: Config) -> Config:
    """The same configuration without the Redis of its machine, to which nothing is wired here."""
    settings = config.litellm.get("general_settings") or {}
    if here.redis is None or "coordination_redis" not in settings:
        return config
    kept = {key: value for key, value in settings.items() if key != "coordination_redis"}
    return replace(config, litellm={**config.litellm, "general_settings": kept})
