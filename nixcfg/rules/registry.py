"""Every rule of nixcfg by code, and what runs the checks. A new topic is added here, and only here.

The topics up to shape hold rules and no checks: what they find keeps a file from being read, or a
check from making sense of it.
"""

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Final, TypeVar

from nixcfg.problems.once import once
from nixcfg.problems.problem import Problem, Rule
from nixcfg.project import find as project_files
from nixcfg.project import shape, standalone
from nixcfg.project.nearest import nearest
from nixcfg.rules import (
    access,
    access_models,
    azure,
    budgets,
    caches,
    catalogue,
    credentials,
    deployments,
    endpoints,
    entries,
    environment,
    extensions,
    fallbacks,
    git,
    groups,
    guardrails,
    includes,
    own_machine,
    params,
    policy,
    project,
    regions,
    routers,
    secrets,
    sections,
    servers,
    services,
    sharing,
    stages,
    teams,
    upkeep,
    values,
)
from nixcfg.rules.context import Config, Whole
from nixcfg.rules.scope import (
    AnyDeployment,
    EveryDeployment,
    EveryDocument,
    EveryMachine,
    ModelFile,
    WholeProject,
)
from nixcfg.yamltext import builder, reader

TOPICS: Final[tuple[ModuleType, ...]] = (
    reader,
    builder,
    project_files,
    standalone,
    shape,
    policy,
    includes,
    sections,
    values,
    services,
    upkeep,
    extensions,
    entries,
    caches,
    guardrails,
    teams,
    servers,
    secrets,
    environment,
    credentials,
    deployments,
    stages,
    params,
    regions,
    groups,
    catalogue,
    endpoints,
    azure,
    fallbacks,
    routers,
    budgets,
    git,
    project,
    sharing,
    own_machine,
    access,
    access_models,
)

_T = TypeVar("_T")


def _all(kind: type[_T]) -> tuple[_T, ...]:
    """What the topics define of a kind, each once: a topic may import another's rule."""
    found = (value for topic in TOPICS for value in vars(topic).values() if isinstance(value, kind))
    return tuple({id(value): value for value in found}.values())


RULES: Final[Mapping[str, Rule]] = {
    rule.code: rule for rule in sorted(_all(Rule), key=lambda rule: rule.code)
}
_EVERY_DOCUMENT: Final = _all(EveryDocument)
_MODEL_FILES: Final = _all(ModelFile)
_EVERY_DEPLOYMENT: Final = _all(EveryDeployment)
_ANY_DEPLOYMENT: Final = _all(AnyDeployment)
_WHOLE_PROJECT: Final = _all(WholeProject)
_EVERY_MACHINE: Final = _all(EveryMachine)


def of_document(config: Config) -> Iterator[Problem]:
    """What LiteLLM would do with one file, or with the settings of nixcfg.yaml."""
    for check in _EVERY_DOCUMENT:
        yield from check.run(config)
    if config.is_project_file:
        return
    for of_file in _MODEL_FILES:
        yield from of_file.run(config)
    for deployment in config.deployments:
        for of_deployment in _EVERY_DEPLOYMENT:
            yield from of_deployment.run(config, deployment)
    for of_any in _ANY_DEPLOYMENT:
        yield from once(p for each in config.deployments for p in of_any.run(config, each))


def of_project(whole: Whole) -> Iterator[Problem]:
    """What is wrong with nixcfg.yaml, and what the files do to each other."""
    for check in _WHOLE_PROJECT:
        yield from check.run(whole)
    for machine in whole.project.machines:
        for of_machine in _EVERY_MACHINE:
            yield from of_machine.run(whole, machine)


def nearest_code(code: str) -> str:
    """The code that a typo was meant to be, or ""."""
    return nearest(code.upper(), RULES)
