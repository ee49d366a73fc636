"""In which region of a cloud prompts are answered."""

import re
from collections.abc import Iterator
from dataclasses import replace

from nixcfg.problems.problem import Fix, Problem, RenameKey, Rule, Severity
from nixcfg.project.values import referenced
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.scope import AnyDeployment, EveryDeployment
from nixcfg.yamltext.document import Map

_AWS, _VERTEX = "aws_region_name", "vertex_location"
_NAMING = {
    _AWS: ("aws_bedrock_runtime_endpoint", "aws_profile_name"),
    _VERTEX: ("vertex_ai_location",),
}
"""Other parameters of a deployment that say where its requests go."""
_VARIABLES = {
    _AWS: ("AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"),
    _VERTEX: ("VERTEXAI_LOCATION", "VERTEX_LOCATION"),
}
_IN_MODEL = re.compile(r"(^|[/:])(us|eu|ap|ca|sa|me|af|il|mx)-[a-z-]+-?\d([/:]|$)|arn:")

NO_REGION = Rule("NX429", Severity.WARNING, standalone=Severity.NOTE)


@AnyDeployment
def _region(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """A cloud that is asked in a region that no one chose."""
    usual = config.knowledge.params.regions.get(deployment.provider or "")
    if usual is None:
        return
    key = _VERTEX if str(deployment.provider).startswith("vertex") else _AWS
    if _is_named(config, deployment, key):
        return
    given = deployment.params
    if key == _AWS and given.get("region_name") is not None:
        path = (*deployment.params_path, "region_name")
        problem = config.document.problem(
            NO_REGION,
            path,
            f"{deployment.provider} does not read region_name: prompts go to {usual}",
            help=f"Did you mean {key}?",
            key=True,
            fix=Fix((RenameKey(path, key),), safe=False),
        )
        yield replace(problem, level=Severity.WARNING)
        return
    variables = _VARIABLES[key]
    only = config.knowledge.regions(deployment.bare) if key == _VERTEX else ()
    if any(config.variable_is_wired(each) for each in variables) or only:
        return
    yield config.document.problem(
        NO_REGION,
        (*deployment.params_path, "model"),
        f"no region is named: unless {variables[0]} says another, prompts go to {usual}",
        help=f"Add {key}.",
    )


REPLACED_REGION = Rule("NX435", Severity.WARNING)


@EveryDeployment
def _replaced(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """A model that LiteLLM asks for in one region, whatever is written."""
    on_vertex = (deployment.provider or "") in config.knowledge.params.regions
    if not on_vertex or deployment.api_base is not None:
        return
    only = config.knowledge.regions(deployment.bare)
    for key in (_VERTEX, *_NAMING[_VERTEX]):
        given = deployment.params.get(key)
        if only and isinstance(given, str) and not referenced(given) and given not in only:
            yield config.document.problem(
                REPLACED_REGION,
                (*deployment.params_path, key),
                f"{config.litellm} asks for this model in {only[0]}, and not in {given}",
                help=f"Write {' or '.join(only)} if prompts may go there, or take another model.",
            )


def _is_named(config: Config, deployment: Deployment, key: str) -> bool:
    """Whether something in the configuration says where the requests of a deployment go."""
    given = deployment.params
    own = (key, *_NAMING[key], "litellm_credential_name", "mock_response", "model_id")
    if any(given.get(each) is not None for each in own) or deployment.api_base is not None:
        return True
    if _IN_MODEL.search(deployment.model or "") or config.has("litellm_settings", key):
        return True
    defaults = config.values("router_settings", "default_litellm_params")
    return any(key in each for each in defaults if isinstance(each, Map))
