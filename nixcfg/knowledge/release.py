"""What one LiteLLM release does with a configuration: sections, keys, providers, models."""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, Final

from nixcfg.knowledge import routing, store
from nixcfg.knowledge.entries import Entries
from nixcfg.knowledge.facts import ApiBase, Credential, Key, ModelFacts, ProviderFacts, Section
from nixcfg.knowledge.fates import Fates
from nixcfg.knowledge.listing import Listing, families, listing
from nixcfg.knowledge.params import Params

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


class Knowledge:
    """The set of one release; ``stored`` is its folder in releases/, None for the default set.

    Frozen but for what it has read: each file is read when something in it is looked up.
    """

    def __init__(self, stored: str | None) -> None:
        self._stored = stored
        self._providers: dict[str, ProviderFacts | None] = {}
        self._models: dict[str, Mapping[str, ModelFacts]] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._listings: dict[str, Listing] = {}
        # Rules and model ask about the same deployment in turn.
        self.split_model = lru_cache(maxsize=4096)(self._split_model)

    def __repr__(self) -> str:
        return f"Knowledge({self.version!r})"

    @cached_property
    def _data(self) -> Any:
        return store.read(self._stored, "litellm")

    @cached_property
    def _catalogue(self) -> Any:
        return store.read(self._stored, "models")

    @cached_property
    def _bare(self) -> Mapping[str, str]:
        found: Mapping[str, str] = store.read(self._stored, "bare_models")
        return found

    @property
    def version(self) -> str:
        """The release, as ``1.106.2``."""
        return str(self._stored or self._data["litellm_version"])

    @property
    def migrations(self) -> int | None:
        """How many migrations of its database it has in all, None where that is not known."""
        found: int | None = self._data.get("migrations")
        return found

    @cached_property
    def blocked_variables(self) -> frozenset[str]:
        """Variables that LiteLLM refuses to set from environment_variables."""
        return frozenset(self._data["blocked_variables"])

    @cached_property
    def environments(self) -> frozenset[str]:
        """What LITELLM_ENVIRONMENT and supported_environments of a deployment may be."""
        return frozenset(self._data["environments"])

    @cached_property
    def refused(self) -> Mapping[str, Any]:
        """Kinds of values that keep LiteLLM from starting: tools/measure_refusals.py."""
        found: Mapping[str, Any] = store.read(self._stored, "refused")
        return found

    @cached_property
    def behaviour(self) -> Mapping[str, str | bool]:
        """What becomes of values that one release takes and another does not.

        By the name of a question in tools/measure_behaviour.py.
        """
        found: Mapping[str, str | bool] = store.read(self._stored, "behaviour")
        return found

    @cached_property
    def entries(self) -> Entries:
        """What becomes of the entries of sections: tools/measure_entries.py."""
        return Entries(store.read(self._stored, "entries"))

    @cached_property
    def variables_at_import(self) -> frozenset[str]:
        """Variables that LiteLLM reads before its configuration: tools/measure_variables.py."""
        return frozenset(store.read(self._stored, "variables")["at_import"])

    @cached_property
    def params(self) -> Params:
        """Which vendors read a parameter: tools/measure_params.py."""
        return Params(store.read(self._stored, "vendor_params"))

    @cached_property
    def fates(self) -> Fates:
        return Fates(store.read(self._stored, "fates"))

    @cached_property
    def _sections(self) -> Mapping[str, Section]:
        return MappingProxyType(
            {name: _section(name, facts) for name, facts in self._data["sections"].items()}
        )

    @cached_property
    def _access(self) -> Mapping[str, Mapping[str, Key]]:
        data: Mapping[str, Mapping[str, Any]] = store.read(self._stored, "access")
        return {kind: _keys(fields) for kind, fields in data.items()}

    def access(self, kind: str) -> Mapping[str, Key]:
        """What the admin API lets a ``team``, a ``user`` or a ``key`` be given, by name."""
        return self._access[kind]

    @cached_property
    def _defaults(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = store.read(self._stored, "defaults")
        return found

    def defaults(self, section: str) -> Mapping[str, Any]:
        """What settings of a section are where a file does not say, as far as that is known."""
        return self._defaults.get(section, {})

    def description(self, section: str, key: str) -> str:
        """What a setting means, in a sentence; "" for one that is not known."""
        return _described("text", section, key)

    def deprecated(self, section: str, key: str) -> str:
        """What to use in place of a setting that is there for old files only, "" for others."""
        return _described("deprecated", section, key)

    def is_internal(self, section: str, key: str) -> bool:
        """Whether LiteLLM itself sets this while a request runs, and no file should."""
        return self.description(section, key).startswith("Internal:")

    def sections(self) -> Mapping[str, Section]:
        """All sections by name."""
        return self._sections

    def keys(self, section: str) -> Mapping[str, Key]:
        """The keys that LiteLLM honours in a section; KeyError for an unknown section."""
        return self._sections[section].keys

    def names(self, section: str) -> frozenset[str]:
        """The names of those keys, as one value whose hash is made once."""
        if section not in self._names:
            self._names[section] = frozenset(self.keys(section))
        return self._names[section]

    def honoured(self, section: str, key: str) -> bool:
        """Whether LiteLLM really reads ``key`` in ``section``, and it has an effect there."""
        return key in self.keys(section)

    def homes(self, key: str) -> tuple[str, ...]:
        """The sections that honour ``key``, the likeliest first; empty for an unknown key."""
        return tuple(section for section in _HOMES if key in self.keys(section))

    def providers(self) -> Mapping[str, ProviderFacts]:
        """All providers by prefix."""
        found = {name: self.provider(name) for name in self._data["providers"]}
        return MappingProxyType({name: facts for name, facts in found.items() if facts})

    def provider(self, name: str) -> ProviderFacts | None:
        """The provider with this prefix, None when LiteLLM has none."""
        if name not in self._providers:
            facts = self._data["providers"].get(name)
            self._providers[name] = None if facts is None else _provider(name, facts)
        return self._providers[name]

    @cached_property
    def _file_variables(self) -> frozenset[str]:
        return frozenset(
            item["variable"]
            for facts in self._data["providers"].values()
            for item in facts["credentials"]
            if item.get("file")
        )

    def file_variables(self) -> frozenset[str]:
        """The variables that hold the path of a file with credentials, of all providers."""
        return self._file_variables

    @cached_property
    def _competing(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (winner, loser)
            for facts in self._data["providers"].values()
            for winner, loser in facts.get("competing", ())
        )

    def competing(self) -> frozenset[tuple[str, str]]:
        """Pairs of variables of which LiteLLM uses the first when both are set."""
        return self._competing

    def callbacks(self, setting: str) -> frozenset[str]:
        """Names known to ``callbacks``, ``success_callback`` or ``failure_callback``.

        An entry with a dot is imported as ``module.attribute`` instead, and one named in the
        top-level ``callback_settings`` with ``callback_type: generic_api`` counts as known.
        """
        return frozenset(self._data["callbacks"].get(setting, ()))

    def _split_model(
        self, model: str, custom_llm_provider: str | None = None, api_base: str | None = None
    ) -> tuple[str | None, str]:
        """Provider and bare name of a ``litellm_params.model``, as litellm.get_llm_provider does.

        None as provider is the case where LiteLLM says "LLM Provider NOT provided" and drops the
        deployment. ``custom_llm_provider`` and ``api_base`` are the entry's own, when it has them:
        a known vendor's host decides when the name does not. An unknown ``custom_llm_provider`` is
        handed back as it is, so ask ``provider()`` about the result. A full model name with a
        known prefix is decided without reading the catalogue.
        """
        return routing.split(
            model,
            custom_llm_provider,
            api_base,
            rules=self._data["routing"],
            prefixes=self._data["providers"],
            bare=lambda: self._bare,
        )

    def models(self, provider: str) -> Mapping[str, ModelFacts]:
        """The catalogue of one provider, by name without prefix; empty for an unknown one."""
        if provider not in self._models:
            columns = self._catalogue["columns"]
            self._models[provider] = MappingProxyType(
                {
                    name: ModelFacts(name, provider, **dict(zip(columns, row, strict=True)))
                    for name, row in self._catalogue["models"].get(provider, {}).items()
                }
            )
        return self._models[provider]

    def regions(self, model: str) -> tuple[str, ...]:
        """Where alone LiteLLM asks Vertex AI for this model, the first if no one names a region."""
        return tuple(self._catalogue["regions"].get(model, ()))

    @cached_property
    def _common(self) -> frozenset[str]:
        return families(self._catalogue["models"].values())

    def listing(self, provider: str) -> Listing:
        """How much LiteLLM's list of a provider's models says."""
        if provider not in self._listings:
            found = listing(self.provider(provider), self.models(provider), self._common)
            self._listings[provider] = found
        return self._listings[provider]

    def shared_catalogues(self, provider: str) -> tuple[str, ...]:
        """Other providers whose entries LiteLLM also looks a model of this one up in."""
        return tuple(self._data["routing"]["shares_catalogue"].get(provider, ()))

    def bare_models(self) -> Mapping[str, str]:
        """Model names that LiteLLM accepts without a prefix, and the provider of each."""
        return MappingProxyType(dict(self._bare))

    def find_model(self, model: str, provider: str | None = None) -> ModelFacts | None:
        """The catalogue entry that LiteLLM would price this model with, None when it has none."""
        found, name = self.split_model(model, provider)
        if found is None:
            return None
        for catalogue in (found, *self.shared_catalogues(found)):
            facts = self.models(catalogue)
            if name in facts:
                return facts[name]
        # `ai21/jamba-1.5` goes to ai21_chat, and is listed under the name that was given.
        prefix, _, rest = model.partition("/")
        return self.models(prefix).get(rest)


def _described(what: str, section: str, key: str) -> str:
    """A text of descriptions.json, which is about settings by name, whatever the release."""
    texts = store.read(None, "descriptions")[what]
    found = texts.get(section, {}).get(key) or texts["*"].get(key)
    return str(found or "")


def _section(name: str, facts: Mapping[str, Any]) -> Section:
    return Section(name, facts["unknown"], facts["coerced"], _keys(facts["keys"]))


def _keys(facts: Mapping[str, Any]) -> Mapping[str, Key]:
    keys = {
        key: Key(
            name=key,
            type=each["type"],
            secret=each.get("secret", False),
            required=each.get("required", False),
            database=each.get("database", False),
            values=tuple(each.get("values", ())),
            licence=each.get("licence", False),
        )
        for key, each in facts.items()
    }
    return MappingProxyType(keys)


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
