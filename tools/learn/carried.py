"""What becomes of a parameter on the way to each provider, by experiment.

A call is made per provider with the network cut, once as it is and once with each parameter, which
holds a text of its own. The request then shows whether LiteLLM sent the parameter, used it or left
it out; where no request was made, LiteLLM refused it.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from learn import wire
from learn.bench import BASE, KEY, PLACEHOLDERS, Bench, endpoints, samples
from learn.unprobed import REGIONS, UNPROBED
from learn.wire import Outcome, value

CLOUDS = ("aws_", "azure_", "oci_", "sagemaker_", "vertex_", "watsonx_")
"""What the parameters of one cloud begin with; LiteLLM has rules of its own for some of them."""
PROBE = "nixcfg_probe"
TEXT = "nixcfg-carried"
# Where the first model of the catalogue goes by another way than most.
ROUTES = {"bedrock": {"chat": "converse/amazon.nova-pro-v1:0"}}
# What a call is made with anyway, or what keeps it from being made.
_NOT_ASKED = frozenset(
    {"api_base", "api_key", "base_url", "custom_llm_provider", "max_retries", "messages", "model"}
    | {"mock_response", "mock_timeout", "num_retries", "timeout"}
)


class Caller:
    """Calls to one provider with what it needs, and one parameter more."""

    def __init__(self, name: str, facts: Mapping[str, Any], models: Mapping[str, str]) -> None:
        self.bench = Bench.plain(name)
        self.variables = {c["variable"] for c in facts["credentials"] if c.get("required")}
        self.given: dict[str, str] = {}
        self.plain = self._first_sent(models, required=facts["api_base"].get("required", False))

    def _first_sent(self, models: Mapping[str, str], *, required: bool) -> Outcome | None:
        own = {"api_base": BASE, "api_key": KEY}
        for self.given in ({"api_base": BASE} if required else {}, own):
            for self.bench.kind in endpoints():
                listed = [models[self.bench.kind]] if self.bench.kind in models else []
                for self.bench.model in (*listed, *PLACEHOLDERS):
                    outcome = self.bench.run(self.variables, **self.given)
                    if outcome.sent:
                        return outcome
        return None

    def verdict(self, key: str, given: Any = TEXT) -> str:
        """`sent` under its name, `used` otherwise, `unseen` in the request, or `refused`."""
        outcome = self.bench.run(self.variables, **self.given, **{key: given})
        call = outcome.call
        if call is None or self.plain is None or self.plain.call is None:
            return "refused"
        if key in call.parts["body"] or f"{key}=" in call.url:
            return "sent"
        seen = any(TEXT in text for text in call.parts.values())
        return "used" if seen or call.url != self.plain.call.url else "unseen"

    def region(self) -> str:
        """The region in the address of a call that names none."""
        found = re.search(r"\.([a-z]{2}-[a-z]+-\d)\.", self.plain.url if self.plain else "")
        return found[1] if found else ""


def prepare() -> None:
    """Cut the network, and catch what LiteLLM would send."""
    wire.cut_network()
    import litellm

    wire.skip_reports()
    litellm.suppress_debug_info = True
    litellm.disable_hf_tokenizer_download = True
    wire.catch_requests()
    wire.watch_environment()


def callers(facts: Mapping[str, Any]) -> Iterator[Caller]:
    """One for each provider to which a call can be made; `facts` are those of litellm.json."""
    models = samples()
    for name in sorted(facts["providers"].keys() - UNPROBED.keys()):
        if not facts["providers"][name].get("interactive_login"):
            caller = Caller(
                name, facts["providers"][name], ROUTES.get(name) or models.get(name, {})
            )
            if caller.plain:
                yield caller


def carried(facts: Mapping[str, Any], others: Collection[str]) -> dict[str, Any]:
    """What becomes of parameters; `others` are those that some code reads, but no list holds.

    `unsent`: parameters that LiteLLM keeps for itself, or for the providers that read them.
    `nested`: the providers that are sent an extra_body as it is, with its name.
    `clouds`: the providers that read the parameters of one cloud; `regions`: where their requests
    go when no one says.
    """
    known = facts["sections"]["litellm_params"]["keys"].keys()
    clouds = {cloud: set(_by_name(cloud, facts)) for cloud in CLOUDS}
    nested, unsent, regions = list[str](), list[str](), dict(REGIONS)
    for caller in callers(facts):
        name = caller.bench.name
        if caller.verdict("extra_body", {PROBE: TEXT}) == "sent":
            nested.append(name)
        for cloud in CLOUDS:
            if any(_reads(caller, key) for key in sorted(known) if key.startswith(cloud)):
                clouds[cloud].add(name)
        region = caller.region()
        if region and name in clouds["aws_"]:
            regions[name] = region
        if name == "openai":
            unsent = _unsent(caller, known, facts, others)
    return {
        "clouds": {cloud: sorted(names) for cloud, names in clouds.items()},
        "nested": nested,
        "regions": regions,
        "unsent": unsent,
    }


def _reads(caller: Caller, key: str) -> bool:
    """Whether what this parameter holds decides about the request."""
    return "used" in (caller.verdict(key), caller.verdict(key, value(key.upper())))


def _by_name(cloud: str, facts: Mapping[str, Any]) -> Iterator[str]:
    """The providers that are called like the cloud: some of them no call reaches."""
    stem = cloud.removesuffix("_")
    yield from (name for name in facts["providers"] if name.startswith(stem))


def _unsent(
    caller: Caller, known: Collection[str], facts: Mapping[str, Any], others: Collection[str]
) -> list[str]:
    """Parameters that are not sent, though nothing of what begins like them is left out."""
    sections = facts["sections"].values()
    names = {*others, *(key for section in sections for key in section["keys"])}
    found = {each for each in known if each.startswith(CLOUDS) and caller.verdict(each) == "unseen"}
    for name in sorted(names - {*known} - _NOT_ASKED):
        # A text may not be the form that it has.
        forms: tuple[Any, ...] = (TEXT, [TEXT], [{"role": TEXT}])
        if [caller.verdict(name, each) for each in forms].count("unseen") > 1:
            found.add(name)
    return sorted(found)
