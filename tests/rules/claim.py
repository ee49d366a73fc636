"""A rule's claim about LiteLLM, put to the oracle, and judged by what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Claim:
    """`holds` looks at what LiteLLM did with the bad and with the good example."""

    holds: Callable[[Answer, Answer], bool]
    ask: str | None = None
    times: int = 1
    status: int = 200
    env: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] | None = None
    more: str = ""
    change: tuple[str, str] = ("", "")
    tags: tuple[str, ...] = ()


def stops(bad: Answer, good: Answer) -> bool:
    return bad["error"] is not None and good["error"] is None


def stops_with(text: str) -> Callable[[Answer, Answer], bool]:
    return lambda bad, good: text in (bad["error"] or "") and good["error"] is None


def drops(bad: Answer, good: Answer) -> bool:
    return bad["error"] is None and bad["loaded"] == 0 and good["loaded"] == 1


def key(answer: Answer) -> str:
    """The key that reached the vendor."""
    return next(iter(answer["sent"][0]["keys"].values()), "")


def refused(answer: Answer) -> int:
    """How many requests crossed a budget."""
    return sum("crossed budget" in reply for reply in answer["replies"])


def url(answer: Answer) -> str:
    return str(answer["sent"][0]["url"])


def question(claim: Claim, example: Any) -> dict[str, Any]:
    """The example as LiteLLM would be given it: a provider file, alone, with what it includes."""
    files = {"config.yaml": example} if isinstance(example, str) else dict(example)
    name = next(n for n in files if n == "config.yaml" or n.startswith("providers/"))
    asked: dict[str, Any] = {"ask": claim.ask, "times": claim.times} if claim.ask else {}
    if claim.tags:
        asked["tags"] = list(claim.tags)
    if claim.request:
        asked["request"] = claim.request
    return {
        "text": files.pop(name).replace(*claim.change) + claim.more,
        "files": {n: text for n, text in files.items() if "/" not in n},
        "env": {"TEAM_KEY": "x", **claim.env},
        "status": claim.status,
        **asked,
    }
