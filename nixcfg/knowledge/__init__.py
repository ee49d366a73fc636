"""What one LiteLLM release does with a configuration, as data.

``litellm.json`` (sections, keys, providers), ``models.json`` (model catalogue) and
``bare_models.json`` (names that need no provider before them) are written by
``tools/generate_knowledge.py`` from an installed LiteLLM; nothing here is typed by hand. Each is
read when something in it is looked up.

Section names are those of the configuration file, with four more for places that have no name of
their own: ``top_level`` (the file itself), ``deployment`` (an entry of ``model_list``),
``credential`` (an entry of ``credential_list``) and ``guardrail`` (an entry of ``guardrails``).
"""

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit


class Key(NamedTuple):
    """One key that LiteLLM really reads in a section.

    ``type`` is a union, joined with ``|``, of ``str int float bool list[str] list map any``.
    ``float`` takes an integer too. ``values`` are the only strings accepted, empty when any goes.
    ``required`` means that LiteLLM fails, or drops the entry, without it.
    ``database``: no effect, or refused, without a Postgres database.
    """

    name: str
    type: str
    secret: bool = False
    required: bool = False
    database: bool = False
    values: tuple[str, ...] = ()

    @property
    def types(self) -> frozenset[str]:
        return _types(self.type)


@cache
def _types(union: str) -> frozenset[str]:
    return frozenset(union.split("|"))


class Section(NamedTuple):
    """A section and what becomes of a key that LiteLLM does not know there.

    ``unknown`` is ``ignored`` (in silence), ``warned`` (ignored, with one line in the log),
    ``attribute`` (set on the litellm module, whatever it is called), ``sent`` (goes to the vendor
    in the request body), ``kept`` (free-form data) or ``refused``.
    ``coerced``: values pass through a pydantic model, so that ``"100"`` counts as 100.
    """

    name: str
    unknown: str
    coerced: bool
    keys: Mapping[str, Key]


class Credential(NamedTuple):
    """An environment variable that authenticates, or addresses, a provider.

    ``param`` is the ``litellm_params`` key that takes the same value, None when LiteLLM reads
    only the variable. ``file``: the value is the path of a credentials file.
    """

    variable: str
    param: str | None
    secret: bool
    file: bool
    required: bool


class ApiBase(NamedTuple):
    """How a provider's base URL is made.

    ``default`` is the base that LiteLLM uses when none is given; ``appends`` what it puts behind
    a base that is given; ``path`` how such a base has to end (``/v1``; empty for a bare host; None
    when unknown). ``slash``: a trailing slash does no harm. ``also`` are further endings that
    LiteLLM recognises and does not add again, and ``full`` says that the whole URL is one of them.
    ``{model}`` stands for the model's name, ``{VARIABLE}`` for a value. ``sent_to`` is another
    vendor's host, where prompts go when a provider that has no default of its own gets no base.
    """

    required: bool
    variable: str | None
    default: str | None
    appends: str | None
    path: str | None
    slash: bool
    also: tuple[str, ...]
    sent_to: str | None

    @property
    def full(self) -> bool:
        return self.appends is not None and self.appends in self.also


class ProviderFacts(NamedTuple):
    """One provider, by the prefix used in ``model: prefix/name``.

    ``credentials`` in the order to show them, required ones first. ``alternatives`` are other
    complete sets of variables that authenticate instead. ``competing`` are pairs (winner, loser)
    of variables: when both are set the winner is used. ``falls_back_to`` is another vendor's key
    variable, whose value is sent to this provider's host when its own is missing.
    ``sends_without_key``: requests leave without any key rather than failing.
    ``open_catalogue``: LiteLLM cannot know this provider's models.
    ``interactive_login``: asks for a device login in a browser, useless in a service.
    """

    name: str
    chat: bool
    credentials: tuple[Credential, ...]
    alternatives: tuple[tuple[str, ...], ...]
    competing: tuple[tuple[str, str], ...]
    api_base: ApiBase
    falls_back_to: str | None
    sends_without_key: bool
    open_catalogue: bool
    interactive_login: bool

    @property
    def key(self) -> Credential | None:
        """The credential that authenticates first, None for providers that need none."""
        return next((c for c in self.credentials if c.secret), None)


class ModelFacts(NamedTuple):
    """A catalogue entry. Costs in US dollars a token, dates as ``YYYY-MM-DD``, None = not told."""

    name: str
    provider: str
    mode: str | None
    max_input_tokens: int | None
    max_output_tokens: int | None
    input_cost_per_token: float | None
    output_cost_per_token: float | None
    deprecation_date: str | None


@cache
def _data() -> Any:
    return json.loads(Path(__file__).with_name("litellm.json").read_bytes())


@cache
def _catalogue() -> Any:
    return json.loads(Path(__file__).with_name("models.json").read_bytes())


@cache
def _bare() -> Any:
    return json.loads(Path(__file__).with_name("bare_models.json").read_bytes())


def __getattr__(name: str) -> Any:
    # Read on first use: importing the package costs nothing for commands that need no facts.
    if name == "LITELLM_VERSION":
        return _data()["litellm_version"]
    if name == "BLOCKED_VARIABLES":
        return frozenset(_data()["blocked_variables"])
    raise AttributeError(name)


LITELLM_VERSION: str
BLOCKED_VARIABLES: frozenset[str]


@cache
def sections() -> Mapping[str, Section]:
    """All sections by name."""
    return MappingProxyType(
        {
            name: Section(
                name=name,
                unknown=section["unknown"],
                coerced=section["coerced"],
                keys=MappingProxyType(
                    {
                        key: Key(
                            name=key,
                            type=facts["type"],
                            secret=facts.get("secret", False),
                            required=facts.get("required", False),
                            database=facts.get("database", False),
                            values=tuple(facts.get("values", ())),
                        )
                        for key, facts in section["keys"].items()
                    }
                ),
            )
            for name, section in _data()["sections"].items()
        }
    )


def keys(section: str) -> Mapping[str, Key]:
    """The keys that LiteLLM honours in a section; KeyError for an unknown section."""
    return sections()[section].keys


def honoured(section: str, key: str) -> bool:
    """Whether LiteLLM really reads ``key`` in ``section``, and it has an effect there."""
    return key in keys(section)


# Sections between which a key can stray: the nested ones share names (`type`, `host`, `ttl`)
# with each other by chance, so they are no home for a key found elsewhere.
_HOMES: Final = (
    "router_settings",
    "litellm_settings",
    "general_settings",
    "litellm_params",
    "deployment",
    "model_info",
    "top_level",
)


def homes(key: str) -> tuple[str, ...]:
    """The sections that honour ``key``, the likeliest first; empty for a key nobody knows."""
    return tuple(section for section in _HOMES if key in keys(section))


@cache
def providers() -> Mapping[str, ProviderFacts]:
    """All providers by prefix."""
    return MappingProxyType(
        {name: _provider(name, facts) for name, facts in _data()["providers"].items()}
    )


@cache
def provider(name: str) -> ProviderFacts | None:
    """The provider with this prefix, None when LiteLLM has none."""
    facts = _data()["providers"].get(name)
    return None if facts is None else _provider(name, facts)


def _provider(name: str, facts: Mapping[str, Any]) -> ProviderFacts:
    base = facts["api_base"]
    return ProviderFacts(
        name=name,
        chat=facts["chat"],
        credentials=tuple(
            Credential(
                variable=item["variable"],
                param=item.get("param"),
                secret=item.get("secret", False),
                file=item.get("file", False),
                required=item.get("required", False),
            )
            for item in facts["credentials"]
        ),
        alternatives=tuple(tuple(names) for names in facts.get("alternatives", ())),
        competing=tuple((winner, loser) for winner, loser in facts.get("competing", ())),
        api_base=ApiBase(
            required=base.get("required", False),
            variable=base.get("variable"),
            default=base.get("default"),
            appends=base.get("appends"),
            path=base.get("path"),
            slash=base.get("slash", True),
            also=tuple(base.get("also", ())),
            sent_to=base.get("sent_to"),
        ),
        falls_back_to=facts.get("falls_back_to"),
        sends_without_key=facts.get("sends_without_key", False),
        open_catalogue=facts.get("open_catalogue", False),
        interactive_login=facts.get("interactive_login", False),
    )


@cache
def file_variables() -> frozenset[str]:
    """The variables that hold the path of a file with credentials, of all providers."""
    return frozenset(
        item["variable"]
        for facts in _data()["providers"].values()
        for item in facts["credentials"]
        if item.get("file")
    )


@cache
def competing() -> frozenset[tuple[str, str]]:
    """Pairs of variables of which LiteLLM uses the first when both are set, of all providers."""
    return frozenset(
        (winner, loser)
        for facts in _data()["providers"].values()
        for winner, loser in facts.get("competing", ())
    )


def callbacks(setting: str) -> frozenset[str]:
    """Names known to ``callbacks``, ``success_callback`` or ``failure_callback``.

    An entry with a dot is imported as ``module.attribute`` instead, and one named in the
    top-level ``callback_settings`` with ``callback_type: generic_api`` counts as known.
    """
    return frozenset(_data()["callbacks"].get(setting, ()))


@lru_cache(maxsize=4096)  # rules and model ask about the same deployment in turn
def split_model(  # noqa: C901 - one branch a step, in the order of LiteLLM's own
    model: str, custom_llm_provider: str | None = None, api_base: str | None = None
) -> tuple[str | None, str]:
    """Provider and bare name of a ``litellm_params.model``, as litellm.get_llm_provider finds them.

    None as provider is the case where LiteLLM says "LLM Provider NOT provided" and drops the
    deployment. ``custom_llm_provider`` and ``api_base`` are the entry's own, when it has them: a
    known vendor's host decides when the name does not. An unknown ``custom_llm_provider`` is
    handed back as it is, so ask ``provider()`` about the result. A full model name with a known
    prefix is decided without reading the catalogue.
    """
    rules = _data()["routing"]
    prefixes = _data()["providers"]
    moved = rules["renamed"].get(model)
    if moved is not None and model.split("/", maxsplit=1)[0] in rules["renamed_in_name_only"]:
        return moved[0], moved[1]  # looked at before the declared provider is
    if custom_llm_provider and model.split("/", maxsplit=1)[0] != custom_llm_provider:
        model = f"{custom_llm_provider}/{model}"
        declared = custom_llm_provider in rules["renamed_in_name_only"]
    else:
        declared = False
    moved = rules["renamed"].get(model)
    if moved is not None and not declared:
        return moved[0], moved[1]
    prefix, slash, rest = model.partition("/")
    if slash and prefix in prefixes:
        if prefix == custom_llm_provider and prefix in rules["keeps_own_prefix"]:
            return prefix, rest if "/" in rest else model
        if prefix in rules["shapes"] and not re.fullmatch(rules["shapes"][prefix], model):
            return None, model
        region, _, behind = rest.partition("/")
        if prefix in rules["drops_region"] and region in rules["regions"]:
            rest = behind or rest
        return prefix, model if prefix in rules["keeps_prefix"] else rest
    if model in prefixes:
        return None, model  # LiteLLM looks for the part behind the slash and fails
    if api_base:
        for endpoint, name in rules["endpoints"]:
            if _is_endpoint(api_base, endpoint):
                return (None if name is None else str(name)), model
    return _bare_provider(model, rules) or custom_llm_provider, model


def _is_endpoint(api_base: str, endpoint: str) -> bool:
    """Same host, and the endpoint's path is the start of the base's."""
    wanted = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
    given = urlsplit(api_base if "://" in api_base else f"https://{api_base}")
    path = wanted.path.rstrip("/")
    return given.hostname == wanted.hostname and (given.path.rstrip("/") + "/").startswith(
        path + "/"
    )


def _bare_provider(model: str, rules: Mapping[str, Any]) -> str | None:
    known = _bare().get(model)
    if known is not None:
        return str(known)
    for pattern, name in rules["patterns"]:
        if re.search(pattern, model):
            return str(name)
    return None


@cache
def models(provider: str) -> Mapping[str, ModelFacts]:
    """The catalogue of one provider, by name without prefix; empty for an unknown one."""
    columns = _catalogue()["columns"]
    return MappingProxyType(
        {
            name: ModelFacts(name=name, provider=provider, **dict(zip(columns, row, strict=True)))
            for name, row in _catalogue()["models"].get(provider, {}).items()
        }
    )


def shared_catalogues(provider: str) -> tuple[str, ...]:
    """Other providers whose entries LiteLLM also looks a model of this one up in."""
    return tuple(_data()["routing"]["shares_catalogue"].get(provider, ()))


def bare_models() -> Mapping[str, str]:
    """Model names that LiteLLM accepts without a prefix, and the provider that each leads to."""
    return MappingProxyType(_bare())


def find_model(model: str, provider: str | None = None) -> ModelFacts | None:
    """The catalogue entry that LiteLLM would price this model with, None when it has none."""
    found, name = split_model(model, provider)
    if found is None:
        return None
    for catalogue in (found, *shared_catalogues(found)):
        facts = models(catalogue)
        if name in facts:
            return facts[name]
    # `ai21/jamba-1.5` goes to ai21_chat, and is listed under the name that was given.
    prefix, _, rest = model.partition("/")
    return models(prefix).get(rest)
