"""One look at a running gateway: asked at a rate for some seconds, in quiet, or not at all."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import arrivals
from arrivals import Answers, Question, Target
from bed import GATEWAY, OURS, Bed, Running
from processes import Taken, Usage

#: What others may take of the gateway's core before the figures say nothing any more, and how
#: many milliseconds they may keep ours waiting each time that they want to run.
SHARE = 0.03
DELAY = 0.25
#: And how many times slower than at its best that core may be (`pace`).
SLOWEST = 2.0
ATTEMPTS = 6
SECONDS = 5.0
#: Few requests a second are asked for longer, but not for ever.
REQUESTS = 150
LONGEST = 12.0


class DisturbedError(Exception):
    """Other programs took too much of the machine; the message says how much."""


@dataclass(frozen=True)
class Probe:
    """What one look saw. CPU time in milliseconds a request, shares from 0 to 1; `slower` is how
    many times slower than at its best the gateway's core was, by which the CPU time is divided."""

    answers: Answers
    cpu: float
    slower: float
    gateway_share: float
    other_share: float

    def added(self, alone: Answers, part: float) -> float:
        """Milliseconds that a percentile is above the stand-in's, were the core at its best."""
        return (self.answers.percentile(part) - alone.percentile(part)) / self.slower


def seconds_for(rate: float) -> float:
    return min(LONGEST, max(SECONDS, REQUESTS / rate))


def probe(running: Running, question: Question, rate: float, seconds: float = 0.0) -> Probe:
    """For so many seconds, or else for as long as the rate asks for.

    Raises DisturbedError when no attempt was undisturbed, or LiteLLM is no more.
    """
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(1)
        answers, before, after = arrivals.ask(
            running.target, question, rate, seconds or seconds_for(rate), Usage.now
        )
        if running.has_ended:
            raise DisturbedError("LiteLLM ended while it was asked")
        shares, spent = after.shares(before), after.spent(before, running.pids)
        slower = running.pace.factor(before.at, after.at)
        reason = disturbed(after.taken(before), slower)
        _settle(running)
        if not reason:
            cpu = 1000 * spent / max(1, len(answers.times)) / slower
            return Probe(answers, cpu, slower, shares[GATEWAY], shares[OURS])
        print(f"  again: {reason}", file=sys.stderr)
    raise DisturbedError(reason)


def disturbed(taken: Mapping[int, Taken], slower: float) -> str:
    """Why the figures say nothing, or nothing."""
    if slower > SLOWEST:
        return f"the gateway's core was {slower:.1f} times slower than at its best"
    share = taken[GATEWAY].share if GATEWAY in taken else 0.0
    if share > SHARE:
        return f"other programs took {share:.0%} of the gateway's core"
    delay = max(each.delay for each in taken.values())
    if delay > DELAY:
        return f"for other programs ours waited {delay:.1f} ms each time"
    return ""


def baseline(bed: Bed, question: Question, rate: float) -> Answers:
    """The stand-in asked without a gateway between."""
    stand_in = Running(
        Target(f"{bed.vendor}/{question.behaviour}", "none"), {os.getpid()}, bed.pace
    )
    return probe(stand_in, question, rate).answers


def _settle(running: Running, patience: float = 20.0) -> None:
    """Until the gateway has nothing left to do of what it was asked."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        before = Usage.now()
        time.sleep(0.4)
        if Usage.now().spent(before, running.pids) < 0.03:
            return
