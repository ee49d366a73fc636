"""Random mistakes, judged twice: nixcfg's errors are just what LiteLLM rejects or drops.

Valid configurations with one or two values swapped, added or removed go through nixcfg, as files on
their own, and through the real LiteLLM. An error on what LiteLLM loads would be a wrong one; a
rejected file or a dropped deployment without a word would be a miss.
"""

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from rules_support import Oracle, by_itself
from test_fuzz import WORDS
from test_recall import valid

pytestmark = pytest.mark.oracle

VALUES: list[Any] = [
    *(None, True, False, 1234, 0, 1.5, -1, "abc", "3", "", "yes"),
    *([], ["x"], {}, {"x": 1}, dt.date(2026, 1, 2)),
]
# What only the machine decides: packages, a Redis, variables, a licence.
SURROUNDINGS = ("Import", "import", "module", "edis", "environment", "nterprise", "pip install")


def mutated(rng: random.Random) -> dict[str, Any]:
    data = valid(rng)
    for _ in range(rng.randint(1, 2)):
        here: Any = data
        step = rng.choice(list(data))
        while isinstance(here[step], dict | list) and here[step] and rng.random() < 0.85:
            here = here[step]
            step = rng.choice(list(here) if isinstance(here, dict) else range(len(here)))
        value = rng.choice(VALUES)
        kind = rng.random()
        if kind < 0.6 or isinstance(here, list):
            here[step] = value
        elif kind < 0.8:
            here[rng.choice(WORDS)] = value
        elif len(data) > 1:
            del here[step]
    data.pop("include", None)
    return data


def test_errors_are_what_litellm_rejects(oracle: type[Oracle], tmp_path: Path):
    texts = [yaml.safe_dump(mutated(random.Random(seed)), sort_keys=False) for seed in range(250)]
    answers = oracle.ask([{"text": text} for text in texts])
    wrong, missed, refused = [], [], 0
    for number, (text, answer) in enumerate(zip(texts, answers, strict=True)):
        told = by_itself(tmp_path / str(number), {"config.yaml": text}).problems
        errors = [(p.code, p.message) for p in told if p.is_error]
        listed = yaml.safe_load(text).get("model_list")
        wanted = len(listed) if isinstance(listed, list) else 0
        failure = answer["error"]
        bad = failure is not None or int(answer["loaded"]) < wanted  # type: ignore[call-overload]
        refused += bad
        if errors and not bad:
            wrong.append((errors, text))
        elif bad and not errors and not any(word in str(failure) for word in SURROUNDINGS):
            missed.append((failure, text))
    assert not wrong
    assert not missed
    assert refused > 30
