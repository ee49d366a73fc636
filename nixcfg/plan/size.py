"""What so many requests a second need, by what one worker was measured to carry. Pure.

The measurement is carried.json beside this file, which `benchmarks/speed.py --write` makes.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nixcfg.project.model import Machine
from nixcfg.project.pools import POOL

REQUESTS_A_USER_AND_MINUTE = 1.0
"""At the busiest time. A person who chats asks less, an agent more."""
FULL = 0.5
"""How full a worker may be then, so that of two either carries all while the other restarts."""
INSTANCES = 8
"""From here on, workers are added instead: nginx asks every instance in its turn, and a switch
restarts one after the other."""


class BadAnswerError(Exception):
    """What was given is no number of requests, and no answer of Prometheus. Says why."""


@dataclass(frozen=True)
class Carried:
    """What one worker carries, in requests a second, and the MiB that it holds."""

    what: str
    rate: float
    memory: float


@dataclass(frozen=True)
class Size:
    """`memory` in MiB, `cores` of the gateway alone, `connections` to PostgreSQL."""

    instances: int
    workers: int
    memory: float
    connections: int

    @property
    def cores(self) -> int:
        return self.instances * self.workers


def carried(measured: Mapping[str, Any], *, database: bool) -> Carried:
    """The row that is most like what people ask: streams, with the database or without."""
    what = measured["typical"]["database" if database else "alone"]
    row = measured["rows"][what]
    return Carried(what, row["rate"], row["memory"])


def size(rate: float, worker: Carried, *, database: bool) -> Size:
    """What carries `rate` requests a second."""
    needed = max(1, math.ceil(rate / (worker.rate * FULL)))
    workers = math.ceil(needed / INSTANCES)
    instances = math.ceil(needed / workers)
    count = instances * workers
    return Size(instances, workers, count * worker.memory, count * POOL if database else 0)


def lines(wanted: Size, machine: Machine) -> dict[str, object]:
    """What nixcfg.yaml has to say that it does not say yet."""
    found: dict[str, object] = {}
    is_alone = machine.instances == 1 < wanted.instances
    if is_alone or machine.instances * machine.workers < wanted.cores:
        found["instances"] = wanted.instances
        if wanted.workers != machine.workers:
            found["workers"] = wanted.workers
    if wanted.cores > 1 and machine.redis is None:
        found["redis"] = "local"
    return found


def busiest(text: str) -> float:
    """Requests a second: of a number, or of Prometheus' answer to a query, in which series are
    added up and of several times the busiest counts. Raises BadAnswerError."""
    try:
        answer = json.loads(text)
    except ValueError:
        raise BadAnswerError("it is neither a number nor the JSON of Prometheus' answer") from None
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        return _checked(answer)
    try:
        if answer["status"] != "success":
            raise BadAnswerError(f"Prometheus says: {answer.get('error', answer['status'])}")
        kind, result = answer["data"]["resultType"], answer["data"]["result"]
        return _checked(_summed(kind, result))
    except (KeyError, TypeError, ValueError, IndexError):
        raise BadAnswerError("it has not the form of Prometheus' answer to a query") from None


def _summed(kind: str, result: Any) -> float:
    if kind == "scalar":
        return float(result[1])
    sums: dict[float, float] = {}
    for series in result:
        for at, value in series["values"] if kind == "matrix" else [series["value"]]:
            sums[at] = sums.get(at, 0.0) + float(value)
    if not sums:
        raise BadAnswerError("Prometheus found nothing: is `metrics: true`, and the query right?")
    return max(sums.values())


def _checked(rate: float) -> float:
    if not (math.isfinite(rate) and rate > 0):
        raise BadAnswerError("it is not a number above 0")
    return float(rate)
