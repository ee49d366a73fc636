"""Read what import is given: container definitions, and the LiteLLM configurations they load."""

import os
from collections.abc import Sequence
from pathlib import Path

from nixcfg.importing import Container, NotImportableError, compose, litellm, nixos
from nixcfg.project.standalone import is_compose
from nixcfg.yamltext import reader
from nixcfg.yamltext.document import Document


def read_sources(base: Path, files: Sequence[Path]) -> tuple[Container | None, list[Document], str]:
    """The container definition, the configurations, and the name of the one that is loaded.

    `files` are relative to `base`, and keep their names in messages. Raises NotImportableError.
    """
    containers: list[tuple[Path, Container]] = []
    documents: dict[Path, Document] = {}
    for file in dict.fromkeys(files):
        document = reader.read(base / file, str(file))
        is_text = all(p.rule is not reader.NOT_UTF8 for p in document.problems) and document.text
        if file.suffix == ".nix" and is_text:
            containers.append((file, nixos.read(str(file), document.text)))
        elif is_compose(document.data):
            containers.append((file, compose.read(document)))
        elif document.data is None or litellm.is_config(document.data):
            documents[base / file] = document
        else:
            raise NotImportableError(
                f"{file}: neither a LiteLLM configuration nor a compose file with services"
            )
    if len(containers) > 1:
        names = " and ".join(str(file) for file, _ in containers)
        raise NotImportableError(f"{names} each define the container; import takes one")
    if not containers:
        return None, list(documents.values()), ""
    ((file, container),) = containers
    loaded = _find_configurations(base, file, container, documents)
    return container, list(documents.values()), loaded


def _find_configurations(
    base: Path, file: Path, container: Container, documents: dict[Path, Document]
) -> str:
    """Add what the container loads to `documents`; the name of the document that it loads."""
    config = container.config
    if config is not None and config.document is not None:
        documents[base / file] = config.document
        return config.document.name
    wanted = file.parent / config.path if config is not None else None
    if documents:
        same = [d for p, d in documents.items() if wanted is not None and p.name == wanted.name]
        return same[0].name if len(same) == 1 else ""
    if wanted is None or config is None:
        raise NotImportableError(
            f"{file} does not say where its LiteLLM configuration is; name that file as well"
        )
    found = [wanted]
    if config.siblings:
        pattern = file.parent / config.siblings
        names = sorted(each.name for each in (base / pattern.parent).glob(pattern.name))
        found = [pattern.parent / name for name in names]
    for path in found:
        document = reader.read(base / path, os.path.normpath(path))
        if document.data is None or litellm.is_config(document.data):
            documents[base / path] = document
    if not (base / wanted).is_file():
        raise NotImportableError(
            f"{file} loads {config.path}, which is not on this machine; name that file as well"
        )
    return os.path.normpath(wanted)
