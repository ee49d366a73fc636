"""What a check applies to: the decorator above it says so, and registry.py runs it there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nixcfg.problems.problem import Problem
from nixcfg.project.model import Machine
from nixcfg.rules.context import Config, Deployment, Whole

Found = Iterable[Problem]


@dataclass(frozen=True, slots=True)
class EveryDocument:
    """Provider files, LiteLLM's own files, and the settings in nixcfg.yaml."""

    run: Callable[[Config], Found]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """Provider files and LiteLLM's own files: those with a model_list."""

    run: Callable[[Config], Found]


@dataclass(frozen=True, slots=True)
class EveryDeployment:
    """Each entry of a model_list."""

    run: Callable[[Config, Deployment], Found]


@dataclass(frozen=True, slots=True)
class AnyDeployment:
    """Each entry of a model_list; what is said of several in the same words is one finding."""

    run: Callable[[Config, Deployment], Found]


@dataclass(frozen=True, slots=True)
class WholeProject:
    """nixcfg.yaml, and the provider files with each other."""

    run: Callable[[Whole], Found]


@dataclass(frozen=True, slots=True)
class EveryMachine:
    """Each host of a project; one without hosts is one machine."""

    run: Callable[[Whole, Machine], Found]
