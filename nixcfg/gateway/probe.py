"""Ask a running gateway what its users would ask, and say in one line what an error means.

For each model the three requests of the README: plain, with a system message, streaming.
"""

import http.client
import json
import queue
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nixcfg import knowledge
from nixcfg.gateway.client import Answer, Gateway
from nixcfg.keys import keys
from nixcfg.knowledge import ModelFacts
from nixcfg.project import values, wiring
from nixcfg.project.model import MODELS, Config, Machine, Project

SLOW_SECONDS = 5.0
"""A first token that takes longer is worth a word."""
USUAL_TOKENS = 300
"""What an answer to such a question has, for an estimate of the cost."""

_QUESTION = {"role": "user", "content": "What is the meaning of life?"}
_SYSTEM = {
    "role": "system",
    "content": "You are a helpful assistant that gives concise answers.",
}
_POEM = {"role": "user", "content": "Write a short poem about coding."}

REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {"messages": [_QUESTION]},
    "system": {"messages": [_SYSTEM, _QUESTION]},
    "stream": {
        "messages": [_POEM],
        "stream": True,
        "stream_options": {"include_usage": True},
    },
}

_CHAT = (None, "chat", "responses", "completion")


@dataclass(frozen=True, slots=True)
class Target:
    """A model to ask for: who is behind it, and the key files that it depends on."""

    name: str
    deployments: tuple[str, ...] = ()
    key_files: tuple[tuple[str, str], ...] = ()
    facts: ModelFacts | None = None
    skipped: str = ""

    def cost(self, prompt: int, completion: int) -> float | None:
        """US dollars, None where the price is not known."""
        facts = self.facts
        if facts is None or facts.input_cost_per_token is None:
            return None
        return prompt * facts.input_cost_per_token + completion * (facts.output_cost_per_token or 0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request. `status` is ok, slow or failed; times are in seconds."""

    kind: str
    status: str
    http: int | None
    first: float | None
    total: float
    prompt_tokens: int
    completion_tokens: int
    message: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One model and its outcomes, in the order of REQUESTS."""

    target: Target
    outcomes: tuple[Outcome, ...]

    @property
    def has_failed(self) -> bool:
        return any(outcome.status == "failed" for outcome in self.outcomes)

    @property
    def cost(self) -> float | None:
        prompt = sum(outcome.prompt_tokens for outcome in self.outcomes)
        return self.target.cost(prompt, sum(o.completion_tokens for o in self.outcomes))


@dataclass(frozen=True, slots=True)
class Comparison:
    """The models of a configuration against those that a gateway serves."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]


def url_of(machine: Machine) -> str:
    """Where the machine's gateway is reached from itself."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(  # noqa: S104 (compared, not bound)
        machine.listen_address, machine.listen_address
    )
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{host}:{machine.port}"


def targets(project: Project, config: Config) -> list[Target]:
    """The models of a configuration, each once, in order."""
    names = list(dict.fromkeys(entry["model_name"] for entry in config.litellm[MODELS]))
    return [_target(project, config, name) for name in names]


def one_for_each_provider(project: Project, config: Config) -> list[str]:
    """The first model of each provider that can be asked: enough to try every key."""
    found = []
    for provider in project.providers:
        if provider.name in config.providers:
            asked = (_target(project, config, name) for name in provider.model_names)
            found += [target.name for target in asked if not target.skipped][:1]
    return found


def _target(project: Project, config: Config, name: str) -> Target:
    entries = [e["litellm_params"] for e in config.litellm[MODELS] if e["model_name"] == name]
    facts = [knowledge.find_model(p["model"], p.get("custom_llm_provider")) for p in entries]
    variables = dict.fromkeys(v for params in entries for v in values.references(params))
    if not variables:  # LiteLLM reads them by itself
        own = (each.variables for each in project.providers if name in each.model_names)
        variables = dict.fromkeys(sorted(v for each in own for v in each))
    mode = facts[0].mode if facts and facts[0] else None
    skipped = ""
    if "*" in name:
        skipped = "a wildcard; name a model of it with --model"
    elif mode not in _CHAT:
        skipped = f"answers no chat ({mode})"
    return Target(
        name=name,
        deployments=tuple(params["model"] for params in entries),
        key_files=tuple(
            (v, wiring.place(project.machine.key_files[v].file))
            for v in variables
            if v in project.machine.key_files
        ),
        facts=facts[0] if facts and all(each == facts[0] for each in facts) else None,
        skipped=skipped,
    )


def behind(project: Project, config: Config, name: str) -> Target:
    """What is asked for by `name`: a model of the configuration, or one that a wildcard covers."""
    known = [entry["model_name"] for entry in config.litellm[MODELS]]
    if name in known:
        return _target(project, config, name)
    pattern = next((each for each in known if "*" in each and _covers(each, name)), None)
    if pattern is None:
        return Target(name)
    found = _target(project, config, pattern)
    return Target(name, (name,), found.key_files, knowledge.find_model(name))


def compare(config: Config, served: Iterable[str]) -> Comparison:
    """`served` are the ids of /v1/models, where a wildcard stands for every model it covers."""
    served = list(served)
    names = list(dict.fromkeys(entry["model_name"] for entry in config.litellm[MODELS]))
    aliases = config.litellm.get("router_settings", {}).get("model_group_alias") or {}
    missing = [name for name in names if not _is_served(name, served)]
    unexpected = [
        name
        for name in served
        if name not in aliases and not any(_covers(pattern, name) for pattern in names)
    ]
    return Comparison(tuple(missing), tuple(unexpected))


def _is_served(name: str, served: Sequence[str]) -> bool:
    if "*" not in name:
        return name in served
    prefix = name.partition("/")[0]
    known = any(facts.mode == "chat" for facts in knowledge.models(prefix).values())
    # LiteLLM lists what it knows of a provider; for other patterns there is nothing to look for.
    return name != f"{prefix}/*" or not known or any(_covers(name, each) for each in served)


def _covers(pattern: str, name: str) -> bool:
    """Whether LiteLLM takes a model name for this one of the configuration, which may have *."""
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name))


def run(
    gateway: Gateway,
    asked: Sequence[Target],
    *,
    jobs: int,
    seconds: float,
    tick: Callable[[], None] = lambda: None,
) -> list[Row]:
    """All requests of all targets, those of one model one after the other, `jobs` models at a time.
    `tick` is called after each request.

    The workers are daemons, so that Ctrl-C waits for no vendor.
    """
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Outcome | BaseException]] = queue.SimpleQueue()
    for index in range(len(asked)):
        todo.put(index)

    def work() -> None:
        while True:
            try:
                index = todo.get_nowait()
            except queue.Empty:
                return
            for kind in REQUESTS:
                try:
                    done.put((index, ask(gateway, asked[index], kind, seconds)))
                except BaseException as error:  # noqa: BLE001 (told by the thread that waits)
                    done.put((index, error))

    for _ in range(min(jobs, len(asked))):
        threading.Thread(target=work, daemon=True).start()
    outcomes: dict[int, list[Outcome]] = {index: [] for index in range(len(asked))}
    for _ in range(len(asked) * len(REQUESTS)):
        index, outcome = done.get()
        if isinstance(outcome, BaseException):
            raise outcome
        outcomes[index].append(outcome)
        tick()
    return [Row(target, tuple(outcomes[index])) for index, target in enumerate(asked)]


@dataclass(slots=True)
class _Stream:
    """What has come of a streamed answer."""

    pieces: int = 0
    first: float | None = None
    is_complete: bool = False
    usage: dict[str, Any] = field(default_factory=dict)
    error: object = None


def ask(gateway: Gateway, target: Target, kind: str, seconds: float) -> Outcome:
    """One request. Everything that can go wrong is an outcome. `seconds` without a byte end it."""
    body = {"model": target.name, **REQUESTS[kind]}
    began = time.monotonic()
    stream = _Stream()
    answer: Answer | None = None
    problem: tuple[str, str] | None
    try:
        if kind == "stream":
            with gateway.stream("/chat/completions", body, seconds) as (head, lines):
                is_fine = head.status == 200
                answer = head if is_fine else replace(head, body=b"".join(lines))
                if is_fine:
                    _read(lines, stream, began)
        else:
            answer = gateway.post("/chat/completions", body, seconds)
    except (OSError, http.client.HTTPException) as error:
        problem = _broken(error, stream, seconds)
    else:
        problem = _problem(answer, stream, kind, target)
    total = time.monotonic() - began
    usage = stream.usage or _usage(answer)
    status = "failed" if problem else "ok"
    wait = total if stream.first is None else stream.first
    if not problem and wait > SLOW_SECONDS and kind == "stream":
        status = "slow"
        problem = (f"the first token came after {wait:.1f} s", "Try again; the vendor may be busy.")
    return Outcome(
        kind=kind,
        status=status,
        http=answer.status if answer else None,
        first=stream.first,
        total=total,
        prompt_tokens=_number(usage.get("prompt_tokens")),
        completion_tokens=_number(usage.get("completion_tokens")),
        message=problem[0] if problem else "",
        mend=problem[1] if problem else "",
    )


def _read(lines: Iterator[bytes], stream: _Stream, began: float) -> None:
    for line in lines:
        text = line.decode("utf-8", "replace").strip()
        if not text.startswith("data:"):
            continue
        text = text.removeprefix("data:").strip()
        if text == "[DONE]":
            stream.is_complete = True
            continue
        try:
            chunk = json.loads(text)
        except ValueError:
            continue
        if not isinstance(chunk, dict):
            continue
        stream.error = chunk.get("error") or stream.error
        stream.usage = chunk.get("usage") or stream.usage
        choices = chunk.get("choices") or [{}]
        if (choices[0].get("delta") or {}).get("content"):
            stream.pieces += 1
            if stream.first is None:
                stream.first = time.monotonic() - began


def _usage(answer: Answer | None) -> dict[str, Any]:
    data = answer.json() if answer and answer.status == 200 else None
    usage = data.get("usage") if isinstance(data, dict) else None
    return usage if isinstance(usage, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _broken(error: Exception, stream: _Stream, seconds: float) -> tuple[str, str]:
    if isinstance(error, TimeoutError):
        after = f" after {stream.pieces} pieces of the answer" if stream.pieces else ""
        return (
            f"no word for {seconds:g} s{after}",
            "Give it more time with --timeout, or see the gateway's log.",
        )
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there", "See `nixcfg doctor`."
    if stream.pieces:
        return f"the stream broke off after {stream.pieces} pieces", "See the gateway's log."
    return f"the connection broke: {type(error).__name__}", "See the gateway's log."


def _problem(answer: Answer, stream: _Stream, kind: str, target: Target) -> tuple[str, str] | None:
    """The vendor's error in one line, and what to do about it."""
    if answer.status == 200:
        if kind != "stream":
            return None if answer.json() else ("the answer is no JSON", "Is this LiteLLM?")
        if stream.error is not None:
            error = stream.error
            text = error.get("message") if isinstance(error, dict) else error
            code = _code(error)
            told = vendor_message(str(text))
            broke = f"the stream broke off after {stream.pieces} pieces: {told}"
            return broke, mend(code, str(text), target)
        if not stream.is_complete:
            broke = f"the stream broke off after {stream.pieces} pieces, without an end"
            return broke, "Try again; if it stays, see the gateway's log."
        return None
    data = answer.json()
    error = data.get("error") if isinstance(data, dict) else None
    text = error.get("message") if isinstance(error, dict) else None
    told = str(text or answer.body.decode("utf-8", "replace"))
    message = f"{answer.status}: {vendor_message(told) or 'no message'}"
    return message, mend(answer.status, told, target)


def _code(error: object) -> int:
    code = str(error.get("code")) if isinstance(error, dict) else ""
    return int(code) if code.isdecimal() else 500


_WRAPPING = re.compile(r"^(?:litellm\.)?\w*(?:Error|Exception)\w*(?::| -) *")
_BEHIND = re.compile(
    r"(?s)\s*(?:\n\nLiteLLM: model group|\.? ?Received Model Group=|No fallback model group found"
    r"|LiteLLM Retried:|Available Model Group Fallbacks|\.? ?Passed model=|\. Handle with `litellm"
    r").*"
)


def vendor_message(text: str) -> str:
    """What the vendor said, without LiteLLM's wrapping, on one line, keys masked.

    LiteLLM 1.106.2 writes `litellm.X: YException - {the vendor's JSON}` and more behind it.
    """
    text = _BEHIND.sub("", text)
    while (shorter := _WRAPPING.sub("", text)) != text:
        text = shorter
    text = _inner(text) or text
    line = " ".join(keys.mask(text, ()).split())
    return line if len(line) <= 200 else f"{line[:197]}..."


def _inner(text: str) -> str:
    """The message in a vendor's JSON error, "" where there is none."""
    found = re.search(r"(?s)\{.*\}", text)
    if not found:
        return ""
    raw = found[0]
    try:
        data = json.loads(raw)
    except ValueError:
        try:
            data = json.loads(raw.encode().decode("unicode_escape"))
        except ValueError:
            return ""
    for key in ("error", "message", "detail"):
        if isinstance(data, dict) and data.get(key):
            data = data[key]
    if isinstance(data, dict):
        data = data.get("message")
    return data if isinstance(data, str) else ""


RESTING = "LiteLLM rests this model after failures; try again in some seconds."
_KEY_WORDS = re.compile(r"(?i)api[ _-]?key|x-api-key|authentication|unauthori[sz]ed|credentials")
_BROKEN_WORDS = re.compile(r"(?i)payload is not completed|incomplete chunked read|without sending")
_NETWORK_WORDS = re.compile(
    r"(?i)connection error|cannot connect|connection refused|name resolution"
)
_MONEY_WORDS = re.compile(r"(?i)insufficient|billing|credit|quota|payment")


def mend(status: int, text: str, target: Target) -> str:
    """What to do about an error that came with HTTP `status`."""
    if "no healthy deployments" in text or "Invalid model name" in text:
        return (
            "LiteLLM dropped this model at its start, or runs another configuration: "
            "`nixcfg rehearse`, then `nixcfg render` and switch."
        )
    if status in (401, 403) or (status in (400, 500) and _KEY_WORDS.search(text)):
        return _refused_key(target)
    if status == 429 and "No deployments available" in text:
        return RESTING
    if status == 402 or (status in (400, 429) and _MONEY_WORDS.search(text)):
        return "The vendor wants money or a higher limit: see your account there."
    if status == 404:
        return _retired(target)
    if status >= 500 and _BROKEN_WORDS.search(text):
        return "The vendor's answer broke off in the middle: try again."
    if status >= 500 and _NETWORK_WORDS.search(text):
        return "The gateway cannot reach the vendor: see api_base, DNS and the network."
    return _MENDS.get(status) or _MENDS[500 if status >= 500 else 400]


_MENDS = {
    400: "See `nixcfg validate`, and the parameters of the deployment.",
    408: "The vendor was too slow; `timeout` in litellm_params says how long LiteLLM waits.",
    429: "Too many requests for this key: wait, or see your limits in the account there.",
    500: "The vendor's side is in trouble: try later, or give the model a fallback.",
    504: "The vendor was too slow; `timeout` in litellm_params says how long LiteLLM waits.",
}


def _refused_key(target: Target) -> str:
    if not target.key_files:
        return "The vendor refuses the key; see the deployment's api_key."
    files = " and ".join(f"{variable} in {file}" for variable, file in target.key_files)
    return f"The vendor refuses the key {files}: `nixcfg set-key {target.key_files[0][0]}`."


def _retired(target: Target) -> str:
    date = target.facts.deprecation_date if target.facts else None
    name = next(iter(target.deployments), target.name)
    prefix = name.partition("/")[0]
    when = f" (it retires on {date})" if date else ""
    return f"The vendor has no {name}{when}: `nixcfg models {prefix}/` lists those there are."
