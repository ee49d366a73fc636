"""What a rule is given: a document or a project, and what is known around it.

Unlike the model, which needs a file that passed its schema, a rule takes any document: a mistake in
one place hides no other mistake, and LiteLLM's own files need no project. What a name, an alias, a
credential or a setting in its place is, is decided here, once for every rule and every file.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from nixcfg.knowledge import Choice, Knowledge, ProviderFacts, choose
from nixcfg.problems.problem import Steps
from nixcfg.project.merge import honouring_section
from nixcfg.project.model import ENVIRONMENT, MODELS, SETTINGS, Project
from nixcfg.project.values import referenced
from nixcfg.yamltext.document import Document, Map


@dataclass(frozen=True, slots=True)
class Deployment:
    """An entry of model_list; `name`, `model` and `provider` are None where they say nothing.

    `model` is litellm_params.model as written, `provider` and `bare` what LiteLLM makes of it,
    `facts` what is known of that provider. `api_base` is also what is written as `base_url`.
    """

    index: int
    entry: Mapping[str, Any]
    params: Mapping[str, Any]
    name: str | None
    model: str | None
    provider: str | None
    bare: str
    facts: ProviderFacts | None
    api_base: Any

    @property
    def path(self) -> Steps:
        return (MODELS, self.index)

    @property
    def params_path(self) -> Steps:
        return (MODELS, self.index, "litellm_params")


class Setting(NamedTuple):
    """A setting where LiteLLM honours it: as `key` of `section`. `path` is where it is written.

    Where no section honours it, `section` is the one that holds it.
    """

    path: Steps
    section: str
    key: str
    value: Any


Place = tuple[str, str]
"""A section and a key in it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one document adds to the configuration of which it is a part.

    `names` are all that the router resolves because of it: names, ids and LiteLLM's own names of
    models, aliases, and groups; each may be asked for. `settings` are where LiteLLM is given them.
    """

    names: frozenset[str]
    credentials: frozenset[str]
    guardrails: frozenset[str]
    settings: Mapping[Place, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Context:
    """What a document cannot say about itself.

    `standalone`: no project around it, so nothing is known of the environment it will run in.
    `today` decides which models are retired; without it none is. `names` are what all files offer
    (see `Offer`), `loaded` those of the configuration that the container loads, where this file is
    part of it; `given` are the values of that configuration's settings, by section and key.
    `secrets` and `environment` are what nixcfg.yaml wires for everyone, `credentials` and
    `guardrails` the named ones that any file defines.
    `files` are beside the document, `missing` are those it includes that do not exist; `included`:
    another LiteLLM file includes this one. Not `complete`: names may be in files that could not
    be read.
    """

    standalone: bool = False
    today: dt.date | None = None
    names: frozenset[str] = frozenset()
    loaded: frozenset[str] | None = None
    given: Mapping[Place, Sequence[Any]] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    environment: Mapping[str, Any] = field(default_factory=dict)
    credentials: frozenset[str] = frozenset()
    guardrails: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    included: bool = False
    complete: bool = True
    chosen: Choice = field(default_factory=choose)


@dataclass(frozen=True)
class Config:
    """One document: a provider file, nixcfg.yaml's own settings, or a LiteLLM file on its own."""

    document: Document
    context: Context
    is_project_file: bool = False

    @property
    def standalone(self) -> bool:
        return self.context.standalone

    @property
    def knowledge(self) -> Knowledge:
        """What the LiteLLM release does that this document is for."""
        return self.context.chosen.knowledge

    @property
    def litellm(self) -> str:
        """`LiteLLM 1.106.2`: the release that a message is about."""
        return f"LiteLLM {self.knowledge.version}"

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """The document's mapping, empty when it is none."""
        data = self.document.data
        return data if isinstance(data, Map) else {}

    @cached_property
    def deployments(self) -> tuple[Deployment, ...]:
        """The entries of model_list that are mappings with litellm_params."""
        if self.is_project_file:
            return ()
        entries = self.data.get(MODELS)
        return tuple(_deployments(self.knowledge, entries)) if isinstance(entries, list) else ()

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """The environment_variables section."""
        return {} if self.is_project_file else self.section(ENVIRONMENT)

    def section(self, name: str) -> Mapping[str, Any]:
        """A section as it is written, empty when it is absent or no mapping."""
        return _mapping(self.data, name)

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Every setting as it is written: each rule looks for its own mistake where it was made."""
        return tuple(settings(self.data))

    @cached_property
    def _moved(self) -> tuple[Setting, ...]:
        return tuple(settings(self.data, None if self.standalone else self.knowledge))

    def given(self, section: str, key: str) -> list[Setting]:
        """What this document gives LiteLLM as `key` of `section`, wherever it has it written."""
        return [each for each in self._moved if (each.section, each.key) == (section, key)]

    def values(self, section: str, key: str) -> list[Any]:
        """The same, then what other files of the configuration give there.

        What another file gives, or nixcfg renders in its place, is not missing.
        """
        own = [each.value for each in self.given(section, key)]
        return [*own, *self.context.given.get((section, key), ())]

    def has(self, section: str, key: str) -> bool:
        """Whether LiteLLM is given something there that is not empty."""
        return any(self.values(section, key))

    def variable_is_wired(self, variable: str) -> bool | None:
        """Whether the container has this variable; None where it cannot be known."""
        if variable in self.environment or variable in self.context.environment:
            return True
        if variable in self.context.secrets:
            return True
        return None if self.standalone else False


@dataclass(frozen=True, slots=True)
class Whole:
    """A project, with the names of all its provider files: also of those too broken to be in it.

    `root` is the absolute path of its folder, "" where it is in none.
    """

    project: Project
    files: Collection[str]
    root: str = ""


def settings(data: Any, knowledge: Knowledge | None = None) -> Iterator[Setting]:
    """Every setting of a document of any shape; with `knowledge` in the section that honours it.

    LiteLLM ignores a setting elsewhere, and nixcfg renders it where it is honoured.
    """
    for section in SETTINGS:
        for key, value in _mapping(data, section).items():
            home = (honouring_section(knowledge, section, key) if knowledge else None) or section
            yield Setting((section, key), home, key, value)


def offer(document: Document, knowledge: Knowledge, *, standalone: bool = False) -> Offer:
    """What a document of any shape offers. In a LiteLLM file on its own no setting is moved."""
    return Offer(
        names=frozenset(_names(document, knowledge)),
        credentials=frozenset(_texts(_list(document.data, "credential_list"), "credential_name")),
        guardrails=frozenset(_guardrails(document.data)),
        settings=joined(
            {(each.section, each.key): (each.value,)}
            for each in settings(document.data, None if standalone else knowledge)
        ),
    )


def joined(several: Iterable[Mapping[Place, Sequence[Any]]]) -> dict[Place, list[Any]]:
    """The values of several documents, by place."""
    found: dict[Place, list[Any]] = defaultdict(list)
    for each in several:
        for place, values in each.items():
            found[place] += values
    return found


def _names(document: Document, knowledge: Knowledge) -> Iterator[str]:
    for setting in settings(document.data, knowledge):
        if (setting.section, setting.key) == ("router_settings", "model_group_alias"):
            yield from map(str, setting.value if isinstance(setting.value, Map) else ())
        elif (setting.section, setting.key) == ("router_settings", "routing_groups"):
            yield from _texts(setting.value, "group_name")
    for entry in _list(document.data, MODELS):
        if isinstance(entry, Map) and entry:
            model = _mapping(entry, "litellm_params").get("model")
            for name in (entry.get("model_name"), model, _mapping(entry, "model_info").get("id")):
                if isinstance(name, str):
                    yield name


def _guardrails(data: Any) -> Iterator[str]:
    """The names in both forms: entries at the top level, and the older ones in litellm_settings."""
    yield from _texts(_list(data, "guardrails"), "guardrail_name")
    for item in _list(_mapping(data, "litellm_settings"), "guardrails"):
        yield from map(str, item if isinstance(item, Map) else ())


def variable_stores_models(environment: Mapping[str, Any]) -> bool:
    """Whether the environment has LiteLLM take models from its database."""
    return str(environment.get("STORE_MODEL_IN_DB")).lower() == "true"


def _texts(items: Any, key: str) -> Iterator[str]:
    for item in items if isinstance(items, list) else ():
        value = item.get(key) if isinstance(item, dict) else None
        if isinstance(value, str):
            yield value


def _mapping(data: Any, key: str) -> Mapping[str, Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, Map) else {}


def _list(data: Any, key: str) -> list[Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, list) else []


def _deployments(knowledge: Knowledge, entries: list[Any]) -> Iterator[Deployment]:
    for index, entry in enumerate(entries):
        params = entry.get("litellm_params") if isinstance(entry, Map) else None
        if isinstance(params, Map):
            yield _deployment(knowledge, index, entry, params)


def _deployment(knowledge: Knowledge, index: int, entry: Map, params: Map) -> Deployment:
    name, model = entry.get("model_name"), params.get("model")
    provider, bare = None, ""
    if isinstance(model, str) and referenced(model) is None:
        custom, base = params.get("custom_llm_provider"), params.get("api_base")
        provider, bare = knowledge.split_model(
            model,
            custom if isinstance(custom, str) else None,
            base if isinstance(base, str) and not referenced(base) else None,
        )
    return Deployment(
        index=index,
        entry=entry,
        params=params,
        name=name if isinstance(name, str) else None,
        model=model if isinstance(model, str) else None,
        provider=provider,
        bare=bare,
        facts=knowledge.provider(provider) if provider else None,
        api_base=params.get("api_base", params.get("base_url")),
    )
