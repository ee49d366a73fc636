"""The stand-ins of one case: who is asked, how it behaves, and the log of what was asked. Pure but
for the lock of its log."""

import itertools
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from nixcfg.trial.case import USUAL, Behaviour
from nixcfg.trial.deployment import Deployment
from nixcfg.trial.exchange import NOTHING, Reply, Request
from nixcfg.trial.vendors import every
from nixcfg.trial.vendors.base import JSON, Good, Protocol, error, refusal


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to a vendor, whose it was (None: no deployment's), and what it got; `is_good`
    where that is a whole and proper answer, `note` what else there is to say."""

    request: Request
    deployment: Deployment | None
    status: int
    is_good: bool
    note: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What a case may call the vendor that was asked."""
        return _names(self.request, self.deployment)

    def line(self) -> str:
        """One line for a person."""
        who = f"{self.deployment.provider} ({self.deployment.model})" if self.deployment else "?"
        place = f"{self.request.host}{urlsplit(self.request.path).path}"
        status = f"{self.status}" if self.status else "no answer"
        said = f"{status}, {self.note}" if self.note else status
        return f"{who}: {self.request.method} {place} -> {said}"


def _names(request: Request, deployment: Deployment | None) -> tuple[str, ...]:
    return (*(deployment.names if deployment else ()), request.host)


class StandIns:
    """All vendors of one case; `answer` is what the interceptor asks."""

    def __init__(
        self, found: Sequence[Deployment], behaviours: Mapping[str, Sequence[Behaviour]]
    ) -> None:
        self._deployments = found
        self._left = {
            name: [each for behaviour in given for each in _turns(behaviour)]
            for name, given in behaviours.items()
        }
        self._lock = threading.Lock()
        self._log: list[Exchange] = []

    @property
    def log(self) -> tuple[Exchange, ...]:
        """What has been asked so far, in order."""
        with self._lock:
            return tuple(self._log)

    def answer(self, request: Request) -> Reply:
        """Behave as the case says, and remember it."""
        protocol = every.of(request)
        if protocol is not None and not protocol.is_asked:
            return protocol.answer(request, USUAL.good)
        asked = protocol.model(request) if protocol else ""
        best = max(self._deployments, key=lambda each: each.fits(request, asked), default=None)
        deployment = best if protocol and best and best.fits(request, asked) else None
        with self._lock:
            behaviour = self._next(_names(request, deployment))
            if protocol is None and not _is_whole(behaviour):
                return self._unspoken(request)
            reply = _reply(protocol or every.UNKNOWN, request, behaviour)
            exchange = Exchange(
                request, deployment, reply.status, _is_good(reply, behaviour), _note(behaviour)
            )
            self._log.append(exchange)
        return reply

    def _next(self, names: Sequence[str]) -> Behaviour:
        for name in names:
            turns = self._left.get(name)
            if turns:
                return turns[0] if turns[0].times is None else turns.pop(0)
        return USUAL

    def _unspoken(self, request: Request) -> Reply:
        """A host that is none of the vendors, or an API that no stand-in speaks."""
        if request.method != "POST":
            return Reply(404, {}, ())
        note = "no stand-in speaks this API"
        self._log.append(Exchange(request, None, 501, is_good=False, note=note))
        return Reply(501, {}, ())


def _is_whole(behaviour: Behaviour) -> bool:
    """Whether it says what is answered, in whatever API."""
    return behaviour.down or behaviour.body is not None or behaviour.status != 200


def _is_good(reply: Reply, behaviour: Behaviour) -> bool:
    is_answer = behaviour.body is None or reply.headers == JSON
    return reply.status == 200 and is_answer and not behaviour.refuses and not reply.is_cut


def _turns(behaviour: Behaviour) -> list[Behaviour]:
    """A behaviour once for each request that it is for."""
    return [behaviour] * (behaviour.times or 1)


def _reply(protocol: Protocol, request: Request, behaviour: Behaviour) -> Reply:
    if behaviour.down:
        reply = NOTHING
    elif behaviour.body is not None:
        head = JSON if _is_json(behaviour.body) else {"content-type": "text/html"}
        reply = Reply(behaviour.status, head, (behaviour.body.encode(),))
    elif behaviour.refuses:
        reply = refusal(protocol, behaviour.refuses)
    elif behaviour.status != 200:
        message = f"a stand-in was asked to answer {behaviour.status}"
        reply = error(protocol, behaviour.status, message)
    else:
        reply = protocol.answer(request, behaviour.good)
    if behaviour.retry_after is not None:
        reply = replace(reply, headers={**reply.headers, "retry-after": f"{behaviour.retry_after}"})
    if behaviour.cut is not None:
        pieces = _before_the_cut(protocol, request, behaviour.good, behaviour.cut)
        reply = replace(reply, pieces=pieces or (reply.pieces[0][:20],), is_cut=True)
    return replace(reply, delay=behaviour.delay)


def _is_json(body: str) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _before_the_cut(
    protocol: Protocol, request: Request, good: Good, cut: int
) -> tuple[bytes, ...]:
    """What is sent of a streamed answer before the first piece that is left out; nothing of an
    answer that is one document. A call of a tool is one piece."""
    whole = protocol.answer(request, good).pieces
    if good.tool:
        return whole[: max(len(whole) // 2, 1)] if cut == 0 and len(whole) > 1 else whole[:-1]
    if cut >= len(good.pieces):
        return whole[:-1]
    other = replace(good, pieces=(*good.pieces[:cut], "\0", *good.pieces[cut + 1 :]))
    pairs = zip(whole, protocol.answer(request, other).pieces, strict=True)
    return tuple(one for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _note(behaviour: Behaviour) -> str:
    notes = [
        "the connection is closed" if behaviour.down else "",
        f"refused: {behaviour.refuses}" if behaviour.refuses else "",
        "another body" if behaviour.body is not None else "",
        f"cut before piece {behaviour.cut + 1}" if behaviour.cut is not None else "",
        f"after {behaviour.delay:g} s" if behaviour.delay else "",
    ]
    return ", ".join(filter(None, notes))
