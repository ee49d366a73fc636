"""Which kinds of guardrails LiteLLM has, when each can run, and what each cannot do without."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Answer = Mapping[str, Any]
Ask = Callable[[Mapping[str, Any]], Answer]

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{3,}$")
VALUE = "https://sample.test"
WRONG = "nixcfg-mode"
# Of another library, or of a licence: here and in the image the answer may differ.
ELSEWHERE = re.compile(r"No module named|pip install|ImportError|ModuleNotFound|nterprise")


def modes() -> list[str]:
    from litellm.types.guardrails import GuardrailEventHooks

    return [each.value for each in GuardrailEventHooks]


def names() -> list[str]:
    """Every kind that LiteLLM makes a guardrail of."""
    from litellm.proxy.guardrails.guardrail_registry import guardrail_initializer_registry

    return sorted(guardrail_initializer_registry)


@dataclass(frozen=True, slots=True)
class Given:
    """What a guardrail is tried with; `names` are variables and keys of its litellm_params."""

    kind: str
    mode: str
    names: frozenset[str] = frozenset()

    def question(self) -> dict[str, Any]:
        variables = {name: VALUE for name in self.names if VARIABLE.match(name)}
        params = dict.fromkeys(self.names - variables.keys(), VALUE)
        params |= {"guardrail": self.kind, "mode": self.mode}
        model = {"model_name": "a", "litellm_params": {"model": "openai/a", "api_key": "x"}}
        guardrail = {"guardrail_name": "sample", "litellm_params": params}
        config = {"model_list": [model], "guardrails": [guardrail]}
        return {"text": json.dumps(config), "env": variables, "trace": True}


class Bench:
    """Asks, and remembers the answers."""

    def __init__(self, ask: Ask) -> None:
        from litellm.types.guardrails import LitellmParams

        self._ask = ask
        self._memory: dict[Given, Answer] = {}
        self._params = frozenset(LitellmParams.model_fields)
        every = [set(self.answer(Given(kind, "pre_call"))["asked"]) for kind in names()]
        # What is looked up for any of them is of no one kind.
        common = {name for asked in every for name in asked if sum(name in a for a in every) > 5}
        self._common = common

    def answer(self, given: Given) -> Answer:
        if given not in self._memory:
            self._memory[given] = self._ask(given.question())
        return self._memory[given]

    def becomes(self, given: Given) -> str:
        """`stops`, `skipped`, `elsewhere`, or nothing where the guardrail is at work."""
        answer = self.answer(given)
        if ELSEWHERE.search(self._said(answer)):
            return "elsewhere"
        if answer["error"]:
            return "stops"
        return "" if "sample" in answer["live"]["guardrails"] else "skipped"

    def _said(self, answer: Answer) -> str:
        lines = [line for line in answer.get("warnings", ()) if "uardrail" in line]
        return "\n".join([answer["error"] or "", *lines])

    def hints(self, given: Given) -> frozenset[str]:
        """Variables that it looked up, and parameters that its refusal names."""
        answer = self.answer(given)
        asked = {name for name in answer["asked"] if VARIABLE.match(name)} - self._common
        words = set(re.findall(r"\w+", self._said(answer)))
        return frozenset(asked | (words & self._params)) - {"guardrail", "mode"}

    def complete(self, kind: str) -> Given | None:
        """The kind with all that it asks for, at work; None where it never is."""
        for mode in ("pre_call", *modes()):
            given = Given(kind, mode)
            while self.becomes(given) and self.hints(given) - given.names:
                variables = frozenset(n for n in self.hints(given) if VARIABLE.match(n))
                more = (variables - given.names) or self.hints(given)
                given = Given(kind, mode, given.names | more)
            if not self.becomes(given):
                return given
        return None

    def least(self, given: Given) -> Given:
        """The same without whatever it can do without."""
        for name in sorted(given.names, key=_order):
            less = Given(given.kind, given.mode, given.names - {name})
            if not self.becomes(less):
                given = less
        return given

    def needs(self, least: Given) -> list[list[str]]:
        """What it cannot do without, each with what can be given instead."""
        found = []
        for name in sorted(least.names):
            without = Given(least.kind, least.mode, least.names - {name})
            alike = {param for param in self._params if name.endswith(param.upper())}
            others = (self.hints(without) | alike | {"api_key", "api_base"}) - least.names
            works = [
                other
                for other in sorted(others)
                if not self.becomes(Given(least.kind, least.mode, without.names | {other}))
            ]
            found.append([name, *works])
        return found

    def facts(self, kind: str) -> dict[str, Any]:
        """`modes` where it does not run in others, in this `case` only; `needs`, and what becomes
        of one `without`.
        """
        found = self.complete(kind)
        if found is None:
            return {}
        least = self.least(found)
        facts: dict[str, Any] = {}
        needs = self.needs(least)
        if needs:
            facts["needs"] = needs
            facts["without"] = self.becomes(Given(kind, least.mode))
        tried = {mode: self.becomes(Given(kind, mode, least.names)) for mode in (*modes(), WRONG)}
        never = not self.answer(Given(kind, WRONG, least.names))["live"]["runs"]
        if tried[WRONG] or never:
            facts["modes"] = [mode for mode in modes() if not tried[mode]]
            facts["wrong"] = tried[WRONG] or "idle"
            capitals = self.answer(Given(kind, least.mode.upper(), least.names))
            if not capitals["live"]["runs"]:
                facts["case"] = True
        return facts


def _order(name: str) -> tuple[bool, bool, str]:
    """What to do without first: keys of a service are the usual way in, and are kept longest."""
    return (bool(VARIABLE.match(name)), "KEY" in name, name)


def kinds(ask: Ask) -> dict[str, Any]:
    """All modes, and the facts of each kind: empty for one that is never at work here."""
    bench = Bench(ask)
    return {"modes": modes(), "kinds": {kind: bench.facts(kind) for kind in names()}}
