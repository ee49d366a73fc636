"""The project without one of its providers. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping

from nixcfg import check
from nixcfg.project import wiring
from nixcfg.project.find import Sources
from nixcfg.providers.amendment import (
    PLACEHOLDER,
    AmendError,
    Amendment,
    amended_report,
    example_path,
    model_config_path,
    refuse_invalid,
    refuse_unreadable,
    secrets_of,
)
from nixcfg.yamltext import editor
from nixcfg.yamltext.document import Document
from nixcfg.yamltext.edits import RefusedError, Remove


def remove(sources: Sources, name: str, examples: Mapping[str, str], today: dt.date) -> Amendment:
    """The project without a provider, its profile memberships, and the secrets that no other uses.

    `examples` are the files of secrets.example/ with their texts. Raises AmendError.
    """
    if name not in sources.providers:
        raise AmendError(f"there is no {wiring.provider_path(name)}")
    if len(sources.providers) == 1:
        raise AmendError(f"{name} is the only provider; a gateway needs one")
    refuse_unreadable(sources)
    before = check.validate(sources, today)
    rest = {each: document for each, document in sources.providers.items() if each != name}
    machine = sources.project
    # In a project with errors, no one can know what its providers share.
    orphans = (
        set(secrets_of(before, name)).difference(*(secrets_of(before, each) for each in rest))
        if before.project
        else set()
    )
    try:
        machine = _without_provider(machine, name, orphans)
    except RefusedError as error:
        raise AmendError(
            f"{name} is named in {machine.name}: {error}. Take it out there."
        ) from None
    report = amended_report(sources, machine, rest, today)
    refuse_invalid(report, f"{name} was not removed: the project would not validate")
    texts: dict[str, str | None] = {}
    if machine is not sources.project:
        texts[wiring.PROJECT_FILE] = machine.text
    for variable in sorted(orphans):
        example = example_path(variable)
        if examples.get(example.rpartition("/")[2]) == PLACEHOLDER:
            texts[example] = None
    texts[sources.providers[name].name] = None  # last: until then the command can be run again
    return Amendment(texts, report)


def _without_provider(document: Document, name: str, orphans: Iterable[str]) -> Document:
    gone = {name}
    for profile, members in document.data.get("profiles", {}).items():
        if name in members:
            listed = (("profiles", profile, n) for n, each in enumerate(members) if each == name)
            document = editor.remove(document, listed).document
        if set(members) == {name}:
            gone.add(profile)
    for host in ("", *document.data.get("hosts", {})):
        given = document.data["hosts"][host] if host else document.data
        if given.get("model_config") in gone:
            document = editor.put(document, model_config_path(host), wiring.ALL)
        for variable in sorted(orphans):
            if variable in given.get("secrets", {}):
                if host and [*given] == ["secrets"] and len(given["secrets"]) == 1:
                    raise RefusedError(f"hosts.{host} gives nothing but its {variable}")
                above = ("hosts", host) if host else ()
                document = editor.apply(document, [Remove((*above, "secrets", variable))])
                given = document.data["hosts"][host] if host else document.data
    return document
