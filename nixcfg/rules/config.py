"""A LiteLLM configuration as the rules look at it: whatever parts of it make sense.

Unlike model.py, which needs a file that passed its schema, this takes any document, so that a
mistake in one place hides no other mistake, and LiteLLM's own files need no project.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nixcfg import knowledge
from nixcfg.knowledge import ProviderFacts
from nixcfg.problems.problem import Steps
from nixcfg.project.model import ENVIRONMENT, MODELS, SETTINGS
from nixcfg.project.values import referenced
from nixcfg.yamltext.source import Document, Map

ALIASES = (("router_settings", "model_group_alias"), ("litellm_settings", "model_group_alias"))


@dataclass(frozen=True, slots=True)
class Deployment:
    """An entry of model_list; `name`, `model` and `provider` are None where they say nothing.

    `model` is litellm_params.model as written, `provider` and `bare` what LiteLLM makes of it,
    `facts` what is known of that provider.
    """

    index: int
    entry: Mapping[str, Any]
    params: Mapping[str, Any]
    name: str | None
    model: str | None
    provider: str | None
    bare: str
    facts: ProviderFacts | None

    @property
    def path(self) -> Steps:
        return (MODELS, self.index)

    @property
    def params_path(self) -> Steps:
        return (MODELS, self.index, "litellm_params")

    @property
    def api_base(self) -> Any:
        """The base URL of this deployment; LiteLLM takes `base_url` for `api_base`."""
        return self.params.get("api_base", self.params.get("base_url"))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a file cannot say about itself.

    `alone`: no project around it, so nothing is known of the environment it will run in.
    `today` decides which models are retired; without it none is. `names` are the model names
    that other files offer, `loaded` those of the configuration that the container loads, where
    this file is part of it. `secrets` and `environment` are what nixcfg.yaml wires for everyone.
    `credentials` are the named ones that other files define. `files` lie beside the file,
    `missing` are those that it includes in vain; `included`: another LiteLLM file includes this
    one. Not `complete`: names may stand in files that could not be read.
    """

    alone: bool = False
    today: dt.date | None = None
    names: frozenset[str] = frozenset()
    loaded: frozenset[str] | None = None
    secrets: frozenset[str] = frozenset()
    environment: Mapping[str, Any] = field(default_factory=dict)
    credentials: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    included: bool = False
    complete: bool = True


@dataclass(frozen=True)
class Config:
    """One document: a provider file, nixcfg.yaml's own settings, or a LiteLLM file alone."""

    document: Document
    around: Surroundings
    is_project_file: bool = False

    @property
    def alone(self) -> bool:
        return self.around.alone

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
        return tuple(_deployments(entries)) if isinstance(entries, list) else ()

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """The environment_variables section."""
        return {} if self.is_project_file else self.section(ENVIRONMENT)

    def section(self, name: str) -> Mapping[str, Any]:
        """A section, empty when it is absent or no mapping."""
        value = self.data.get(name)
        return value if isinstance(value, Map) else {}

    def settings(self) -> Iterator[tuple[str, str, Any]]:
        """(section, key, value) of the three sections that hold settings."""
        for section in SETTINGS:
            for key, value in self.section(section).items():
                yield section, key, value

    @cached_property
    def names(self) -> frozenset[str]:
        """The model names that this file offers."""
        return frozenset(d.name for d in self.deployments if d.name)

    @cached_property
    def aliases(self) -> frozenset[str]:
        """The names that are aliases of a model."""
        return frozenset(
            alias
            for section, key in ALIASES
            if isinstance(aliases := self.section(section).get(key), Map)
            for alias in aliases
        )

    def variable_is_wired(self, variable: str) -> bool | None:
        """Whether the container has this variable; None where nobody can know."""
        if variable in self.environment or variable in self.around.environment:
            return True
        if variable in self.around.secrets:
            return True
        return None if self.alone else False


def scalars(value: Any, path: Steps = ()) -> list[tuple[Steps, Any]]:
    """Every scalar in a value, also in lists, with its path."""
    found: list[tuple[Steps, Any]] = []
    _collect(value, path, found)
    return found


def _collect(value: Any, path: Steps, found: list[tuple[Steps, Any]]) -> None:
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            _collect(inner, (*path, step), found)
    else:
        found.append((path, value))


def _deployments(entries: list[Any]) -> Iterator[Deployment]:
    for index, entry in enumerate(entries):
        params = entry.get("litellm_params") if isinstance(entry, Map) else None
        if isinstance(params, Map):
            yield _deployment(index, entry, params)


def _deployment(index: int, entry: Map, params: Map) -> Deployment:
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
    )
