"""What a bench shows about one provider: its keys, and the parameters that take them."""

import contextlib
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from learn import address
from learn.address import OPENAI, OPENAI_HOST, is_local
from learn.bench import BASE, Bench, quiet
from learn.wire import ADDRESS, REGION, Outcome, tag, value

# Local servers and generic clients: LiteLLM has no address of their own for them, and a call
# without `api_base` does not fail but goes to api.openai.com (seen as `sent_to`).
GENERIC = {"custom_openai"}
SECRET = re.compile(
    r"(KEY|TOKEN|SECRET|PASSWORD|PASSCODE|CREDENTIALS?|JWT|ACCESS_KEY_ID)(_BEDROCK)?$"
)


class Findings:
    """What a bench shows about one provider."""

    def __init__(self, bench: Bench, params: frozenset[str]) -> None:
        self.bench = bench
        self.params = params
        names = bench.discover()
        self.openai = "openai" in bench.name and bench.name not in GENERIC
        self.prefix = re.sub(r"[^A-Z0-9]", "_", bench.name.upper()) + "_"
        self.fallback = not self.openai and OPENAI in names
        if not self.openai:
            # Every OpenAI-compatible client looks for these. What matters is whether the key goes
            # to a third party; where a call without an address goes is seen from its URL.
            names = frozenset(n for n in names if not n.startswith("OPENAI_"))
        self.names = names
        self.secrets = frozenset(n for n in names if SECRET.search(n))
        self.addresses = frozenset(n for n in names if ADDRESS.search(n))
        # An address, for providers that have neither a variable for it nor a default.
        self.given: dict[str, str] = {}
        self.tiers = self._tiers()
        if not self.tiers:
            self.given = {"api_base": BASE}
            self.tiers = self._tiers()
        self.sets = [self._smallest(number) for number in range(len(self.tiers))]
        self.first = self._preferred()
        self.wanted = frozenset() if self.first is None else self.sets[self.first]

    def facts(self) -> dict[str, Any]:
        base = address.base(self)
        keyless = self._sends_without_key()
        own = self._needs_no_key(base)
        wanted = set(self.wanted)
        if base.get("required") and base.get("variable") and not wanted & self.addresses:
            wanted.add(base["variable"])
        optional = self._optional(base)
        found: dict[str, Any] = {
            "chat": self.bench.chat,
            "credentials": [
                self._credential(
                    name, required=name in wanted and not (own and name in self.secrets)
                )
                for name in (*self._ordered(wanted), *self._ordered(optional - wanted))
            ],
            "api_base": base,
        }
        others = [
            self._ordered(names) for number, names in enumerate(self.sets) if number != self.first
        ]
        if others:
            found["alternatives"] = others
        competing = self._competing()
        if competing:
            found["competing"] = competing
        if self.fallback and self._uses_openai_key():
            found["falls_back_to"] = OPENAI
        if keyless:
            found["sends_without_key"] = True
        return found

    # --- keys

    def _tiers(self) -> list[frozenset[str]]:
        """Secrets by preference: those seen together, then those seen without them, and so on."""
        others = self.names - self.secrets
        left, tiers = set(self.secrets), list[frozenset[str]]()
        while left:
            seen = self.bench.run(others | left, **self.given).shows(left)
            if not seen:
                break
            tiers.append(frozenset(seen))
            left -= seen
        # A key that goes into a library rather than into a request hides those behind it.
        for name in sorted(left):
            if self.bench.run(others | {name}, **self.given).shows({name}):
                tiers.append(frozenset({name}))
        return tiers

    def _smallest(self, number: int) -> frozenset[str]:
        """The fewest variables with which a call is sent with the keys of this tier."""
        tier = self.tiers[number]
        # Tiers beyond the first are what is seen without those before it.
        names = set(self.names).difference(*self.tiers[:number])

        def works(chosen: set[str]) -> bool:
            outcome = self.bench.run(chosen, **self.given)
            text = "" if outcome.call is None else "\n".join(outcome.call.parts.values())
            return any(tag(n) in text for n in tier) and not self._astray(outcome)

        if not works(names):
            names = {*(self.names - self.secrets), *tier}
        for name in sorted(tier):
            if works({name}):
                return frozenset({name})
        # The least telling names go first, so that WATSONX_PROJECT_ID outlives PROJECT_ID.
        for name in sorted(names, key=self._telling):
            if works(names - {name}):
                names = names - {name}
        return frozenset(names)

    def _astray(self, outcome: Outcome) -> bool:
        """Sent to no host at all, or to OpenAI's for want of another."""
        host = urlsplit(outcome.url).hostname or ""
        lost = "." not in host and not is_local(outcome.url)
        return lost or (host == OPENAI_HOST and not self.openai)

    def _telling(self, name: str) -> tuple[bool, bool, bool, int, str]:
        own = name.startswith(self.prefix)
        address = name in self.addresses
        known = name in self._documented()
        return not address, known, own, -len(name) if own else len(name), name

    def _documented(self, name: str = "") -> frozenset[str]:
        """The variables that LiteLLM's own check names, where it knows the provider."""
        import litellm

        with quiet(), contextlib.suppress(Exception):
            found = litellm.validate_environment(f"{name or self.bench.name}/{self.bench.model}")
            return frozenset(found["missing_keys"])
        return frozenset()

    def _preferred(self) -> int | None:
        """The set to ask a user for: by LiteLLM's own check, by the provider's name, or the first.

        Not always the one that wins: GOOGLE_API_KEY beats GEMINI_API_KEY, but may be there for
        something else.
        """
        if not self.sets:
            return None
        documented = self._documented()
        family = self._documented(self.bench.name.partition("_")[0])

        def rank(number: int) -> tuple[int, bool, int, bool, int]:
            names = self.sets[number]
            own = self.prefix + "API_KEY" in names
            general = any(name.endswith("_API_KEY") for name in names)
            return len(names & documented), own, len(names & family), general, -number

        return max(range(len(self.sets)), key=rank)

    def _competing(self) -> list[list[str]]:
        """Pairs (winner, loser): variables of which only one is used when both are set."""
        keys = [min(tier, key=lambda n: ("SESSION" in n, n)) for tier in self.tiers]
        pairs = []
        for one, other in itertools.pairwise(range(len(keys))):
            if self._wins(one, other):
                pairs.append([keys[one], keys[other]])
            elif self._wins(other, one):
                pairs.append([keys[other], keys[one]])
        left, last = set(self.addresses), None
        for _ in self.addresses:
            seen = self._among(self.names - self.addresses, left)
            seen = seen or self._among(self.wanted - self.addresses, left)
            if len(seen) != 1:
                break
            (name,) = seen
            if last:
                pairs.append([last, name])
            last = name
            left -= seen
        return pairs

    def _among(self, others: frozenset[str], left: set[str]) -> set[str]:
        return self.bench.run(others | left).shows(left)

    def _wins(self, one: int, other: int) -> bool:
        """Whether a call with both keys shows this one alone: some clients refuse two."""
        both = self.sets[one] | self.sets[other]
        seen = self.bench.run((self.names - self.secrets) | both, **self.given).shows(both)
        return bool(seen & self.tiers[one]) and not seen & self.tiers[other]

    def _uses_openai_key(self) -> bool:
        chosen = (self.names - self.secrets) | {OPENAI}
        return bool(
            self.bench.run(chosen).shows({OPENAI})
            or self.bench.run({OPENAI}, api_base=BASE).shows({OPENAI})
        )

    def _sends_without_key(self) -> bool:
        chosen = self.names - self.secrets
        outcome = self.bench.run(chosen, **self.given)
        if not outcome.sent and not self.addresses:
            outcome = self.bench.run(chosen, api_base=BASE)
        return outcome.sent

    def _needs_no_key(self, base: Mapping[str, Any]) -> bool:
        """A server of one's own: on this machine by default, or given a placeholder for a key."""
        chosen = self.names - self.secrets
        given = {} if base.get("variable") else {"api_base": BASE}
        outcome = self.bench.run(chosen, **given)
        placeholder = any(
            re.fullmatch(r"Bearer (?!None).+", request.parts.get("authorization", ""))
            for request in outcome.requests
        )
        default = base.get("default")
        return outcome.sent and (is_local(default) or (placeholder and default is None))

    def _optional(self, base: Mapping[str, Any]) -> frozenset[str]:
        """Further variables that show in the call, none of them another way to authenticate."""
        others = {base["variable"]} if base.get("required") and base.get("variable") else set()
        plain = self.bench.run(self.wanted | others, **self.given)
        used = frozenset().union(*self.sets)
        found = set()
        for name in self.names - used:
            outcome = self.bench.run(self.wanted | others | {name}, **self.given)
            if value(name) == REGION:
                if REGION in outcome.url and REGION not in plain.url:
                    found.add(name)
            elif outcome.shows({name}) and outcome.shows(self.wanted) == plain.shows(self.wanted):
                found.add(name)
        return frozenset(found)

    # --- parameters

    def _credential(self, name: str, *, required: bool) -> dict[str, Any]:
        found: dict[str, Any] = {"variable": name}
        param = self._param(name)
        if param:
            found["param"] = param
        if required:
            found["required"] = True
        if SECRET.search(name):
            found["secret"] = True
        return found

    def _param(self, name: str) -> str | None:
        """The litellm_params key that puts its value where the variable's would be."""
        others = set(self.wanted)
        for names in self.sets:
            if name in names:
                others = set(names)
                break
        with_it = self.bench.run(others | {name}, **self.given)
        others -= {name}
        places = with_it.places(name)
        for param in self._param_names(name):
            outcome = self.bench.run(others, **{**self.given, param: value(name)})
            if value(name) == REGION:
                if REGION in outcome.url and REGION in with_it.url:
                    return param
            elif places and outcome.places(name) == places:
                return param
        if not places and with_it.sent:
            # Secrets that only sign: LiteLLM takes such keys from its params all or none.
            given = {p: value(n) for n in (*others, name) if (p := n.lower()) in self.params}
            if name.lower() in given and self.bench.run((), **self.given, **given).sent:
                return name.lower()
        return None

    def _param_names(self, name: str) -> list[str]:
        """Candidates: the variable's name, its tail, a longer form, the general key."""
        lower = name.lower()
        words = lower.split("_")
        tails = ["_".join(words[start:]) for start in range(len(words))]
        found = [tail for tail in tails if tail in self.params]
        found += sorted(p for p in self.params if p.startswith(f"{lower}_"))
        if ADDRESS.search(name):
            # base_url is another word for it, where there is no parameter of the variable's name.
            found = [*(p for p in found if p == lower), "api_base", *found]
        elif SECRET.search(name):
            found.append("api_key")
        return found

    def _ordered(self, names: Iterable[str]) -> list[str]:
        return sorted(names, key=lambda n: (n not in self.secrets, n))
