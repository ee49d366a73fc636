"""What a schema cannot say: what LiteLLM would do with a file, and what files do to each other.

A rule is a `Rule` constant beside the function that finds it. `of_provider` looks at one file,
`of_project` at all of them together. `RULES` are all of nixcfg's rules by code, those for reading
and for shape included.
"""

import textwrap
from collections.abc import Collection, Iterator, Mapping
from types import ModuleType
from typing import Final

from nixcfg import project as project_files
from nixcfg import shape, source
from nixcfg.model import Project, Provider
from nixcfg.problem import Example, Problem, Rule
from nixcfg.rules import models, project, secrets, settings

_MODULES: Final[tuple[ModuleType, ...]] = (
    source,
    project_files,
    shape,
    settings,
    secrets,
    models,
    project,
)


def _collect() -> Mapping[str, Rule]:
    found = [
        value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)
    ]
    return {rule.code: rule for rule in sorted(found, key=lambda rule: rule.code)}


RULES: Final = _collect()


def of_provider(provider: Provider) -> Iterator[Problem]:
    """What LiteLLM would do with one provider's file."""
    yield from models.check(provider)
    yield from settings.check(provider.moves)
    yield from secrets.check(provider.document)


def of_project(whole: Project, names: Collection[str]) -> Iterator[Problem]:
    """What is wrong with nixcfg.yaml, and what the files do to each other.

    `names` are all provider files, also those that are too broken to be part of the project.
    """
    yield from settings.check(whole.moves)
    yield from settings.conflicts(whole)
    yield from secrets.across(whole)
    yield from project.check(whole, names)


def nearest_code(code: str) -> str:
    """The code that a typo was meant to be, or ""."""
    return shape.nearest(code.upper(), RULES)


def explain(rule: Rule) -> str:
    """A rule in full, for a person at a terminal."""
    alone = f" (in a LiteLLM file on its own: {rule.alone.value})" if rule.alone else ""
    return "\n\n".join(
        [
            f"{rule.code}: {rule.title}\nSeverity: {rule.severity.value}{alone}",
            textwrap.fill(rule.explanation, 88),
            "Bad:\n" + _shown(rule.bad),
            "Good:\n" + _shown(rule.good),
            textwrap.fill(f"Source: {rule.source}", 88),
        ]
    )


def _shown(example: Example) -> str:
    files = {"": example} if isinstance(example, str) else example
    parts = []
    for name, text in files.items():
        body = text.encode("utf-8", "backslashreplace").decode()
        parts += [f"  # {name}"] if name else []
        parts.append(textwrap.indent(body.rstrip("\n"), "  "))
    return "\n".join(parts)
