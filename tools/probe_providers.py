"""Learn by experiment how LiteLLM authenticates and addresses each provider.

A real call is made per provider with the network cut: every outgoing request is caught before it
leaves. Each environment variable that LiteLLM looks for meanwhile gets a value of its own, which
is then searched in the request. What appears is used; taking it away shows what comes next; with
nothing left, either the call fails or it is sent without a key.
"""

import base64
import contextlib
import itertools
import json
import logging
import os
import re
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

# Providers whose client library is no dependency of litellm[proxy] (google-auth, the OCI and SAP
# kits), so that no call of theirs gets as far as a request. Read in their code under llms/ and in
# the forms of provider_create_fields.json. `params` are the litellm_params that take the value.
_VERTEX: dict[str, Any] = {
    "chat": True,
    "credentials": [
        # vertex_llm_base.load_auth: a path or the JSON itself, else what google.auth finds.
        {
            "variable": "GOOGLE_APPLICATION_CREDENTIALS",
            "param": "vertex_credentials",
            "secret": True,
            "file": True,
            "required": True,
        },
        # Taken from the credentials file when absent.
        {"variable": "VERTEXAI_PROJECT", "param": "vertex_project"},
        # us-central1 when absent.
        {"variable": "VERTEXAI_LOCATION", "param": "vertex_location"},
    ],
    "alternatives": [["VERTEXAI_CREDENTIALS"]],
    "api_base": {},
}
_OCI = ("fingerprint", "tenancy", "user", "compartment_id")
UNPROBED: dict[str, dict[str, Any]] = {
    "vertex_ai": _VERTEX,
    "vertex_ai_beta": _VERTEX,
    # main.py: key and base are both taken, the key being a service account in JSON.
    "gdc": {
        "chat": True,
        "credentials": [
            {"variable": "GDC_API_KEY", "param": "api_key", "secret": True, "required": True},
            {"variable": "GDC_API_BASE", "param": "api_base", "required": True},
        ],
        "api_base": {"required": True, "variable": "GDC_API_BASE"},
    },
    # llms/oci/common_utils.py: signs with a key in PEM, as text or as a path.
    "oci": {
        "chat": True,
        "credentials": [
            {"variable": "OCI_KEY", "param": "oci_key", "secret": True, "required": True},
            *(
                {"variable": f"OCI_{name.upper()}", "param": f"oci_{name}", "required": True}
                for name in _OCI
            ),
            {"variable": "OCI_REGION", "param": "oci_region"},  # us-ashburn-1 when absent
        ],
        "alternatives": [["OCI_KEY_FILE", *(f"OCI_{name.upper()}" for name in _OCI)]],
        "api_base": {},
    },
    # llms/sap/credentials.py: one JSON document with everything in it, or its parts.
    "sap": {
        "chat": True,
        "credentials": [
            {
                "variable": "AICORE_SERVICE_KEY",
                "param": "api_key",
                "secret": True,
                "required": True,
            },
        ],
        "alternatives": [
            ["AICORE_CLIENT_SECRET", "AICORE_CLIENT_ID", "AICORE_AUTH_URL", "AICORE_BASE_URL"]
        ],
        "api_base": {},
    },
}

# Local servers and generic clients: LiteLLM has no address of their own for them, and a call
# without `api_base` does not fail but goes to api.openai.com (seen as `sent_to`).
GENERIC = {"custom_openai"}

NAME = re.compile(r"[A-Z][A-Z0-9_]{3,}$")
# Only variables that can hold an address or an identity get a value: a made-up timeout, proxy or
# profile would break the call rather than show in it.
INTERESTING = re.compile(
    r"(KEY|TOKEN|SECRET|PASSWORD|PASSCODE|CREDENTIALS?|API_BASE|BASE_URL|URL|ENDPOINT|HOST|_ID|"
    r"ACCOUNT|PROJECT|REGION|REGION_NAME|LOCATION|ORGANIZATION|USERNAME|USER|API_VERSION|TENANCY|"
    r"FINGERPRINT|INSTANCE|SPACE|JWT|AUTH)(_BEDROCK)?$"
)
IGNORED = re.compile(
    r"^(LITELLM_(?!PROXY_API)|REDIS|LANGFUSE|LANGSMITH|OTEL|DD_|SSL|HTTP|NO_PROXY|PROXY|DATABASE|SERVER|UI_|PROMETHEUS|SLACK)|"
    r"PROFILE|ROLE|_FILE$|WEB_IDENTITY|SESSION_NAME|_MODE$|^USER$|METADATA|CONTAINER|STS_"
)
ADDRESS = re.compile(r"(API_BASE|BASE_URL|URL|ENDPOINT|HOST)$")
SECRET = re.compile(
    r"(KEY|TOKEN|SECRET|PASSWORD|PASSCODE|CREDENTIALS?|JWT|ACCESS_KEY_ID)(_BEDROCK)?$"
)
REGION = "eu-central-1"
KEY = "nixcfg-given-key"
# Forms of model names, for providers whose catalogue gives none.
PLACEHOLDERS = ("nixcfg-probe", "nixcfg/probe", "chat/nixcfg/probe", "nixcfg.nixcfg.gateway.probe")
BASE = "https://base.nixcfg.test/prefix"
OPENAI = "OPENAI_API_KEY"
OPENAI_HOST = "api.openai.com"


@dataclass(frozen=True)
class Request:
    """An outgoing request; ``parts`` are its address, its body and each header by name."""

    url: str
    parts: Mapping[str, str]

    @property
    def aside(self) -> bool:
        """Not the call itself: asks for a token, or for a file of the model's."""
        path = urlsplit(self.url).path
        return "grant_type" in self.parts["body"] or path.endswith("/oauth") or "/raw/" in path


@dataclass(frozen=True)
class Outcome:
    requests: tuple[Request, ...]
    error: str
    read: frozenset[str]

    @property
    def call(self) -> Request | None:
        """The call itself, the last of its requests."""
        return next((r for r in reversed(self.requests) if not r.aside), None)

    @property
    def sent(self) -> bool:
        return self.call is not None

    @property
    def url(self) -> str:
        return self.call.url if self.call else ""

    def shows(self, names: Iterable[str]) -> set[str]:
        """Those variables whose value is in some request."""
        return {name for name in names if self.places(name)}

    def places(self, name: str) -> frozenset[str]:
        """The parts of the requests in which a variable's value is."""
        return frozenset(
            place
            for request in self.requests
            for place, text in request.parts.items()
            if tag(name) in text
        )


def tag(name: str) -> str:
    return f"nixcfg-{name.lower().replace('_', '-')}-end"


def value(name: str) -> str:
    if ADDRESS.search(name):
        return f"https://{tag(name)}.test/prefix"
    if name.endswith(("REGION", "REGION_NAME")):
        return REGION
    return tag(name)


# --- catching requests ---------------------------------------------------------------------------

_requests: list[Request] = []
_read: set[str] = set()


def cut_network() -> None:
    """No connection leaves this process, whoever tries."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise OSError("the network is cut")

    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        setattr(socket, name, refuse)


def record(url: Any, headers: Iterable[tuple[Any, Any]], body: Any) -> None:
    parts = {"url": str(url)}
    parts["body"] = body.decode("latin-1") if isinstance(body, bytes) else str(body or "")
    for name, raw in headers:
        text = raw.decode("latin-1") if isinstance(raw, bytes) else str(raw)
        words = text.split()
        if words[:1] == ["Basic"] and len(words) == 2:
            with contextlib.suppress(ValueError):
                text += base64.b64decode(words[1]).decode("latin-1")
        parts[str(name).lower()] = text
    _requests.append(Request(str(url), parts))


def token_for(request: Request) -> dict[str, Any]:
    """An answer for those who fetch a token first: it names the keys that it was given for."""
    keys = sorted(set(re.findall(r"nixcfg-[a-z0-9-]+-end", " ".join(request.parts.values()))))
    text = "token-for-" + "-and-".join(keys)
    never = 4102444800
    expiry = {"expires_in": 3600, "expires_at": never * 1000, "expiration": never, "exp": never}
    return {"access_token": text, "tok": text, "token_type": "Bearer", **expiry}


def catch_requests() -> None:
    """Replace the sending end of every HTTP client that LiteLLM uses."""
    import httpx
    import requests
    from botocore.httpsession import URLLib3Session

    def httpx_send(_: Any, request: httpx.Request, **__: Any) -> httpx.Response:
        body = request.read() if isinstance(request.stream, httpx.SyncByteStream) else b""
        record(request.url, request.headers.items(), body)
        if _requests[-1].aside:
            return httpx.Response(200, json=token_for(_requests[-1]), request=request)
        raise httpx.ConnectError("the network is cut", request=request)

    async def httpx_send_async(_: Any, request: httpx.Request, **__: Any) -> httpx.Response:
        return httpx_send(_, request)

    def requests_send(_: Any, request: Any, **__: Any) -> NoReturn:
        record(request.url, request.headers.items(), request.body)
        raise requests.ConnectionError("the network is cut")

    def botocore_send(_: Any, request: Any) -> NoReturn:
        record(request.url, request.headers.items(), request.body)
        raise OSError("the network is cut")

    httpx.Client.send = httpx_send  # type: ignore[method-assign, assignment]
    httpx.AsyncClient.send = httpx_send_async  # type: ignore[method-assign, assignment]
    requests.Session.send = requests_send  # type: ignore[method-assign, assignment]
    URLLib3Session.send = botocore_send


def watch_environment() -> None:
    """Note the names that this thread looks up (loggers work in others)."""
    watched = threading.get_ident()
    original = os._Environ.__getitem__  # noqa: SLF001 - there is no other way to see reads

    def getitem(self: Any, key: Any) -> Any:
        if threading.get_ident() == watched and isinstance(key, str):
            _read.add(key)
        return original(self, key)

    os._Environ.__getitem__ = getitem  # type: ignore[method-assign]  # noqa: SLF001


def skip_reports() -> None:
    """Three thousand calls fail, and nobody reads what LiteLLM would write about each."""
    from litellm.litellm_core_utils.litellm_logging import Logging

    logging.disable(logging.CRITICAL)
    Logging.failure_handler = lambda *_, **__: None  # type: ignore[method-assign]
    traceback.format_exc = lambda *_, **__: ""  # type: ignore[assignment]
    time.sleep = lambda _: None


@contextlib.contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)


# --- calls ---------------------------------------------------------------------------------------


def endpoints() -> dict[str, Callable[..., Any]]:
    """The kinds of call to try, until one knows the provider."""
    import litellm

    hello = {"messages": [{"role": "user", "content": "hello"}]}
    return {
        "chat": lambda **p: litellm.completion(**hello, **p),
        "embedding": lambda **p: litellm.embedding(input=["hello"], **p),
        "rerank": lambda **p: litellm.rerank(query="hello", documents=["hello"], **p),
        "image_generation": lambda **p: litellm.image_generation(prompt="hello", **p),
        "audio_speech": lambda **p: litellm.speech(input="hello", voice="alloy", **p),
        "audio_transcription": lambda **p: litellm.transcription(file=("a.wav", b"RIFF"), **p),
    }


class Bench:
    """One provider under test."""

    def __init__(self, name: str, samples: Mapping[str, str]) -> None:
        self.name = name
        self.memory: dict[Any, Outcome] = {}
        self.chat = self._knows("chat")
        # Some providers want a certain form of name, or are for something else than chat; a call
        # that is never sent teaches nothing.
        for kind in endpoints():
            if not self._knows(kind):
                continue
            names = [samples[kind]] if kind in samples else []
            for self.model in (
                [*names, *PLACEHOLDERS] if kind == "chat" else [*names, *PLACEHOLDERS][:1]
            ):
                if self.run(self.discover()).sent or self.run((), api_base=BASE, api_key=KEY).sent:
                    return
        self.kind, self.model = "chat", PLACEHOLDERS[0]

    @property
    def ever_sent(self) -> bool:
        return any(outcome.sent for outcome in self.memory.values())

    def _knows(self, kind: str) -> bool:
        self.kind, self.model = kind, PLACEHOLDERS[0]
        error = self.run(()).error
        return not re.search(r"Unmapped LLM|LLMUnknownProvider|rovider not supported", error)

    def discover(self) -> frozenset[str]:
        """Variables that the call looks for; a value for one leads to the next."""
        names: set[str] = set()
        for _ in range(5):
            addresses = {name for name in names if ADDRESS.search(name)}
            read: set[str] = set()
            for values in (names, addresses, names - addresses):
                read |= self.run(values).read
            new = {n for n in read if NAME.match(n) and INTERESTING.search(n)} - names
            new = {n for n in new if not IGNORED.search(n)}
            if not new:
                break
            names |= new
        return frozenset(names)

    def run(self, names: Iterable[str], **params: Any) -> Outcome:
        """The call with these variables set, each to its own value, and nothing else."""
        names = frozenset(names)
        known = (self.kind, self.model, names, tuple(sorted(params.items())))
        if known not in self.memory:
            self.memory[known] = self._run(names, params)
        return self.memory[known]

    def _run(self, names: frozenset[str], params: Mapping[str, Any]) -> Outcome:
        import litellm

        litellm.in_memory_llm_clients_cache.flush_cache()
        _requests.clear()
        _read.clear()
        error = ""
        call = endpoints()[self.kind]
        model = f"{self.name}/{self.model}"
        options: dict[str, Any] = {"num_retries": 0, "max_retries": 0, "timeout": 5, **params}
        with variables({name: value(name) for name in names}), quiet():
            try:
                call(model=model, **options)
            except Exception as problem:  # noqa: BLE001 - whatever it is, it is the finding
                error = f"{type(problem).__name__}: {problem}"
                if "'max_retries'" in error:
                    del options["max_retries"]
                    with contextlib.suppress(Exception):
                        call(model=model, **options)
        return Outcome(tuple(_requests), error, frozenset(_read))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield


# --- findings ------------------------------------------------------------------------------------


class Findings:
    """What a bench shows about one provider."""

    def __init__(self, bench: Bench, params: frozenset[str]) -> None:
        self.bench = bench
        self.params = params
        names = bench.discover()
        self.openai = "openai" in bench.name and bench.name not in GENERIC
        self.prefix = re.sub(r"[^A-Z0-9]", "_", bench.name.upper()) + "_"
        self.fallback = not self.openai and OPENAI in names
        if not self.openai:
            # Every OpenAI-compatible client looks for these. What matters is whether the key goes
            # to a third party; where a call without an address goes is seen from its URL.
            names = frozenset(n for n in names if not n.startswith("OPENAI_"))
        self.names = names
        self.secrets = frozenset(n for n in names if SECRET.search(n))
        self.addresses = frozenset(n for n in names if ADDRESS.search(n))
        # An address, for providers that have neither a variable for it nor a default.
        self.given: dict[str, str] = {}
        self.tiers = self._tiers()
        if not self.tiers:
            self.given = {"api_base": BASE}
            self.tiers = self._tiers()
        self.sets = [self._smallest(number) for number in range(len(self.tiers))]
        self.first = self._preferred()
        self.wanted = frozenset() if self.first is None else self.sets[self.first]

    def facts(self) -> dict[str, Any]:
        base = self._base()
        keyless = self._sends_without_key()
        own = self._needs_no_key(base)
        wanted = set(self.wanted)
        if base.get("required") and base.get("variable") and not wanted & self.addresses:
            wanted.add(base["variable"])
        optional = self._optional(base)
        found: dict[str, Any] = {
            "chat": self.bench.chat,
            "credentials": [
                self._credential(
                    name, required=name in wanted and not (own and name in self.secrets)
                )
                for name in (*self._ordered(wanted), *self._ordered(optional - wanted))
            ],
            "api_base": base,
        }
        others = [
            self._ordered(names) for number, names in enumerate(self.sets) if number != self.first
        ]
        if others:
            found["alternatives"] = others
        competing = self._competing()
        if competing:
            found["competing"] = competing
        if self.fallback and self._uses_openai_key():
            found["falls_back_to"] = OPENAI
        if keyless:
            found["sends_without_key"] = True
        return found

    # --- keys

    def _tiers(self) -> list[frozenset[str]]:
        """Secrets by preference: those seen together, then those seen without them, and so on."""
        others = self.names - self.secrets
        left, tiers = set(self.secrets), list[frozenset[str]]()
        while left:
            seen = self.bench.run(others | left, **self.given).shows(left)
            if not seen:
                break
            tiers.append(frozenset(seen))
            left -= seen
        # A key that goes into a library rather than into a request hides those behind it.
        for name in sorted(left):
            if self.bench.run(others | {name}, **self.given).shows({name}):
                tiers.append(frozenset({name}))
        return tiers

    def _smallest(self, number: int) -> frozenset[str]:
        """The fewest variables with which a call is sent with the keys of this tier."""
        tier = self.tiers[number]
        # Tiers beyond the first are what is seen without those before it.
        names = set(self.names).difference(*self.tiers[:number])

        def works(chosen: set[str]) -> bool:
            outcome = self.bench.run(chosen, **self.given)
            text = "" if outcome.call is None else "\n".join(outcome.call.parts.values())
            return any(tag(n) in text for n in tier) and not self._astray(outcome)

        if not works(names):
            names = {*(self.names - self.secrets), *tier}
        for name in sorted(tier):
            if works({name}):
                return frozenset({name})
        # The least telling names go first, so that WATSONX_PROJECT_ID outlives PROJECT_ID.
        for name in sorted(names, key=self._telling):
            if works(names - {name}):
                names = names - {name}
        return frozenset(names)

    def _astray(self, outcome: Outcome) -> bool:
        """Sent to no host at all, or to OpenAI's for want of another."""
        host = urlsplit(outcome.url).hostname or ""
        lost = "." not in host and not is_local(outcome.url)
        return lost or (host == OPENAI_HOST and not self.openai)

    def _telling(self, name: str) -> tuple[bool, bool, bool, int, str]:
        own = name.startswith(self.prefix)
        address = name in self.addresses
        known = name in self._documented()
        return not address, known, own, -len(name) if own else len(name), name

    def _documented(self, name: str = "") -> frozenset[str]:
        """The variables that LiteLLM's own check names, where it knows the provider."""
        import litellm

        with quiet(), contextlib.suppress(Exception):
            found = litellm.validate_environment(f"{name or self.bench.name}/{self.bench.model}")
            return frozenset(found["missing_keys"])
        return frozenset()

    def _preferred(self) -> int | None:
        """The set to ask a user for: by LiteLLM's own check, by the provider's name, or the first.

        Not always the one that wins: GOOGLE_API_KEY beats GEMINI_API_KEY, but may be there for
        something else.
        """
        if not self.sets:
            return None
        documented = self._documented()
        family = self._documented(self.bench.name.partition("_")[0])

        def rank(number: int) -> tuple[int, bool, int, bool, int]:
            names = self.sets[number]
            own = self.prefix + "API_KEY" in names
            general = any(name.endswith("_API_KEY") for name in names)
            return len(names & documented), own, len(names & family), general, -number

        return max(range(len(self.sets)), key=rank)

    def _competing(self) -> list[list[str]]:
        """Pairs (winner, loser): variables of which only one is used when both are set."""
        keys = [min(tier, key=lambda n: ("SESSION" in n, n)) for tier in self.tiers]
        pairs = [list(pair) for pair in itertools.pairwise(keys)]
        left, last = set(self.addresses), None
        for _ in self.addresses:
            seen = self.bench.run((self.names - self.addresses) | left).shows(left)
            if len(seen) != 1:
                break
            (name,) = seen
            if last:
                pairs.append([last, name])
            last = name
            left -= seen
        return pairs

    def _uses_openai_key(self) -> bool:
        chosen = (self.names - self.secrets) | {OPENAI}
        return bool(
            self.bench.run(chosen).shows({OPENAI})
            or self.bench.run({OPENAI}, api_base=BASE).shows({OPENAI})
        )

    def _sends_without_key(self) -> bool:
        chosen = self.names - self.secrets
        outcome = self.bench.run(chosen, **self.given)
        if not outcome.sent and not self.addresses:
            outcome = self.bench.run(chosen, api_base=BASE)
        return outcome.sent

    def _needs_no_key(self, base: Mapping[str, Any]) -> bool:
        """A server of one's own: on this machine by default, or given a placeholder for a key."""
        chosen = self.names - self.secrets
        given = {} if base.get("variable") else {"api_base": BASE}
        outcome = self.bench.run(chosen, **given)
        placeholder = any(
            re.fullmatch(r"Bearer (?!None).+", request.parts.get("authorization", ""))
            for request in outcome.requests
        )
        default = base.get("default")
        return outcome.sent and (is_local(default) or (placeholder and default is None))

    def _optional(self, base: Mapping[str, Any]) -> frozenset[str]:
        """Further variables that show in the call, none of them another way to authenticate."""
        others = {base["variable"]} if base.get("required") and base.get("variable") else set()
        plain = self.bench.run(self.wanted | others, **self.given)
        used = frozenset().union(*self.sets)
        found = set()
        for name in self.names - used:
            outcome = self.bench.run(self.wanted | others | {name}, **self.given)
            if value(name) == REGION:
                if REGION in outcome.url and REGION not in plain.url:
                    found.add(name)
            elif outcome.shows({name}) and outcome.shows(self.wanted) == plain.shows(self.wanted):
                found.add(name)
        return frozenset(found)

    # --- parameters

    def _credential(self, name: str, *, required: bool) -> dict[str, Any]:
        found: dict[str, Any] = {"variable": name}
        param = self._param(name)
        if param:
            found["param"] = param
        if required:
            found["required"] = True
        if SECRET.search(name):
            found["secret"] = True
        return found

    def _param(self, name: str) -> str | None:
        """The litellm_params key that puts its value where the variable's would be."""
        others = set(self.wanted)
        for names in self.sets:
            if name in names:
                others = set(names)
                break
        with_it = self.bench.run(others | {name}, **self.given)
        others -= {name}
        places = with_it.places(name)
        for param in self._param_names(name):
            outcome = self.bench.run(others, **{**self.given, param: value(name)})
            if value(name) == REGION:
                if REGION in outcome.url and REGION in with_it.url:
                    return param
            elif places and outcome.places(name) == places:
                return param
        if not places and with_it.sent:
            # Secrets that only sign: LiteLLM takes such keys from its params all or none.
            given = {p: value(n) for n in (*others, name) if (p := n.lower()) in self.params}
            if name.lower() in given and self.bench.run((), **self.given, **given).sent:
                return name.lower()
        return None

    def _param_names(self, name: str) -> list[str]:
        """Candidates: the variable's name, its tail, a longer form, the general key."""
        lower = name.lower()
        words = lower.split("_")
        tails = ["_".join(words[start:]) for start in range(len(words))]
        found = [tail for tail in tails if tail in self.params]
        found += sorted(p for p in self.params if p.startswith(f"{lower}_"))
        if ADDRESS.search(name):
            # base_url is another word for it, where there is no parameter of the variable's name.
            found = [*(p for p in found if p == lower), "api_base", *found]
        elif SECRET.search(name):
            found.append("api_key")
        return found

    def _ordered(self, names: Iterable[str]) -> list[str]:
        return sorted(names, key=lambda n: (n not in self.secrets, n))

    # --- address

    def _base(self) -> dict[str, Any]:  # noqa: C901, PLR0912 - one branch a finding
        found: dict[str, Any] = {}
        variable = self._base_variable()
        if variable:
            found["variable"] = variable
        names = self.wanted - self.addresses
        key = {} if self.tiers else {"api_key": KEY}
        given = self.bench.run(names, api_base=BASE, **key)
        appended = given.url.removeprefix(BASE).partition("?")[0]
        if given.url.startswith(BASE):
            found["appends"] = appended.replace(self.bench.model, "{model}")
            slash = self.bench.run(names, api_base=BASE + "/", **key).url
            found["slash"] = "//" not in slash.partition("://")[2]
            also = []
            for end in [m.start() for m in re.finditer("/", appended + "/")][1:]:
                ending = appended[:end]
                outcome = self.bench.run(names, api_base=BASE + ending, **key)
                if outcome.url.partition("?")[0] == BASE + appended:
                    also.append(ending.replace(self.bench.model, "{model}"))
            if also:
                found["also"] = also
        plain = self.bench.run(names, **key)
        if not given.sent and not plain.sent:
            return found
        if self.fallback and not self.wanted and not plain.sent:
            plain = self.bench.run({OPENAI})
        url = plain.url.partition("?")[0]
        host = urlsplit(url).hostname or ""
        if host == OPENAI_HOST and not self.openai:
            found["sent_to"] = host
            found["required"] = True
        elif "." not in host and not is_local(url):
            # One that asks its own host for a file of the model's has an address after all.
            if not any("/raw/" in request.url for request in plain.requests):
                found["required"] = True
        else:
            for name in names:
                url = url.replace(tag(name), f"{{{name}}}")
            if given.url.startswith(BASE) and url.endswith(appended):
                found["default"] = url.removesuffix(appended) if appended else url
                found["path"] = urlsplit(found["default"]).path.rstrip("/")
            else:
                found["default"] = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
        return found

    def _base_variable(self) -> str | None:
        seen = self.bench.run(self.names).shows(self.addresses)
        if not seen:
            return None
        if self.wanted & self.addresses:
            return min(self.wanted & self.addresses)
        own = self.prefix + "API_BASE"
        rest = self.names - seen
        if own in self.names and self.bench.run(rest | {own}).shows({own}):
            return own
        return min(seen)


def is_local(url: str | None) -> bool:
    host = urlsplit(url or "").hostname or ""
    return host in ("localhost", "127.0.0.1", "0.0.0.0")  # noqa: S104 - a name to recognise


def samples() -> dict[str, dict[str, str]]:
    """A catalogue model of each kind for each provider."""
    import litellm

    found: dict[str, dict[str, str]] = {}
    for key, facts in sorted(litellm.model_cost.items()):
        if isinstance(facts, dict) and facts.get("mode") and "$" not in key and "*" not in key:
            provider = str(facts.get("litellm_provider"))
            name = key.removeprefix(f"{provider}/")
            found.setdefault(provider, {}).setdefault(str(facts["mode"]), name)
    return found


def read_in_source(name: str) -> list[dict[str, Any]]:
    """For providers that none of the calls reaches: variables that their own code looks up."""
    import litellm

    folder = Path(litellm.__file__).parent / "llms" / name
    text = "\n".join(file.read_text("utf-8") for file in sorted(folder.rglob("*.py")))
    if "BaseAWSLLM" in text:
        keys = ("aws_access_key_id", "aws_secret_access_key")
        return [
            {"variable": key.upper(), "param": key, "secret": True, "required": True}
            for key in keys
        ]
    lookup = r"(?:get_secret|get_secret_str|getenv|environ\.get)\(\s*\"([A-Z0-9_]+)\""
    found: list[dict[str, Any]] = []
    for variable in dict.fromkeys(re.findall(lookup, text)):
        if SECRET.search(variable):
            first = not any(item.get("secret") for item in found)
            fact = {"variable": variable, "param": "api_key", "secret": True}
            found.append({**fact, "required": True} if first else fact)
        elif ADDRESS.search(variable):
            found.append({"variable": variable, "param": "api_base"})
    return sorted(found, key=lambda item: (not item.get("secret"), item["variable"]))


def provider_names() -> set[str]:
    import litellm
    from litellm.llms.openai_like.json_loader import JSONProviderRegistry

    return {p.value for p in litellm.provider_list} | set(JSONProviderRegistry.list_providers())


def probe(params: Iterable[str], only: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Facts about every provider; ``params`` are the known keys of litellm_params."""
    import litellm
    from litellm.constants import (
        PROVIDERS_THAT_AUTHENTICATE_ON_PROVIDER_INFO as ASKING,
    )

    skip_reports()
    litellm.suppress_debug_info = True
    litellm.disable_hf_tokenizer_download = True
    litellm.drop_params = True  # or `timeout` is an error for some
    catch_requests()
    watch_environment()
    models = samples()
    found: dict[str, Any] = {}
    for name in sorted(only or provider_names()):
        if name in UNPROBED:
            found[name] = UNPROBED[name]
        elif name in ASKING:
            found[name] = {"chat": True, "credentials": [], "api_base": {}}
            found[name]["interactive_login"] = True
        else:
            bench = Bench(name, models.get(name, {}))
            found[name] = Findings(bench, frozenset(params)).facts()
            if not found[name]["credentials"] and not bench.ever_sent:
                found[name]["credentials"] = read_in_source(name)
    return found


if __name__ == "__main__":
    cut_network()
    request = json.load(sys.stdin)
    json.dump(probe(request["params"], frozenset(request.get("only", ()))), sys.stdout)
