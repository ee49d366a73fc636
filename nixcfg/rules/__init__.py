"""What a schema cannot say: what LiteLLM would do with a file, and what files do to each other.

A rule is a `Rule` constant beside the function that finds it. `of_provider` looks at one file,
`of_project` at all of them together.
"""

from collections.abc import Collection, Iterator

from nixcfg.model import Project, Provider
from nixcfg.problem import Problem
from nixcfg.rules import models, project, secrets, settings


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
