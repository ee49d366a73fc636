"""What clients saw of a failure, made a row of a table. Pure."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

COLUMNS = (
    "what fails",
    "for",
    "plain requests failed",
    "streams failed",
    "with",
    "slowest answer",
    "afterwards",
    "spend in the database",
)
_MESSAGE = re.compile(r'"message": ?"(?:litellm\.)?([^"\\]*)')
#: What differs from one request to the next.
_NUMBER = re.compile(r"\b\d{2,}\b")
_LENGTH = 45


class Outcome(Protocol):
    """A request, as tests/scale/load.py records it: when it began and how long it took, in
    seconds, and `fault`, empty for a whole answer."""

    @property
    def begin(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def is_stream(self) -> bool: ...
    @property
    def fault(self) -> str: ...


@dataclass(frozen=True)
class Aftermath:
    """`began` and `ended` are when the failure did, by the clock of the outcomes; `spent` are the
    rows of spend in the database, None where there is none."""

    outcomes: Sequence[Outcome]
    began: float
    ended: float
    spent: int | None = None

    @property
    def meanwhile(self) -> list[Outcome]:
        """The requests that were under way in its time, or begun in it."""
        return [
            each
            for each in self.outcomes
            if each.begin < self.ended and each.begin + each.seconds >= self.began
        ]

    @property
    def afterwards(self) -> list[Outcome]:
        return [each for each in self.outcomes if each.begin >= self.ended]

    def row(self, name: str) -> tuple[str, ...]:
        answered = [each.seconds for each in self.meanwhile if not each.fault]
        whole = sum(not each.fault for each in self.outcomes)
        return (
            name,
            f"{self.ended - self.began:.0f} s",
            _failed([each for each in self.meanwhile if not each.is_stream]),
            _failed([each for each in self.meanwhile if each.is_stream]),
            _reasons([*self.meanwhile, *self.afterwards]),
            f"{max(answered):.1f} s" if answered else "none",
            self._recovery(),
            "" if self.spent is None else f"{self.spent} of {whole}",
        )

    def _recovery(self) -> str:
        failed = [each for each in self.afterwards if each.fault]
        if not self.afterwards:
            return "none was begun"
        if not failed:
            return f"all {len(self.afterwards)} answered"
        last = max(each.begin for each in failed)
        well = [each for each in self.afterwards if not each.fault and each.begin > last]
        count = f"{len(failed)} of {len(self.afterwards)} failed"
        if not well:
            return f"{count}, to the end"
        return f"{count}, none begun later than {last - self.ended:.0f} s after"


def _failed(outcomes: Sequence[Outcome]) -> str:
    return f"{sum(bool(each.fault) for each in outcomes)} of {len(outcomes)}"


def _reasons(outcomes: Sequence[Outcome]) -> str:
    faults: dict[str, list[float]] = defaultdict(list)
    for each in outcomes:
        if each.fault:
            faults[reason(each.fault)].append(each.seconds)
    most_first = sorted(faults.items(), key=lambda fault: -len(fault[1]))
    said = [f"{len(after)} x {why}, after {_span(after)} s" for why, after in most_first]
    return "; ".join(said) or "none"


def _span(seconds: Sequence[float]) -> str:
    least, most = f"{min(seconds):.0f}", f"{max(seconds):.0f}"
    return least if least == most else f"{least} to {most}"


def reason(fault: str) -> str:
    """A fault of an outcome in few words: the status and what LiteLLM says of it, or how the
    connection ended."""
    status = re.match(r"status (\d+)", fault)
    message = _MESSAGE.search(fault)
    said = f" `{_NUMBER.sub('N', message[1])[:_LENGTH].strip()}`" if message else ""
    if status:
        return f"{status[1]}{said}"
    if fault.startswith("a stream that breaks off"):
        return f"a stream without its end{said}"
    if fault.startswith("TimeoutError"):
        return "no answer"
    kind = fault.partition(":")[0]
    return {
        "ConnectionRefusedError": "connection refused",
        "ConnectionResetError": "connection closed",
        "RemoteDisconnected": "connection closed",
        "IncompleteRead": "a stream that breaks off",
    }.get(kind, kind)


def table(rows: Sequence[Sequence[Any]]) -> str:
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
