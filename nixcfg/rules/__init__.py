"""What a schema cannot say: what LiteLLM would do with a file, and what files do to each other.

A rule is a `Rule` constant beside the function that finds it; each module holds one topic.
`of_file` looks at one document, `of_project` at all of them together. `RULES` are all of nixcfg's
rules by code, those for reading and for shape included.
"""

from collections.abc import Collection, Iterator, Mapping
from types import ModuleType
from typing import Final

from nixcfg.problems.problem import Problem, Rule
from nixcfg.project import find as project_files
from nixcfg.project import shape
from nixcfg.project.model import Project
from nixcfg.project.nearest import nearest
from nixcfg.rules import (
    catalogue,
    credentials,
    deployments,
    endpoints,
    environment,
    fallbacks,
    groups,
    includes,
    policy,
    project,
    secrets,
    sections,
    services,
    sharing,
    values,
)
from nixcfg.rules.config import Config
from nixcfg.yamltext import source

_MODULES: Final[tuple[ModuleType, ...]] = (
    source,
    project_files,
    shape,
    policy,
    includes,
    sections,
    values,
    services,
    secrets,
    environment,
    credentials,
    deployments,
    groups,
    catalogue,
    endpoints,
    fallbacks,
    project,
    sharing,
)


def _collect() -> Mapping[str, Rule]:
    found = [
        value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)
    ]
    return {rule.code: rule for rule in sorted(found, key=lambda rule: rule.code)}


RULES: Final = _collect()


def of_file(config: Config) -> Iterator[Problem]:
    """What LiteLLM would do with one file, or with the settings of nixcfg.yaml."""
    yield from sections.check(config)
    yield from values.check(config)
    yield from services.check(config)
    yield from secrets.check(config)
    yield from credentials.check(config)
    yield from fallbacks.check(config)
    if config.is_project_file:
        return
    yield from includes.check(config)
    yield from environment.check(config)
    yield from deployments.check(config)
    yield from groups.check(config)
    yield from catalogue.check(config)
    yield from endpoints.check(config)


def of_project(whole: Project, names: Collection[str]) -> Iterator[Problem]:
    """What is wrong with nixcfg.yaml, and what the files do to each other.

    `names` are all provider files, also those that are too broken to be part of the project.
    """
    yield from environment.across(whole)
    yield from project.check(whole, names)
    yield from sharing.check(whole)
    yield from policy.unknown_severities(whole.document, RULES)


def nearest_code(code: str) -> str:
    """The code that a typo was meant to be, or ""."""
    return nearest(code.upper(), RULES)
