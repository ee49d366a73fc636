"""The stand-ins of one case: who is asked, how it behaves, and the log of what was asked. Pure but
for the lock of its log."""

import itertools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from nixcfg.gateway import launch
from nixcfg.project.model import MODELS, Config, Project
from nixcfg.project.values import references
from nixcfg.trial.case import USUAL, Behaviour
from nixcfg.trial.exchange import Reply, Request
from nixcfg.trial.vendors import every
from nixcfg.trial.vendors.base import Good, Protocol, error

KEY = "nixcfg-test-"
"""What the key of a variable begins with in a test; the rest is the variable's name."""
_EXACT, _PATTERN, _HOST, _VARIABLE = 8, 4, 2, 1


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of model_list: the provider file that it comes from, its `litellm_params.model`,
    the host of its address ("" for the vendor's own), the variables that it reads."""

    provider: str
    model: str
    host: str
    variables: frozenset[str]

    def fits(self, request: Request, asked: str) -> int:
        """How well a request for the model `asked` can be one for this deployment; 0 for no."""
        bare = self.model.partition("/")[2] or self.model
        names = {self.model, bare, bare.rpartition("/")[2]}
        fit = _EXACT if asked in names else _PATTERN
        if fit == _PATTERN and not any(fnmatchcase(asked, name) for name in names):
            return 0
        if self.host and self.host != request.host:
            return 0
        sent = f"{request.path}\n{' '.join(request.headers.values())}"
        has_key = any(KEY + variable in sent for variable in self.variables)
        return fit + _HOST * bool(self.host) + _VARIABLE * has_key


def deployments(project: Project, config: Config) -> tuple[Deployment, ...]:
    """The deployments of a configuration, in its order."""
    counts = {each.name: len(each.deployments) for each in project.providers}
    origin = [name for name in config.providers for _ in range(counts[name])]
    made = []
    for provider, entry in zip(origin, config.litellm[MODELS], strict=True):
        params = entry["litellm_params"]
        base = params.get("api_base") or params.get("base_url") or ""
        made.append(
            Deployment(
                provider=provider,
                model=str(params["model"]),
                host=urlsplit(launch.local(base)).netloc if isinstance(base, str) else "",
                variables=frozenset(references(entry)),
            )
        )
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to a vendor, whose it was (None: no deployment's), and what it got; `is_good`
    where that is a whole and proper answer, `note` what else there is to say."""

    request: Request
    deployment: Deployment | None
    status: int
    is_good: bool
    note: str = ""

    def line(self) -> str:
        """One line for a person."""
        who = f"{self.deployment.provider} ({self.deployment.model})" if self.deployment else "?"
        place = f"{self.request.host}{urlsplit(self.request.path).path}"
        said = f"{self.status}, {self.note}" if self.note else f"{self.status}"
        return f"{who}: {self.request.method} {place} -> {said}"


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
        if protocol is None:
            return self._unspoken(request)
        asked = protocol.model(request)
        best = max(self._deployments, key=lambda each: each.fits(request, asked), default=None)
        deployment = best if best and best.fits(request, asked) else None
        with self._lock:
            behaviour = self._next(deployment)
            reply = _reply(protocol, request, behaviour)
            if not protocol.is_asked:
                return reply
            is_good = reply.status == 200 and behaviour.body is None and not reply.is_cut
            note = _note(behaviour)
            self._log.append(Exchange(request, deployment, reply.status, is_good, note))
        return reply

    def _next(self, deployment: Deployment | None) -> Behaviour:
        if deployment is not None:
            for name in (deployment.model, deployment.provider):
                turns = self._left.get(name)
                if turns:
                    return turns[0] if turns[0].times is None else turns.pop(0)
        return USUAL

    def _unspoken(self, request: Request) -> Reply:
        """A host that is none of the vendors, or an API that no stand-in speaks."""
        if request.method == "POST":
            with self._lock:
                note = "no stand-in speaks this API"
                self._log.append(Exchange(request, None, 501, is_good=False, note=note))
        return Reply(404 if request.method != "POST" else 501, {}, ())


def _turns(behaviour: Behaviour) -> list[Behaviour]:
    """A behaviour once for each request that it is for."""
    return [behaviour] * (behaviour.times or 1)


def _reply(protocol: Protocol, request: Request, behaviour: Behaviour) -> Reply:
    if behaviour.status != 200:
        message = f"a stand-in was asked to answer {behaviour.status}"
        reply = error(protocol, behaviour.status, message)
    elif behaviour.body is not None:
        reply = Reply(200, {"content-type": "text/html"}, (behaviour.body.encode(),))
    else:
        reply = protocol.answer(request, behaviour.good)
    if behaviour.retry_after is not None:
        reply = replace(reply, headers={**reply.headers, "retry-after": f"{behaviour.retry_after}"})
    if behaviour.cut is not None:
        pieces = _before_the_cut(protocol, request, behaviour.good, behaviour.cut)
        reply = replace(reply, pieces=pieces or (reply.pieces[0][:20],), is_cut=True)
    return replace(reply, delay=behaviour.delay)


def _before_the_cut(
    protocol: Protocol, request: Request, good: Good, cut: int
) -> tuple[bytes, ...]:
    """What is sent of a streamed answer before the first piece that is left out; nothing of an
    answer that is one document."""
    whole = protocol.answer(request, good).pieces
    if cut >= len(good.pieces):
        return whole[:-1]
    other = replace(good, pieces=(*good.pieces[:cut], "\0", *good.pieces[cut + 1 :]))
    pairs = zip(whole, protocol.answer(request, other).pieces, strict=True)
    return tuple(one for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _note(behaviour: Behaviour) -> str:
    notes = [
        "another body" if behaviour.body is not None else "",
        f"cut before piece {behaviour.cut + 1}" if behaviour.cut is not None else "",
        f"after {behaviour.delay:g} s" if behaviour.delay else "",
    ]
    return ", ".join(filter(None, notes))
