"""Write behaviour.json: what LiteLLM makes of values that it may take in one way or another.

    python tools/measure_behaviour.py FOLDER

Each is asked of the LiteLLM that is installed beside this Python, by loading a configuration as
the proxy does at its start and sending requests to a vendor that is cut off (oracle.py). FOLDER
holds the set of knowledge. It takes half a minute.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learn import layout

HERE = Path(__file__).parent
Answer = Mapping[str, Any]


def deployment(name: Any = "first", model: str = "openai/m", **more: Any) -> dict[str, Any]:
    return {"model_name": name, "litellm_params": {"model": model, "api_key": "x", **more}}


PAIR = [deployment("first"), deployment("second", "anthropic/claude-sonnet-4-5")]


@dataclass(frozen=True, slots=True)
class Question:
    """`read` makes one word, or a truth, of what LiteLLM did."""

    config: Mapping[str, Any]
    read: Callable[[Answer], str | bool]
    times: int = 0
    status: int = 200


def starts(answer: Answer) -> bool:
    return answer["error"] is None


def loads(answer: Answer) -> bool:
    return starts(answer) and answer["loaded"] > 0


def of_fallback(answer: Answer) -> str:
    """What becomes of a request whose first model fails: the other model is asked, or it is not."""
    if not starts(answer):
        return "stops"
    return "honoured" if any("anthropic" in s["url"] for s in answer["sent"]) else "ignored"


def fallbacks(given: Any) -> Question:
    config = {"model_list": PAIR, "router_settings": {"fallbacks": given, "num_retries": 0}}
    return Question(config, of_fallback, times=1, status=500)


def cools_down(allowed: int, deployments: int) -> Question:
    """Failing requests: each deployment gets one more than allowed, or further ones."""
    models = [deployment(api_key=f"k{number}") for number in range(deployments)]
    settings = {"allowed_fails": allowed, "num_retries": 0, "cooldown_time": 60}
    config = {"model_list": models, "router_settings": settings}
    allows = (allowed + 1) * deployments

    def read(answer: Answer) -> bool:
        return starts(answer) and len(answer["sent"]) <= allows

    return Question(config, read, times=allows + 4, status=500)


def refuses_text(answer: Answer) -> str:
    """Whether a failing request is answered with the vendor's failure, or with LiteLLM's own."""
    if not starts(answer):
        return "stops"
    broken = any(
        "TypeError" in reply or "not supported between" in reply for reply in answer["replies"]
    )
    return "breaks" if broken else "coerced"


QUESTIONS: dict[str, Question] = {
    # The target of a fallback as text, as null, and fallbacks as one mapping.
    "fallback_text": fallbacks([{"first": "second"}]),
    "fallback_null": fallbacks([{"first": None}]),
    "fallback_mapping": fallbacks({"first": ["second"]}),
    # Whether router_settings.allowed_fails cools anything down.
    "allowed_fails_alone": cools_down(1, 1),
    "allowed_fails_several": cools_down(1, 2),
    "allowed_fails_three": cools_down(3, 2),
    # `model_name: 4.5`.
    "number_as_name": Question({"model_list": [deployment(4.5)]}, loads),
    # `num_retries: "3"`.
    "retries_as_text": Question(
        {"model_list": [deployment()], "router_settings": {"num_retries": "3"}},
        refuses_text,
        times=1,
        status=500,
    ),
    "login_github_copilot": Question(
        {"model_list": [deployment(model="github_copilot/gpt-4o")]}, loads
    ),
    "login_chatgpt": Question({"model_list": [deployment(model="chatgpt/gpt-5")]}, loads),
}


def answers(questions: Mapping[str, Question]) -> dict[str, Answer]:
    asked = []
    for question in questions.values():
        each: dict[str, Any] = {"text": json.dumps(question.config), "status": question.status}
        if question.times:
            each |= {"ask": "first", "times": question.times}
        asked.append(each)
    done = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, HERE / "oracle.py"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=1800,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return dict(zip(questions, lines, strict=True))


def measured() -> dict[str, str | bool]:
    """The content of behaviour.json."""
    return {name: QUESTIONS[name].read(answer) for name, answer in answers(QUESTIONS).items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    layout.write(parser.parse_args().folder, {"behaviour": measured()})
