"""The benchmarks of the gateway, in short and whatever else the machine does: every question is
answered, and workers that are replaced all the time lose no request."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import services

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import arrivals
import bed
import endure
import front
from speed import KINDS

SECONDS = 120.0
RECYCLE = 100


@pytest.fixture(scope="module")
def machine(litellm) -> Iterator[bed.Bed]:  # noqa: ARG001
    absent = services.absent("redis-server", "postgresql")
    if reason := arrivals.absent() or front.absent() or absent:
        pytest.skip(reason)
    with bed.bed() as laid:
        yield laid


def test_every_question_is_answered(machine):
    with machine.running(bed.Setup(redis=True, postgres=True)) as running:
        for question in {kind.question.body["model"]: kind.question for kind in KINDS}.values():
            answers, _, _ = arrivals.ask(running.target, question, 2.0, 3.0, lambda: None)
            assert answers.kept_up, (question.body["model"], answers)
            assert min(answers.times) >= 1000 * question.seconds


def test_recycling_loses_no_request(machine):
    ended = endure.endure(machine, SECONDS, RECYCLE)
    report = endure.report(ended, SECONDS)
    assert not ended.record.failed(), report
    assert ended.replaced >= 2, f"no worker was replaced, which proves nothing: {report}"
