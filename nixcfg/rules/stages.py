"""Deployments that LiteLLM loads in some environments alone: supported_environments."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity
from nixcfg.project.nearest import nearest
from nixcfg.project.values import referenced
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.scope import AnyDeployment
from nixcfg.yamltext.document import Map

_VARIABLE = "LITELLM_ENVIRONMENT"
_DROPS = "LiteLLM drops this deployment"

IN_NO_ENVIRONMENT = Rule("NX436", Severity.ERROR)


@AnyDeployment
def _environments(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """LiteLLM compares the list with a variable, and wants both to hold words that it knows."""
    info = deployment.entry.get("model_info")
    given = info.get("supported_environments") if isinstance(info, Map) else None
    if given is None:
        return
    path = (*deployment.path, "model_info", "supported_environments")
    known = config.knowledge.environments
    for index, name in enumerate(given if isinstance(given, list) else ()):
        if name not in known:
            guess = nearest(str(name), known)
            yield config.document.problem(
                IN_NO_ENVIRONMENT,
                (*path, index),
                f"{_DROPS}: there is no environment {name}",
                help=f"Did you mean {guess}?" if guess else f"Use {' or '.join(sorted(known))}.",
                fix=Fix((SetValue((*path, index), guess),), safe=False) if guess else None,
            )
            return
    if not isinstance(given, list):
        message = f"{_DROPS}: supported_environments must be a list"
        advice = f"Write a list: [{given}]." if given in known else "Write a list."
        yield config.document.problem(IN_NO_ENVIRONMENT, path, message, help=advice)
    elif config.variable_is_wired(_VARIABLE) is not True:
        message = f"{_DROPS} unless {_VARIABLE} is set"
        problem = config.document.problem(
            IN_NO_ENVIRONMENT,
            path,
            message,
            help=f"Set {_VARIABLE} to one of {', '.join(sorted(known))}.",
            key=True,
        )
        # Of a file alone no one knows the environment.
        yield replace(problem, level=Severity.WARNING) if config.standalone else problem
    elif isinstance(value := _value(config), str) and value not in known and not referenced(value):
        yield config.document.problem(
            IN_NO_ENVIRONMENT,
            path,
            f"{_DROPS}: {_VARIABLE} is {value}, which is no environment",
            help=f"Set it to one of {', '.join(sorted(known))}.",
            key=True,
        )


def _value(config: Config) -> Any:
    """What the variable is set to, None where it is kept in a file of its own."""
    return config.environment.get(_VARIABLE, config.context.environment.get(_VARIABLE))
