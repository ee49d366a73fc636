"""From documents to the project. Pure.

This is where a provider file becomes what LiteLLM has to be given: settings in the section where
LiteLLM honours them, `${KEY}` as `os.environ/KEY`, an explicit credential for every deployment,
several providers merged into one configuration.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nixcfg.knowledge import Credential, Knowledge, default, judge
from nixcfg.project import wiring
from nixcfg.project.credentials import credentials
from nixcfg.project.machine import machine, rank
from nixcfg.project.merge import merged, settings_of
from nixcfg.project.model import (
    BY_VARIABLE,
    ENVIRONMENT,
    MODELS,
    SETTINGS,
    Config,
    Conflict,
    Project,
    Provider,
    Settings,
)
from nixcfg.project.pools import fitted
from nixcfg.project.values import declared_secrets, reference, resolve
from nixcfg.yamltext.document import Document


def build(document: Document, provider_documents: Mapping[str, Document]) -> Project:
    """The project of a nixcfg.yaml and its provider files, by provider name.

    The documents have passed their schemas; what else may be wrong with them is still there.
    """
    data: Mapping[str, Any] = document.data
    # What LiteLLM is given is the same on every host, so the project's own release decides.
    knowledge = judge(data.get("image", wiring.DEFAULT_IMAGE)).knowledge
    said = {name: dict(host) for name, host in data.get("hosts", {}).items()}
    # One provider authenticates in one way, wherever it is loaded.
    declared = {
        variable
        for given in (data, *said.values())
        for section in BY_VARIABLE
        for variable in given.get(section, ())
    }
    providers = tuple(
        provider(name, provider_documents[name], declared, knowledge)
        for name in sorted(provider_documents)
    )
    own, moves, read = settings_of(document, [key for key in data if key in SETTINGS], knowledge)
    profiles = {name: tuple(members) for name, members in data.get("profiles", {}).items()}
    by_name = {each.name: each for each in providers}
    groups = {
        **{each.name: (each.name,) for each in providers},
        **{name: profiles[name] for name in sorted(profiles)},
        wiring.ALL: tuple(by_name),
    }
    configs = tuple(
        _config(name, [by_name[m] for m in members if m in by_name], own, read)
        for name, members in groups.items()
    )
    (common,) = fitted([machine("", data, {}, configs)])
    hosts = fitted([machine(name, data, host, configs) for name, host in said.items()])
    return Project(
        document=document,
        knowledge=knowledge,
        machine=common,
        hosts={host.name: host for host in hosts},
        profiles=profiles,
        providers=providers,
        moves=moves,
    )


def provider(
    name: str,
    document: Document,
    declared: Iterable[str] = (),
    knowledge: Knowledge | None = None,
) -> Provider:
    """One provider file. `declared`: variables that the project wires for everyone."""
    data: Mapping[str, Any] = document.data
    knowledge = knowledge or default()
    environment = data.get(ENVIRONMENT) or {}
    secrets = declared_secrets(environment)
    given = environment.keys() - secrets
    settings, moves, read = settings_of(document, data, knowledge)
    wired = {*declared, *secrets}
    deployments = []
    for entry in data.get(MODELS) or ():
        needed = [
            credential
            for credential in credentials(entry["litellm_params"], wired, knowledge)
            # An account whose value is in the file needs no key file besides.
            if credential.param or credential.variable not in given
        ]
        deployments.append(_deployment(resolve(entry, read), needed))
        read.update(c.variable for c in needed)
    return Provider(
        name, document, tuple(deployments), settings, moves, frozenset({*secrets, *read})
    )


def _deployment(entry: Mapping[str, Any], needed: Iterable[Credential]) -> dict[str, Any]:
    params = entry["litellm_params"]
    added = {c.param: reference(c.variable) for c in needed if c.param}
    return {**entry, "litellm_params": {"model": params["model"], **added, **params}}


def _config(
    name: str,
    providers: Sequence[Provider],
    own: Settings,
    read: set[str],
) -> Config:
    """`read` are the variables that `own`, the settings of nixcfg.yaml, read."""
    conflicts: list[Conflict] = []
    sections: dict[str, Any] = {}
    for place in sorted({*own, *(place for p in providers for place in p.settings)}):
        given = [setting for p in providers for setting in p.settings.get(place, ())]
        value = merged(place, own.get(place, ()), given, conflicts)
        if len(place) == 1:
            sections[str(place[0])] = value
        else:
            sections.setdefault(str(place[0]), {})[place[1]] = value
    ordered = sorted(sections, key=rank)
    variables = read.union(*(p.variables for p in providers))
    return Config(
        name=name,
        providers=tuple(p.name for p in providers),
        litellm={
            MODELS: [entry for p in providers for entry in p.deployments],
            **{section: sections[section] for section in ordered},
        },
        secrets=tuple(sorted(variables - {wiring.MASTER_KEY_VARIABLE})),
        conflicts=tuple(conflicts),
    )
