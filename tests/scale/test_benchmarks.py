"""The benchmarks of the gateway, in short and whatever else the machine does: every question is
answered."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import services

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import arrivals
import bed
import front
from speed import KINDS

WHOLE = re.compile(rb'end_turn|\[DONE\]|"stop"|"embedding"')


@pytest.fixture(scope="module")
def machine(litellm) -> Iterator[bed.Bed]:  # noqa: ARG001
    absent = services.absent("redis-server", "postgresql")
    if reason := arrivals.absent() or front.absent() or absent:
        pytest.skip(reason)
    with bed.bed() as laid:
        yield laid


def test_every_question_is_answered(machine):
    """Whole and by the kind of answer that it wants, however slow this machine is just now."""
    with machine.running(bed.Setup(redis=True, postgres=True)) as running:
        for question in {kind.question.body["model"]: kind.question for kind in KINDS}.values():
            request = Request(
                f"{running.target.base}{question.path}",
                json.dumps(question.body).encode(),
                {
                    "Content-Type": "application/json",
                    "Authorization": f"Bearer {running.target.key}",
                },
            )
            with urlopen(request, timeout=60) as answer:
                assert answer.status == 200
                assert WHOLE.search(answer.read()), question


def test_arrivals_are_answered_and_logged(machine):
    target = arrivals.Target(f"{machine.vendor}/at-once", "none")
    answers, _, _ = arrivals.ask(target, bed.PLAIN, 20.0, 3.0, lambda: None)
    assert answers.times, answers
    assert not answers.failed
