"""One provider under test: its calls, with chosen variables and nothing else."""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from learn import wire
from learn.wire import ADDRESS, Outcome, variables

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
KEY = "nixcfg-given-key"
# Forms of model names, for providers whose catalogue gives none.
PLACEHOLDERS = ("nixcfg-probe", "nixcfg/probe", "chat/nixcfg/probe", "nixcfg.nixcfg.probe")
BASE = "https://base.nixcfg.test/prefix"


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
            names = [*names, *PLACEHOLDERS] if kind == "chat" else [*names, *PLACEHOLDERS][:1]
            # A base of one's own lets a name pass that the provider's own host does not take.
            for sent in (self._sent_by_keys, self._sent_somewhere):
                for self.model in names:
                    if sent():
                        return
        self.kind, self.model = "chat", PLACEHOLDERS[0]

    @classmethod
    def plain(cls, name: str) -> "Bench":
        """A bench that looks for no call by itself: its user sets the kind and the model."""
        bench = cls.__new__(cls)
        bench.name, bench.memory = name, {}
        bench.kind, bench.model = "chat", PLACEHOLDERS[0]
        return bench

    def _sent_by_keys(self) -> bool:
        names = self.discover()
        return self.run({name for name in names if not ADDRESS.search(name)}).sent

    def _sent_somewhere(self) -> bool:
        return self.run(self.discover()).sent or self.run((), api_base=BASE, api_key=KEY).sent

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
            groups = [names, addresses, names - addresses]
            if not self.run(names).sent:
                # Some clients refuse two keys before they look for anything else.
                groups += [addresses | {name} for name in names - addresses]
            for values in groups:
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
        known = (self.kind, self.model, names, repr(sorted(params.items())))
        if known not in self.memory:
            self.memory[known] = self._run(names, params)
        return self.memory[known]

    def _run(self, names: frozenset[str], params: Mapping[str, Any]) -> Outcome:
        import litellm

        litellm.in_memory_llm_clients_cache.flush_cache()
        wire.caught.clear()
        wire.looked_up.clear()
        error = ""
        call = endpoints()[self.kind]
        model = f"{self.name}/{self.model}"
        options: dict[str, Any] = {"num_retries": 0, "max_retries": 0, "timeout": 5, **params}
        with variables({name: wire.value(name) for name in names}), quiet():
            try:
                call(model=model, **options)
            except Exception as problem:  # noqa: BLE001 - whatever it is, it is the finding
                error = f"{type(problem).__name__}: {problem}"
                if "'max_retries'" in error:
                    del options["max_retries"]
                    with contextlib.suppress(Exception):
                        call(model=model, **options)
        return Outcome(tuple(wire.caught), error, frozenset(wire.looked_up))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield


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
