"""The cases of a project: tests/*.yaml as frozen values. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nixcfg.problems.problem import Problem, Steps
from nixcfg.project import shape
from nixcfg.trial import mistakes, trim
from nixcfg.trial.vendors.base import Good
from nixcfg.yamltext.document import Document

FOLDER = "tests"
"""Where the cases of a project are."""
CHAT = "/v1/chat/completions"
_SAYS = ("A stand-in ", "for the vendor ", "answers.")
_PROMPT_TOKENS, _COMPLETION_TOKENS = 12, 9


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a vendor does with a request. `status` 200 is a good answer, None of `times` means for
    ever; `delay` is in seconds, `retry_after` too; `cut` counts the pieces before the break.
    `refuses` is why the vendor wants no such prompt, "" for none; `down` gives no answer at all."""

    good: Good
    status: int = 200
    refuses: str = ""
    down: bool = False
    retry_after: int | None = None
    delay: float = 0.0
    cut: int | None = None
    body: str | None = None
    times: int | None = None

    @property
    def fails(self) -> bool:
        """Whether LiteLLM may ask again because of it."""
        return self.status != 200 or self.down or bool(self.refuses) or self.body is not None


@dataclass(frozen=True, slots=True)
class Step:
    """One request, sent `repeat` times `after` so many seconds, and what is expected of the last
    answer. `path` is where the expectation is in the document."""

    request: Mapping[str, Any]
    expect: Mapping[str, Any]
    repeat: int
    path: Steps
    after: float = 0.0

    @property
    def route(self) -> str:
        """The path of the gateway that is asked."""
        return str(self.request.get("path", CHAT))

    @property
    def body(self) -> Mapping[str, Any]:
        """The body that is sent."""
        body: dict[str, Any] = {}
        for key in ("model", "messages", "stream"):
            if key in self.request:
                body[key] = self.request[key]
        if "prompt" in self.request:
            text = self.request["prompt"]
            body |= _asking(self.route, text)
        if "tags" in self.request:
            body["metadata"] = {"tags": self.request["tags"]}
        return {**body, **self.request.get("body", {})}


def _asking(route: str, text: str) -> Mapping[str, Any]:
    if route.endswith(("/embeddings", "/responses", "/moderations")):
        return {"input": text}
    if route.endswith("/audio/speech"):
        return {"input": text, "voice": "alloy"}
    if route.endswith("/rerank"):
        return {"query": text, "documents": [text]}
    if route.endswith(("/images/generations", "/transcriptions", "/translations")):
        return {"prompt": text}
    if route.endswith("/chat/completions") or not route.endswith("/completions"):
        tokens = {"max_tokens": 100} if route.endswith("/messages") else {}
        return {"messages": [{"role": "user", "content": text}], **tokens}
    return {"prompt": text}


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `vendors` has the behaviours, in order, by one of Deployment.names or a host;
    `config` is "" for the configuration that the container loads."""

    name: str
    config: str
    vendors: Mapping[str, tuple[Behaviour, ...]]
    steps: tuple[Step, ...]
    document: Document
    path: Steps
    lost: frozenset[Steps] = frozenset()
    """Where in the document something is left out that its schema refuses."""

    @property
    def skips(self) -> bool:
        """Whether there is a time to be skipped, such as LiteLLM's own before it tries again, or an
        end of work to be waited for between two requests."""
        behaviours = [each for given in self.vendors.values() for each in given]
        waits = any(each.delay or each.fails for each in behaviours)
        waits |= any(step.after for step in self.steps)
        return waits or sum(step.repeat for step in self.steps) > 1


def read(document: Document) -> tuple[list[Case], list[Problem]]:
    """The cases of one file, and what is wrong with them in themselves. A case with a mistake has
    all that is right in it, so that the names in it can be looked up; it is not to be run."""
    problems = [*document.problems, *shape.check(document, "case")]
    left, lost = trim.trim(document.data)
    cases = []
    for index, each in enumerate(left.get("cases", ())):
        path = ("cases", index)
        problems += mistakes.of_case(document, each, path, lost)
        cases.append(_case(document, each, path, left.get("config", ""), lost))
    return cases, [*problems, *mistakes.twice(cases)]


def _case(
    document: Document, data: Mapping[str, Any], path: Steps, config: str, lost: frozenset[Steps]
) -> Case:
    if "steps" in data:
        steps = tuple(
            _step(step, (*path, "steps", index)) for index, step in enumerate(data["steps"])
        )
    else:
        steps = (_step(data, path),)
    return Case(
        name=data["name"],
        config=data.get("config", config),
        vendors={
            name: tuple(map(_behaviour, given))
            if isinstance(given, list)
            else (_behaviour(given or {}, is_alone=True),)
            for name, given in data.get("vendors", {}).items()
        },
        steps=steps,
        document=document,
        path=path,
        lost=lost,
    )


def _step(data: Mapping[str, Any], path: Steps) -> Step:
    return Step(
        request=data.get("request", {}),
        expect=data.get("expect", {}),
        repeat=data.get("repeat", 1),
        path=(*path, "expect"),
        after=data.get("after", 0.0),
    )


def _behaviour(data: Mapping[str, Any], *, is_alone: bool = False) -> Behaviour:
    says = data.get("says", _SAYS)
    body = data.get("body")
    tool = data.get("tool")
    tokens = data.get("tokens", {})
    return Behaviour(
        good=Good(
            pieces=(says,) if isinstance(says, str) else tuple(says),
            tool=(tool["name"], tool.get("arguments", {})) if tool else None,
            prompt_tokens=tokens.get("prompt", _PROMPT_TOKENS),
            completion_tokens=tokens.get("completion", _COMPLETION_TOKENS),
        ),
        status=data.get("status", 200),
        refuses=data.get("refuses", ""),
        down=data.get("down", False),
        retry_after=data.get("retry_after"),
        delay=data.get("delay", 0.0),
        cut=data.get("cut"),
        body=body if body is None or isinstance(body, str) else json.dumps(body),
        times=data.get("times", None if is_alone else 1),
    )


USUAL = _behaviour({}, is_alone=True)
"""What a vendor does that no case names: it answers well."""
