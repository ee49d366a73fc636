"""The project with one more provider. Pure."""

import datetime as dt
import re
from collections.abc import Collection, Mapping
from typing import Any

from nixcfg.check import Report
from nixcfg.knowledge import ProviderFacts
from nixcfg.project import wiring
from nixcfg.project.find import Sources, is_name
from nixcfg.project.model import MODELS
from nixcfg.providers.amendment import (
    PLACEHOLDER,
    AmendError,
    Amendment,
    amended_report,
    example_path,
    refuse_invalid,
    refuse_unreadable,
    secrets_of,
)
from nixcfg.providers.request import (
    NewProvider,
    key_variable,
    main_credential,
    provider_data,
    provider_facts,
    wanted_credentials,
)
from nixcfg.render.litellm import provider_yaml
from nixcfg.yamltext import editor, reader
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import AddItem, AddKey, RefusedError

_SCHEMA = re.compile(r"yaml-language-server: \$schema=(\S*)project\.schema\.json")


def add(sources: Sources, new: NewProvider, examples: Collection[str], today: dt.date) -> Amendment:
    """The project with one more provider. `examples` are the files of secrets.example/.

    `today` decides which models count as retired.

    Raises AmendError.
    """
    path = wiring.provider_path(new.name)
    check_name(sources, new.name)
    facts = provider_facts(new.prefix)
    data = provider_data(new, facts)
    _check_model_names(sources, new, data)
    text = provider_yaml(data, _schema(sources.project))
    document = reader.parse(text, path)
    providers = {**sources.providers, new.name: document}
    with_file = amended_report(sources, sources.project, providers, today)
    key_files = _key_files(new, facts, sources.project)
    _refuse_other_file(with_file, new, key_files)
    machine = _machine(sources.project, new, key_files)
    report = amended_report(sources, machine, providers, today)
    refuse_invalid(report, f"{new.name} was not added: the project would not validate")
    refuse_invalid(with_file, f"{new.name} was not added: it needs more than one step")
    _refuse_shared_key(report, new, facts)
    old = sources.providers.get(new.name)
    if old is not None and (old.data != document.data or machine is sources.project):
        refuse_taken(sources, new)
    texts: dict[str, str | None] = {}
    for variable in secrets_of(report, new.name):
        example = example_path(variable)
        if example.rpartition("/")[2] not in examples:
            texts[example] = PLACEHOLDER
    if old is None:
        texts[path] = text
    if machine is not sources.project:
        texts[wiring.PROJECT_FILE] = machine.text
    return Amendment(texts, report)


def check_name(sources: Sources, name: str) -> None:
    """Raises AmendError for a name that no provider can have in this project."""
    refuse_unreadable(sources)
    if not is_name(name):
        raise AmendError(f"{name} cannot be a name: use letters, digits, - and _")
    if name == wiring.ALL or name in sources.project.data.get("profiles", {}):
        taken = "built in" if name == wiring.ALL else "a profile"
        raise AmendError(f"{name} is {taken}; choose another name, with --provider PREFIX")


def refuse_taken(sources: Sources, new: NewProvider) -> None:
    """Raises AmendError where the project has a provider of this name."""
    old = sources.providers.get(new.name)
    if old is not None:
        raise AmendError(
            f"{old.name} exists already; for more models nixcfg add-model {new.name} MODEL, for "
            f"another account choose another name: add-provider NAME --provider {new.prefix}"
        )


def model_names(sources: Sources, name: str) -> dict[str, str]:
    """The model names that other providers than `name` offer, and which of them does."""
    return {
        entry["model_name"]: other
        for other, document in sources.providers.items()
        if other != name and isinstance(document.data, Mapping)
        for entry in document.data.get(MODELS) or ()
        if isinstance(entry, Mapping) and isinstance(entry.get("model_name"), str)
    }


def _check_model_names(sources: Sources, new: NewProvider, data: Mapping[str, Any]) -> None:
    taken = model_names(sources, new.name)
    for deployment in data[MODELS]:
        name = deployment["model_name"]
        if name in taken:
            raise AmendError(
                f"{taken[name]} offers {name} already, and LiteLLM would take turns between the "
                f"two; try --alias {new.name}-{name}"
            )


def _refuse_shared_key(report: Report, new: NewProvider, facts: ProviderFacts) -> None:
    """A variable that was made up for a server must not be that of another one already."""
    key = key_variable(new, facts)
    if key in new.variables or key in {c.variable for c in wanted_credentials(new, facts)}:
        return
    for each in report.project.providers if report.project else ():
        if each.name != new.name and key in each.variables:
            raise AmendError(
                f"{each.name} keeps its key in {key} too; name another variable with --env NAME"
            )


def _key_files(
    new: NewProvider, facts: ProviderFacts, document: Document
) -> dict[str, str | dict[str, str]]:
    """The entries of `secrets` that a new provider needs."""
    key = key_variable(new, facts)
    if "" in new.key_files and not key:
        raise AmendError(
            f"{new.name} has not one key but several or none: --key-file VARIABLE=PATH"
        )
    files: dict[str, str | dict[str, str]] = {
        variable or key: file for variable, file in new.key_files.items()
    }
    main = main_credential(wanted_credentials(new, facts))
    if main and main.file and key != main.variable:
        # The provider's own variables are known to hold a path or not; another one has to say so.
        folder = document.data.get("secrets_dir", wiring.DEFAULT_SECRETS_DIR)
        files[key] = {"file": new.key_files.get("", wiring.key_file(key, folder)), "kind": "file"}
    return files


def _refuse_other_file(
    before: Report, new: NewProvider, files: Mapping[str, str | Mapping[str, str]]
) -> None:
    """Where a provider's key is kept must not change because another one is added."""
    for each in before.project.providers if before.project else ():
        for variable in sorted(each.variables & set(files)) if each.name != new.name else ():
            old = before.project.machine.key_files[variable].file if before.project else ""
            if files[variable] != old:
                raise AmendError(
                    f"{each.name} has its {variable} in {old}; for another key, name a variable "
                    "of its own: --env NAME"
                )


def _machine(
    document: Document, new: NewProvider, key_files: Mapping[str, str | Mapping[str, str]]
) -> Document:
    """nixcfg.yaml with the key files and the profiles of a new provider."""
    try:
        for variable, file in key_files.items():
            if document.data.get("secrets", {}).get(variable) != file:
                document = editor.put(document, ("secrets", variable), file)
        for profile in new.profiles:
            path = ("profiles", profile)
            members = document.data.get("profiles", {}).get(profile)
            if members is None:
                document = editor.apply(document, [AddKey(path, [new.name])])
            elif new.name not in members:
                document = editor.apply(document, [AddItem(path, new.name)])
    except RefusedError as error:
        raise AmendError(f"{document.name}: {error}; nothing was changed") from None
    return document


def _schema(document: Document) -> str:
    found = _SCHEMA.search(document.text)
    if not found:
        return ""
    return (
        f"{found[1]}provider.schema.json"
        if ":" in found[1]
        else f"../{found[1]}provider.schema.json"
    )
