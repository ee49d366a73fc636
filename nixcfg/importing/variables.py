"""What nixcfg.yaml wires of what the source had in its environment. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from nixcfg.importing import Container, Kind, Note, litellm
from nixcfg.importing.attempt import Attempt
from nixcfg.importing.litellm import Litellm
from nixcfg.importing.rest import Rest, with_key
from nixcfg.importing.split import ProviderFile
from nixcfg.importing.written import all_texts
from nixcfg.problems.problem import START
from nixcfg.project import shape, wiring
from nixcfg.project.build import build
from nixcfg.project.model import ENVIRONMENT, MODELS
from nixcfg.project.values import declared_secrets, referenced

_WORKERS = "NUM_WORKERS"


def project_of(container: Container, sources: Sequence[Litellm], chosen: str) -> dict[str, Any]:
    """nixcfg.yaml but for its secrets and the settings of LiteLLM."""
    secrets_dir = _secrets_dir(container)
    project: dict[str, Any] = {"model_config": chosen}
    if container.backend:
        project["backend"] = container.backend
    if container.image:
        project["image"] = container.image
    project["listen_address"] = container.listen_address or "127.0.0.1"
    project["port"] = container.port or 4000
    if container.workers is not None:
        project["workers"] = container.workers
    project["secrets_dir"] = secrets_dir
    master = container.secrets.get(wiring.MASTER_KEY_VARIABLE)
    if master is not None or any(each.has_master_key for each in sources):
        usual = wiring.key_file(wiring.MASTER_KEY_VARIABLE, secrets_dir)
        project["master_key_file"] = master or usual
    return project


def _secrets_dir(container: Container) -> str:
    """The folder that holds the key files, where they are named as nixcfg names them."""
    folders = [
        str(PurePosixPath(file).parent)
        for variable, file in container.secrets.items()
        if file[:1] == "/" and PurePosixPath(file).name == f"{variable.lower()}.txt"
    ]
    return max(folders, key=folders.count) if folders else wiring.DEFAULT_SECRETS_DIR


def declare(
    providers: Mapping[str, ProviderFile],
    blocks: Rest | None,
    container: Container,
    project: dict[str, Any],
    notes: list[Note],
) -> dict[str, Any]:
    """Wire what the source had in its environment; the `secrets` of nixcfg.yaml.

    A variable that a model or a setting reads is wired by nixcfg anyway. Others are declared in
    the provider files, but for the keys of vendors that no model uses.
    """
    environment = dict(container.environment)
    wanted = set(container.secrets) - {wiring.MASTER_KEY_VARIABLE}
    (first, *others) = {id(p.of): p.of for p in providers.values()}.values()
    split = not others and len(providers) > 1
    if split:
        section = first.document.data.get(ENVIRONMENT) or {}
        given = {k: v for k, v in section.items() if (ENVIRONMENT, k) not in first.gone}
        declared = declared_secrets(given)
        wanted |= declared
        plain = {k: v for k, v in given.items() if k not in declared}
        environment |= {key: str(value) for key, value in plain.items()}
    if environment.get(_WORKERS, "").isdecimal():
        project["workers"] = int(environment.pop(_WORKERS))
    if environment:
        project["environment"] = dict(sorted(environment.items()))
    read = _references(providers, blocks)
    wanted |= read - {wiring.MASTER_KEY_VARIABLE}
    owners = _owners(providers)
    wired = _wired(providers, blocks, project, wanted) | _given(providers) | environment.keys()
    for variable in sorted(wanted - wired):
        vendors = _vendors(variable)
        users = [name for name, served in owners.items() if served & vendors]
        if vendors and not users and variable not in read:
            wanted.discard(variable)
            file = container.file or first.document.name
            span = container.places.get(variable, START)
            why = f"{variable}: no model here is answered by {' or '.join(sorted(vendors)[:3])}"
            notes.append(Note(Kind.LEFT_OUT, file, span, why))
            continue
        for name in users or providers:
            _add_secret(providers[name], variable)
    secrets: dict[str, Any] = {}
    for variable in sorted(wanted):
        entry = _secret(variable, container, project["secrets_dir"])
        if entry is not None:
            secrets[variable] = entry
    return secrets


def _secret(variable: str, container: Container, secrets_dir: str) -> Any:
    """The entry under `secrets`; None where nixcfg would say the same by itself."""
    file = container.secrets.get(variable, "")
    if file == wiring.key_file(variable, secrets_dir):
        file = ""
    entry: dict[str, Any] = {"file": file} if file else {}
    if variable in container.optional:
        entry["optional"] = True
    if variable in container.files:
        entry["kind"] = "file"
    return (file if set(entry) == {"file"} else entry) if entry else None


def _owners(providers: Mapping[str, ProviderFile]) -> dict[str, set[str]]:
    """The LiteLLM providers behind each provider file."""
    owners: dict[str, set[str]] = {}
    for name, provider in providers.items():
        data = provider.rest.data.get(MODELS) or ()
        owners[name] = {litellm.provider_of(entry["litellm_params"]) or "" for entry in data}
    return owners


def _vendors(variable: str) -> set[str]:
    from nixcfg import knowledge

    return {
        name
        for name, facts in knowledge.providers().items()
        if variable in {c.variable for c in facts.credentials} | {facts.api_base.variable}
    }


def _references(providers: Mapping[str, ProviderFile], blocks: Rest | None) -> set[str]:
    """The variables that models and settings read."""
    data = [provider.rest.data for provider in providers.values()]
    data += [blocks.data] if blocks else []
    return {v for v in map(referenced, all_texts(data)) if v}


def _given(providers: Mapping[str, ProviderFile]) -> set[str]:
    """The variables that the provider files set or declare themselves."""
    return {name for each in providers.values() for name in each.rest.data.get(ENVIRONMENT) or ()}


def _wired(
    providers: Mapping[str, ProviderFile],
    blocks: Rest | None,
    project: Mapping[str, Any],
    wanted: Iterable[str],
) -> set[str]:
    """The variables that nixcfg wires by itself, when `wanted` have key files."""
    secrets = {variable: f"/{variable}" for variable in wanted}
    attempt = Attempt(dict(project), blocks, providers, secrets, notes=[])
    document, documents = attempt.documents()
    if document.data is None or shape.check(document, "project"):
        return set()
    return set(build(document, documents).machine.key_files)


def _add_secret(provider: ProviderFile, variable: str) -> None:
    value = f"${{{variable}}}"
    if ENVIRONMENT in provider.rest.data:
        provider.rest = with_key(provider.rest, ENVIRONMENT, variable, value)
    else:
        provider.added = (provider.added or f"{ENVIRONMENT}:\n") + f"  {variable}: {value}\n"
