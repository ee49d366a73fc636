"""A model name or a provider by another name, wherever the project names it. Pure."""

import datetime as dt
from collections.abc import Iterator, Mapping

from nixcfg.problems.problem import RenameKey, SetValue
from nixcfg.project import wiring
from nixcfg.project.find import Sources
from nixcfg.project.nearest import nearest
from nixcfg.providers.add import check_name
from nixcfg.providers.amendment import (
    AmendError,
    Amendment,
    amended_report,
    model_config_path,
    refuse_invalid,
    refuse_unreadable,
)
from nixcfg.providers.more_models import provider_document
from nixcfg.settings.names import given_models, is_model_key, names_models
from nixcfg.yamltext import editor
from nixcfg.yamltext.data import walk
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import RefusedError
from nixcfg.yamltext.reader import parse


def offered(sources: Sources) -> dict[str, set[str]]:
    """Every name that clients can ask for, and the files that give it: models and aliases."""
    found: dict[str, set[str]] = {}
    for document in (sources.project, *sources.providers.values()):
        for name, *_ in given_models(document):
            found.setdefault(name, set()).add(document.name)
    return found


def rename_model(sources: Sources, old: str, new: str, today: dt.date) -> Amendment:
    """The project in which clients ask for `new` instead of `old`. Raises AmendError."""
    refuse_unreadable(sources)
    names = offered(sources)
    if old not in names:
        guess = nearest(old, names)
        hint = f" Did you mean {guess}?" if guess else f" There are {', '.join(names)}."
        raise AmendError(f"no model is called {old}.{hint}")
    if new in names:
        where = ", ".join(sorted(names[new]))
        raise AmendError(f"{where} offers {new} already; LiteLLM would take turns between the two")
    if not new.strip() or not new.isprintable() or "*" in new:
        raise AmendError(f"{new} cannot be the name of a model")
    try:
        project = _renamed(sources.project, old, new)
        providers = {name: _renamed(d, old, new) for name, d in sources.providers.items()}
    except RefusedError as error:
        raise AmendError(f"{old} was not renamed: {error}") from None
    report = amended_report(sources, project, providers, today)
    refuse_invalid(report, f"{old} was not renamed: the project would not validate")
    before = (sources.project, *sources.providers.values())
    after = (project, *providers.values())
    texts = {b.name: b.text for a, b in zip(before, after, strict=True) if a.text != b.text}
    return Amendment(texts, report)


def _renamed(document: Document, old: str, new: str) -> Document:
    edits = list(_edits(document, old, new))
    try:
        return editor.rewrite(document, edits) if edits else document
    except RefusedError as error:
        raise RefusedError(f"{document.name}: {error}") from None


def _edits(document: Document, old: str, new: str) -> Iterator[SetValue | RenameKey]:
    for path, value in walk(document.data):
        if value == old and names_models(path):
            yield SetValue(path, new)
        if path[-1] == old and is_model_key(path):
            yield RenameKey(path, new)


def rename_provider(sources: Sources, old: str, new: str, today: dt.date) -> Amendment:
    """The project in which a provider's file, its configuration and its memberships are `new`.

    What clients ask for, and where keys are, stays. Raises AmendError.
    """
    document = provider_document(sources, old)
    check_name(sources, new)
    if new in sources.providers:
        raise AmendError(f"{sources.providers[new].name} exists already")
    path = wiring.provider_path(new)
    machine = sources.project
    try:
        machine = _in_project(machine, old, new)
    except RefusedError as error:
        raise AmendError(f"{old} is named in {machine.name}: {error}. Rename it there.") from None
    others = {name: each for name, each in sources.providers.items() if name != old}
    report = amended_report(sources, machine, {**others, new: parse(document.text, path)}, today)
    refuse_invalid(report, f"{old} was not renamed: the project would not validate")
    texts: dict[str, str | None] = {path: document.text}
    if machine is not sources.project:
        texts[wiring.PROJECT_FILE] = machine.text
    texts[document.name] = None
    return Amendment(texts, report)


def _in_project(document: Document, old: str, new: str) -> Document:
    edits: list[SetValue | RenameKey] = []
    profiles = document.data.get("profiles") or {}
    for profile, members in profiles.items():
        edits += [
            SetValue(("profiles", profile, index), new)
            for index, member in enumerate(members)
            if member == old
        ]
    for host in ("", *(document.data.get("hosts") or {})):
        given: Mapping[str, object] = document.data["hosts"][host] if host else document.data
        if given.get("model_config") == old and old not in profiles:
            edits.append(SetValue(model_config_path(host), new))
    return editor.rewrite(document, edits) if edits else document
