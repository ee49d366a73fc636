"""Where requests go: the base URL of a deployment, and what happens without one."""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import SplitResult, urlsplit

from nixcfg.knowledge import ApiBase
from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity, Steps
from nixcfg.project import wiring
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.scope import AnyDeployment, EveryDeployment
from nixcfg.yamltext.document import Document

_VERSION = re.compile(r"/v\d")
_VERSION_AT_END = re.compile(r"/v\d+(beta\d*|alpha)?/?$")


def host(url: str) -> str:
    """The host of a URL, "" where there is none."""
    parts = _split(url if "://" in url else f"//{url}")
    try:
        return (parts.hostname or "").lower() if parts else ""
    except ValueError:
        return ""


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


INTERACTIVE = Rule("NX418", Severity.ERROR, standalone=Severity.WARNING)


@AnyDeployment
def _interactive(config: Config, deployment: Deployment) -> Iterator[Problem]:
    facts = deployment.facts
    if facts and facts.interactive_login and "mock_response" not in deployment.params:
        yield config.document.problem(
            INTERACTIVE,
            (*deployment.params_path, "model"),
            f"{facts.name} waits for a login in a browser, which a service cannot do",
            help="Use a provider with an API key.",
        )


NO_SCHEME = Rule("NX415", Severity.ERROR, standalone=Severity.WARNING)


@EveryDeployment
def _given(config: Config, deployment: Deployment) -> Iterator[Problem]:
    base = deployment.api_base
    if not isinstance(base, str) or "os.environ" in base or "mock_response" in deployment.params:
        return
    key = "api_base" if "api_base" in deployment.params else "base_url"
    path = (*deployment.params_path, key)
    parts = _split(base)
    if "${" in base:
        return  # reported as such
    if parts is None or parts.scheme not in ("http", "https", "ws", "wss") or not host(base):
        yield config.document.problem(
            NO_SCHEME,
            path,
            f"{key} is no URL: it needs http:// or https:// and a host",
            help=f"Write http://{base}, or https:// before it." if "://" not in base else "",
        )
        return
    if wiring.is_loopback(base) and not config.standalone:
        yield own_address(config.document, path, base)
    if deployment.facts:
        yield from _shape(config, path, base, parts, deployment.facts.api_base)


OWN_ADDRESS = Rule("NX427", Severity.WARNING)


def own_address(document: Document, path: Steps, url: str) -> Problem:
    """A URL of this machine, which in the container means the container."""
    better = url.replace(host(url), wiring.HOST, 1).replace(f"[{wiring.HOST}]", wiring.HOST)
    return document.problem(
        OWN_ADDRESS,
        path,
        "in the container this address is the container itself",
        help=f"Write {better}, and let the server listen on more than 127.0.0.1.",
        fix=Fix((SetValue(path, better),), safe=False),
    )


BASE_SHAPE = Rule("NX414", Severity.WARNING)


def _shape(
    config: Config, path: Steps, base: str, parts: SplitResult, expected: ApiBase
) -> Iterator[Problem]:
    appends = (expected.appends or "").rstrip("/")
    appends = "" if "{" in appends else appends
    given = parts.path.rstrip("/")
    wrong, better = "", ""
    if any(end and given.endswith(end.rstrip("/")) for end in expected.also):
        return  # LiteLLM recognises this ending
    if appends and given.endswith(appends):
        wrong = f"LiteLLM appends {appends} to this again"
        better = base.rstrip("/").removesuffix(appends)
    elif expected.path == "" and _VERSION_AT_END.search(parts.path):
        wrong = f"LiteLLM asks {given}{appends or '/...'} of this host"
        better = _VERSION_AT_END.sub("", base)
    elif expected.path and _VERSION.search(expected.path) and not given and not _bare(config, base):
        wrong = f"LiteLLM asks {appends or '/...'} of this host, without {expected.path}"
        better = base.rstrip("/") + expected.path
    elif base.endswith("/") and not expected.slash:
        wrong = "the slash at the end doubles in every request"
        better = base.rstrip("/")
    if not wrong:
        return
    problem = config.document.problem(
        BASE_SHAPE,
        path,
        wrong,
        help=f"Write {better}." if "@" not in better else "Fix the path.",
        fix=Fix((SetValue(path, better),), safe=False),
    )
    # Some servers (llama.cpp, LiteLLM itself) answer without /v1 too, so a bare host may be meant.
    own_host = host(base) == host(expected.default or "")
    bare = bool(expected.path) and not given and not own_host
    yield replace(problem, level=Severity.NOTE) if bare else problem


_BARE_HOSTS = ("githubcopilot.com",)
"""Hosts of vendors that are asked without /v1, though LiteLLM's own provider names no address."""


def _bare(config: Config, base: str) -> bool:
    """Whether this vendor is known to be asked for /chat/completions right behind its host."""
    name = host(base)
    return name.endswith(_BARE_HOSTS) or name in {
        host(facts.api_base.default)
        for facts in config.knowledge.providers().values()
        if facts.api_base.default
        and not urlsplit(facts.api_base.default).path.strip("/")
        and (facts.api_base.appends or "") == "/chat/completions"
    }


def _has_no_base(deployment: Deployment) -> bool:
    return deployment.api_base is None and "mock_response" not in deployment.params


SPAWNS_OLLAMA = Rule("NX417", Severity.WARNING)


@EveryDeployment
def _spawns_ollama(config: Config, deployment: Deployment) -> Iterator[Problem]:
    if "ollama" in (deployment.model or "") and _has_no_base(deployment):
        yield config.document.problem(
            SPAWNS_OLLAMA,
            deployment.params_path,
            "without api_base LiteLLM starts `ollama serve` beside itself",
            help="Add api_base: http://HOST:11434.",
            key=True,
        )


NO_BASE = Rule("NX416", Severity.ERROR, standalone=Severity.WARNING)


@EveryDeployment
def _missing(config: Config, deployment: Deployment) -> Iterator[Problem]:
    facts, params = deployment.facts, deployment.params
    if facts is None or not facts.api_base.required or not _has_no_base(deployment):
        return
    if "ollama" in (deployment.model or "") or "litellm_credential_name" in params:
        return
    variable = facts.api_base.variable
    if variable and config.variable_is_wired(variable):
        return
    if not config.standalone and not facts.api_base.sent_to:
        return  # nixcfg asks for the variable, as for a key
    where = f"prompts would go to {facts.api_base.sent_to}" if facts.api_base.sent_to else ""
    yield config.document.problem(
        NO_BASE,
        (*deployment.params_path, "model"),
        f"{config.litellm} has no address for {facts.name} without api_base"
        + (f"; {where}" if where else ""),
        help="Add api_base with the address of the server"
        + (f", or set {variable}." if variable else "."),
    )


IN_PROCESS = Rule("NX433", Severity.ERROR, standalone=Severity.WARNING)


@EveryDeployment
def _in_process(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """vllm/ loads the model into LiteLLM itself, by a library that its image does not have."""
    if deployment.provider == "vllm" and "mock_response" not in deployment.params:
        path, model = (*deployment.params_path, "model"), str(deployment.model)
        prefixed = model.startswith("vllm/")
        yield config.document.problem(
            IN_PROCESS,
            path,
            "vllm runs the model inside LiteLLM, whose image lacks the library: no request works",
            help="Write hosted_vllm/ and the api_base of the server.",
            fix=Fix((SetValue(path, f"hosted_{model}"),), safe=False) if prefixed else None,
        )
