"""A provider of the project with more models. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nixcfg import knowledge
from nixcfg.project import wiring
from nixcfg.project.find import Sources
from nixcfg.project.model import MODELS
from nixcfg.providers.add import model_names
from nixcfg.providers.amendment import (
    AmendError,
    Amendment,
    amended_report,
    refuse_invalid,
    refuse_unreadable,
)
from nixcfg.yamltext import editor
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import AddItem, RefusedError

_CONNECTION = frozenset(
    {"api_base", "api_key", "api_version", "base_url", "custom_llm_provider", "headers"}
    | {"extra_headers", "litellm_credential_name", "organization"}
)
_FAMILIES = ("aws_", "azure_", "vertex_", "watsonx_")


class Way(NamedTuple):
    """How the models of a provider file are reached: LiteLLM's prefix, and the parameters."""

    prefix: str
    params: Mapping[str, Any]


def add_models(
    sources: Sources, name: str, models: Sequence[tuple[str, str]], today: dt.date
) -> Amendment:
    """The project with more models in one provider file, reached as those that it has.

    `models` are pairs of a model, with the provider's prefix or without, and what clients ask for.
    Raises AmendError.
    """
    refuse_unreadable(sources)
    document = provider_document(sources, name)
    way = way_of(document)
    taken = {**model_names(sources, name), **dict.fromkeys(_own_names(document), name)}
    for model, alias in models:
        if alias in taken:
            raise AmendError(
                f"{taken[alias]} offers {alias} already, and LiteLLM would take turns between the "
                f"two; try --alias {name}-{alias}"
            )
        taken[alias] = name
        bare = model.removeprefix(f"{way.prefix}/")
        whole = f"{way.prefix}/{bare}" if way.prefix else bare
        entry = {"model_name": alias, "litellm_params": {"model": whole, **way.params}}
        try:
            document = editor.apply(document, [AddItem((MODELS,), entry)])
        except RefusedError as error:
            raise AmendError(f"{document.name}: {error}; nothing was changed") from None
    providers = {**sources.providers, name: document}
    report = amended_report(sources, sources.project, providers, today)
    refuse_invalid(report, "nothing was changed: the project would not validate")
    return Amendment({document.name: document.text}, report)


def provider_document(sources: Sources, name: str) -> Document:
    """The file of a provider of the project. Raises AmendError where there is none to edit."""
    document = sources.providers.get(name)
    if document is None:
        from nixcfg.project.nearest import nearest

        guess = nearest(name, sources.providers)
        hint = f"did you mean {guess}?" if guess else f"there are {', '.join(sources.providers)}"
        raise AmendError(f"there is no {wiring.provider_path(name)}; {hint}")
    if document.data is None or any(problem.is_error for problem in document.problems):
        raise AmendError(f"nothing was changed: {document.name} has errors", document.problems)
    return document


def way_of(document: Document) -> Way:
    """How a file's models are reached: the prefix of its last one, and what all of those share.

    Raises AmendError for a file without models.
    """
    ways = [_way(entry) for entry in _entries(document)]
    if not ways:
        raise AmendError(f"{document.name} has no models to go by; write the first one there")
    last = ways[-1]
    alike = [way for way in ways if way.prefix == last.prefix]
    shared = {
        param: value
        for param, value in last.params.items()
        if all(way.params.get(param) == value for way in alike)
    }
    if shared != last.params:
        differing = ", ".join(sorted(last.params.keys() - shared.keys()))
        raise AmendError(
            f"the models of {document.name} differ in {differing}; write the new one by hand"
        )
    return Way(last.prefix, shared)


def _way(entry: Mapping[str, Any]) -> Way:
    params = entry["litellm_params"]
    model = str(params["model"])
    provider, _ = knowledge.split_model(model, params.get("custom_llm_provider"))
    facts = knowledge.provider(provider) if provider else None
    wanted = _CONNECTION | {c.param for c in facts.credentials if c.param} if facts else _CONNECTION
    kept = {
        key: value
        for key, value in params.items()
        if key in wanted or (key != "model" and key.startswith(_FAMILIES))
    }
    head, slash, _ = model.partition("/")
    has_prefix = bool(slash) and knowledge.provider(head) is not None
    return Way(
        head if has_prefix else "" if params.get("custom_llm_provider") else provider or "", kept
    )


def _entries(document: Document) -> list[Mapping[str, Any]]:
    data = document.data
    entries = data.get(MODELS) if isinstance(data, Mapping) else None
    return [
        entry
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, Mapping)
        and isinstance(entry.get("litellm_params"), Mapping)
        and isinstance(entry["litellm_params"].get("model"), str)
    ]


def models_of(document: Document) -> frozenset[str]:
    """The models of a provider file, without their prefix."""
    whole = (str(entry["litellm_params"]["model"]) for entry in _entries(document))
    return frozenset(knowledge.split_model(model)[1] for model in whole)


def _own_names(document: Document) -> list[str]:
    return [str(entry.get("model_name")) for entry in _entries(document)]
