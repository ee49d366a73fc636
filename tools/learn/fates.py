"""What becomes of every name that LiteLLM's own source knows, in litellm_params, by experiment.

A parameter that LiteLLM does not know goes the same way as any other on the same provider; names
that its code mentions may go another. So a router is given deployments that hold hundreds of names,
each with a text of its own, and the request that it makes shows which were sent. Names that go
another way than one that no one could have thought of are asked again, alone and in several forms.
"""

import ast
import asyncio
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from learn import wire
from learn.bench import quiet, samples
from learn.carried import CLOUDS, PROBE, ROUTES, Caller, callers

OWN, REFUSED, SENT, LEFT_OUT = "own", "refused", "sent", "left out"
AT_ONCE = 400
PATIENCE = 5
"""Seconds for a call that needs none: nothing is sent."""
THOROUGHLY = ("anthropic", "azure", "bedrock", "gemini", "openai")
"""Providers that are asked about all names; others about those that were special to some of them,
and about what their own code mentions."""
_TYPICAL = ("nixcfg_probe", "nixcfgProbe", "nixcfg")
_HELLO = {"messages": [{"role": "user", "content": "hello"}]}
ENDPOINTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("acompletion", _HELLO),
    "completion": ("acompletion", _HELLO),
    "responses": ("acompletion", _HELLO),
    "embedding": ("aembedding", {"input": ["hello"]}),
    "rerank": ("arerank", {"query": "hello", "documents": ["hello"]}),
    "image_generation": ("aimage_generation", {"prompt": "hello"}),
    "audio_speech": ("aspeech", {"input": "hello", "voice": "alloy"}),
    "audio_transcription": ("atranscription", {"file": ("a.wav", b"RIFF")}),
}
"""What a router is asked for by the mode of a model in LiteLLM's catalogue."""

_MARK = re.compile(r"nixcfg-\d+-end|7254\d{6}")
Form = Callable[[str], Any]
_FORMS: tuple[Form, ...] = (
    lambda text: text,
    lambda text: {"nixcfg": text},
    lambda text: [text],
    lambda text: 7254000000 + int(text.split("-")[1]),
    lambda _: True,
)


class Found(NamedTuple):
    """What was seen on one road: the usual fate, the names with another one, and models that go
    another way."""

    usual: str
    apart: Mapping[str, str]
    others: tuple[str, ...]

    def fate(self, name: str) -> str:
        """Of a name, or of all that begin like one with a star."""
        begun = next((c for c in CLOUDS if name.startswith(c)), "") + "*"
        return self.apart.get(name) or self.apart.get(begun) or self.usual


class Road:
    """The calls to one model of one provider, through a router."""

    def __init__(
        self, caller: Caller, mode: str, model: str, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.caller, self.mode, self.model, self._loop = caller, mode, model, loop

    def request(self, params: Mapping[str, Any]) -> wire.Request | None:
        """What a deployment with these parameters sends; None where nothing is sent."""
        import litellm

        litellm.in_memory_llm_clients_cache.flush_cache()
        wire.caught.clear()
        self._timed_out = False
        caller, (function, asked) = self.caller, ENDPOINTS[self.mode]
        given = {"timeout": 5, "max_retries": 0, **caller.given, **params}
        given["model"] = f"{caller.bench.name}/{self.model}"
        entry = {"model_name": "m", "litellm_params": given}
        with wire.variables({name: wire.value(name) for name in caller.variables}), quiet():
            try:
                router = litellm.Router(model_list=[entry], num_retries=0)
                call = getattr(router, function)(model="m", **asked)
                self._loop.run_until_complete(asyncio.wait_for(call, PATIENCE))
            except TimeoutError:
                self._timed_out = True
            except Exception:  # noqa: BLE001, S110 - the request says what came of it
                pass
        return wire.Outcome(tuple(wire.caught), "", frozenset()).call

    def hangs(self) -> bool:
        """Whether a call comes to no end by itself."""
        self.request({})
        return self._timed_out

    def fates(self, names: Sequence[str], form: Form) -> dict[str, str]:
        """The fate of each, asked together, or apart where that comes to nothing."""
        if not names:
            return {}
        texts = {name: f"nixcfg-{number}-end" for number, name in enumerate(names)}
        request = self.request({name: form(text) for name, text in texts.items()})
        if request:
            return {name: _fate(request, name, form(text)) for name, text in texts.items()}
        if len(names) == 1:
            return {names[0]: REFUSED}
        middle = len(names) // 2
        return {**self.fates(names[:middle], form), **self.fates(names[middle:], form)}

    def usual(self, forms: Sequence[Form] = _FORMS) -> str:
        """The fate of a name that no one knows; `own` where it depends on what the name holds."""
        found = set(self.settled(_TYPICAL, forms).values())
        return found.pop() if len(found) == 1 else OWN

    def settled(self, names: Sequence[str], forms: Sequence[Form]) -> dict[str, str]:
        """The fate that each name has in every form: `own` where it depends on that."""
        found = [self.fates(names, form) for form in forms]
        return {
            name: OWN if len({f[name] for f in found}) > 1 else found[0][name] for name in names
        }


def _fate(request: wire.Request, name: str, value: Any) -> str:
    mark = _MARK.search(str(value))
    if mark and not any(mark[0] in part for part in request.parts.values()):
        return LEFT_OUT
    body = request.parts["body"]
    if mark is None:  # true, which others say too
        shown = (f'"{name}":true', f'"{name}": true', f'name="{name}"')
        return SENT if any(each in body for each in shown) else LEFT_OUT
    by_name = f'"{name}"' in body or f"{name}=" in body or f"{name}=" in request.url
    return SENT if by_name else OWN


def apart(
    road: Road, usual: str, names: Iterable[str], likely: Mapping[str, str]
) -> dict[str, str]:
    """The names whose fate is not the usual one.

    `likely` were another provider's, by what they were there: together they do not hide others.
    """
    odd = dict(likely)
    rest = sorted({*names} - odd.keys())
    random.Random(len(likely)).shuffle(rest)  # noqa: S311 - others beside each name each time
    for start in range(0, len(rest), AT_ONCE):
        found = road.fates(rest[start : start + AT_ONCE], _FORMS[0])
        odd.update((name, fate) for name, fate in found.items() if fate != usual)
    settled: dict[str, str] = {}
    for group in sorted({*odd.values()}):
        among = sorted(name for name, fate in odd.items() if fate == group)
        # What is refused in one form is told from what is in all by the two that differ most.
        settled |= road.settled(among, _FORMS if group != REFUSED else (_FORMS[0], _FORMS[-1]))
    return {name: fate for name, fate in settled.items() if fate != usual}


def of_clouds(road: Road, usual: str, known: Iterable[str]) -> dict[str, str]:
    """The same for what begins like a cloud's parameters, and for those that LiteLLM lists.

    What these may hold is known, so they are asked in the form of a text only.
    """
    begun = [cloud + PROBE for cloud in CLOUDS]
    found = {n.removesuffix(PROBE) + "*": f for n, f in road.settled(begun, _FORMS).items()}
    listed = sorted(name for name in known if name.startswith(CLOUDS))
    for name, fate in road.fates(listed, _FORMS[0]).items():
        found[name] = OWN if fate == REFUSED else fate
    beginning = {name: found[next(c for c in CLOUDS if name.startswith(c)) + "*"] for name in found}
    return {
        name: fate
        for name, fate in found.items()
        if fate != (usual if name.endswith("*") else beginning[name])
    }


def measured(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The content of fates.json: see `stored`."""
    known = facts["sections"]["litellm_params"]["keys"].keys()
    by_folder, loop = names(known), asyncio.new_event_loop()
    everything = set().union(*by_folder.values())
    likely: dict[str, str] = {}
    found: dict[str, dict[str, Found]] = {}
    for caller in sorted(callers(facts), key=lambda each: each.bench.name not in THOROUGHLY):
        name, whole = caller.bench.name, caller.bench.name in THOROUGHLY
        own = set().union(*(each for folder, each in by_folder.items() if _is_of(folder, name)))
        for mode, models in sorted(_models(caller).items(), key=lambda each: each[0] != "chat"):
            roads = [Road(caller, mode, model, loop) for model in models]
            # Some clients wait for something that is not there, each time.
            sent = [] if roads[0].hangs() else [road for road in roads if road.request({})]
            if not sent:
                continue
            road, usual = sent[0], sent[0].usual()
            if usual == OWN:
                found.setdefault(name, {})[mode] = Found(usual, {}, ())
                continue
            odd = apart(road, usual, everything if whole else own, likely)
            likely |= {key: fate for key, fate in odd.items() if whole}
            whole = False
            others = [each.model for each in sent[1:] if each.usual(_FORMS[:1]) != usual]
            others += [each.model for each in roads if each not in sent]
            known_odd = odd | of_clouds(road, usual, known)
            found.setdefault(name, {})[mode] = Found(usual, known_odd, tuple(sorted(others)))
            print(
                name,
                mode,
                road.model,
                usual,
                len(known_odd),
                others[:3],
                file=sys.stderr,
                flush=True,
            )
    return stored(found)


def stored(found: Mapping[str, Mapping[str, Found]]) -> dict[str, Any]:
    """By provider and mode of a model (`roads`): the `usual` fate, the names `apart` by theirs, and
    `others`, models that go another way. A name with a star stands for all that begin so. `common`
    are the names of most roads with one usual fate, and a road says only what differs there.
    """
    roads = [road for modes in found.values() for road in modes.values()]
    common: dict[str, dict[str, str]] = {}
    for usual in sorted({road.usual for road in roads}):
        alike = [road for road in roads if road.usual == usual]
        every = sorted({name for road in alike for name in road.apart})
        common[usual] = {
            name: Counter(road.fate(name) for road in alike).most_common(1)[0][0] for name in every
        }
    told = {
        usual: {n: f for n, f in names.items() if f != usual or n.startswith(CLOUDS)}
        for usual, names in common.items()
    }
    return {
        "common": {usual: _by_fate(names) for usual, names in told.items()},
        "roads": {
            name: {mode: _road(road, told[road.usual]) for mode, road in modes.items()}
            for name, modes in found.items()
        },
    }


def _road(road: Found, common: Mapping[str, str]) -> dict[str, Any]:
    usual = Found(road.usual, common, ())
    names = sorted({*road.apart, *common})
    differs = {name: road.fate(name) for name in names if road.fate(name) != usual.fate(name)}
    facts = {"usual": road.usual, "apart": _by_fate(differs), "others": list(road.others)}
    return {key: value for key, value in facts.items() if value}


def _is_of(folder: str, provider: str) -> bool:
    return bool(folder) and provider.startswith(folder)


def _models(caller: Caller) -> dict[str, list[str]]:
    """The models of a provider by mode, the one that is known to make a request first."""
    import litellm

    bench, found = caller.bench, dict[str, list[str]]()
    for model, facts in sorted(litellm.model_cost.items()):
        if facts.get("litellm_provider") == bench.name and facts.get("mode") in ENDPOINTS:
            plain = model.removeprefix(f"{bench.name}/")
            found.setdefault(str(facts["mode"]), []).append(plain)
    rest = [model for model in found.get(bench.kind, ()) if model != bench.model]
    return {**found, bench.kind: [bench.model, *rest]}


def _by_fate(found: Mapping[str, str]) -> dict[str, list[str]]:
    return {
        fate: sorted(name for name, each in found.items() if each == fate)
        for fate in sorted({*found.values()})
    }


def again(
    facts: Mapping[str, Any], known: Mapping[str, Any], asked: Iterable[str]
) -> dict[str, Any]:
    """For each road, `openai/chat`, the usual fate and the names apart, among those of all roads
    and a few others. `known` is what is stored."""
    loop, models = asyncio.new_event_loop(), samples()
    listed = facts["sections"]["litellm_params"]["keys"].keys()
    groups = [*known["common"].values()]
    groups += [
        road.get("apart", {}) for modes in known["roads"].values() for road in modes.values()
    ]
    likely = {key: fate for group in groups for fate, keys in group.items() for key in keys}
    likely = {n: f for n, f in likely.items() if not n.endswith("*") and not n.startswith(CLOUDS)}
    found = {}
    for each in asked:
        name, mode = each.split("/")
        caller = Caller(name, facts["providers"][name], ROUTES.get(name) or models.get(name, {}))
        road = Road(caller, mode, _models(caller)[mode][0], loop)
        usual = road.usual()
        odd = apart(road, usual, ("flavour", "nixcfg_other"), likely)
        found[each] = {"usual": usual, "apart": _by_fate(odd | of_clouds(road, usual, listed))}
    return found


def names(known: Container[str]) -> dict[str, set[str]]:
    """What LiteLLM, its catalogue and OpenAI's client call by a name, but for what it lists.

    By folder of litellm/llms, "" for all else. The proxy's own code and the loggers have no part in
    what a vendor is sent.
    """
    import litellm
    import openai

    found = {"": {key for facts in litellm.model_cost.values() for key in facts}}
    for package in (litellm, openai):
        root = Path(str(package.__file__)).parent
        for path in root.rglob("*.py"):
            above = path.relative_to(root).parts
            if package is litellm and above[0] in ("proxy", "integrations"):
                continue
            folder = above[1] if above[0] == "llms" else ""
            found.setdefault(folder, set()).update(
                name
                for name in _mentioned(ast.parse(path.read_text(encoding="utf-8")))
                if name.isidentifier() and not name.isupper()
            )
    return {
        folder: {name for name in each if name not in known and not name.startswith(CLOUDS)}
        for folder, each in found.items()
    }


def _mentioned(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(name)) | ast.arg(arg=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.keyword(arg=str(name)):
                yield name
            case ast.Call(func=ast.Attribute(attr="startswith"), args=[beginning, *_]):
                yield from _begun(beginning)


def _begun(beginning: ast.AST) -> Iterator[str]:
    """A name of our own for each beginning that the code looks for."""
    for node in ast.walk(beginning):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value + PROBE
