"""The cases of a project: tests/*.yaml as frozen values. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nixcfg.problems.problem import Problem, Steps
from nixcfg.project import shape
from nixcfg.project.model import MODELS, Config
from nixcfg.project.nearest import nearest
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
    ever; `delay` is in seconds, `retry_after` too; `cut` counts the pieces before the break."""

    good: Good
    status: int = 200
    retry_after: int | None = None
    delay: float = 0.0
    cut: int | None = None
    body: str | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One request, sent `repeat` times, and what is expected of the last answer. `path` is where
    the expectation is in the document."""

    request: Mapping[str, Any]
    expect: Mapping[str, Any]
    repeat: int
    path: Steps

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
    if route.endswith(("/embeddings", "/responses")):
        return {"input": text}
    if route.endswith("/chat/completions") or not route.endswith("/completions"):
        tokens = {"max_tokens": 100} if route.endswith("/messages") else {}
        return {"messages": [{"role": "user", "content": text}], **tokens}
    return {"prompt": text}


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `vendors` has the behaviours, in order, by a provider file or a model; `config` is
    "" for the configuration that the container loads."""

    name: str
    config: str
    vendors: Mapping[str, tuple[Behaviour, ...]]
    steps: tuple[Step, ...]
    document: Document
    path: Steps


def read(document: Document) -> tuple[list[Case], list[Problem]]:
    """The cases of one file. With problems there are none."""
    problems = [*document.problems, *shape.check(document, "case")]
    if not problems and document.data is not None:
        for index, data in enumerate(document.data["cases"]):
            problems += _unclear(document, data, ("cases", index))
    if problems or document.data is None:
        return [], problems
    usual = document.data.get("config", "")
    return [
        _case(document, data, ("cases", index), usual)
        for index, data in enumerate(document.data["cases"])
    ], []


def _unclear(document: Document, data: Mapping[str, Any], path: Steps) -> Iterable[Problem]:
    if ("request" in data) == ("steps" in data):
        wrong = f"{data['name']!r} has " + (
            "both a request and steps" if "steps" in data else "no request"
        )
        yield document.problem(
            shape.WRONG_VALUE, path, wrong, help="Give it `request` and `expect`, or `steps`."
        )
    elif "steps" in data and "expect" in data:
        yield document.problem(
            shape.WRONG_VALUE,
            [*path, "expect"],
            "with steps, each step has its own expect",
            help="Move it into the step whose answer it is about.",
            key=True,
        )
    elif not any("expect" in each for each in data.get("steps", [data])):
        yield document.problem(
            shape.WRONG_VALUE,
            path,
            f"{data['name']!r} expects nothing, so it cannot fail",
            help="Add `expect`, with status, answered_by, asked, content ...",
        )


def _case(document: Document, data: Mapping[str, Any], path: Steps, config: str) -> Case:
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
            name: tuple(map(_behaviour, given if isinstance(given, list) else [given]))
            if isinstance(given, list)
            else (_behaviour(given, is_alone=True),)
            for name, given in data.get("vendors", {}).items()
        },
        steps=steps,
        document=document,
        path=path,
    )


def _step(data: Mapping[str, Any], path: Steps) -> Step:
    return Step(
        request=data["request"],
        expect=data.get("expect", {}),
        repeat=data.get("repeat", 1),
        path=(*path, "expect"),
    )


def _behaviour(data: Mapping[str, Any], *, is_alone: bool = False) -> Behaviour:
    says = data.get("says", _SAYS)
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
        retry_after=data.get("retry_after"),
        delay=data.get("delay", 0.0),
        cut=data.get("cut"),
        body=data.get("body"),
        times=data.get("times", None if is_alone else 1),
    )


USUAL = _behaviour({}, is_alone=True)
"""What a vendor does that no case names: it answers well."""


def misnamed(case: Case, config: Config) -> list[Problem]:
    """What the case says of vendors that its configuration does not have."""
    known = {
        *config.providers,
        *(each["litellm_params"]["model"] for each in config.litellm[MODELS]),
    }
    named: list[Steps] = [(*case.path, "vendors", name) for name in case.vendors]
    problems = []
    for step in case.steps:
        named += [(*step.path, "asked", name) for name in step.expect.get("asked", ())]
        by = step.expect.get("answered_by")
        if by is not None and by not in known:
            problems.append(_unknown(case, (*step.path, "answered_by"), by, known, key=False))
    problems += [
        _unknown(case, path, str(path[-1]), known, key=True)
        for path in named
        if path[-1] not in known
    ]
    return problems


def _unknown(case: Case, path: Steps, name: str, known: Iterable[str], *, key: bool) -> Problem:
    guess = nearest(name, known)
    return case.document.problem(
        shape.WRONG_VALUE,
        path,
        f"the configuration has no provider file and no model {name}",
        help=f"Did you mean {guess}?" if guess else f"There are: {', '.join(sorted(known))}.",
        key=key,
    )
