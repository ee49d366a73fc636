"""Azure OpenAI: the address of a deployment, and the version of its API."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.endpoints import BASE_SHAPE
from nixcfg.rules.scope import EveryDeployment

_APPENDED = re.compile(
    r"(/openai)?/v1/?$|/openai/?$|(/openai/deployments/[^/]+)?/(chat/)?completions/?$"
)
"""What LiteLLM appends by itself, or what belongs to an API that it asks otherwise."""


def _is_azure(deployment: Deployment) -> bool:
    return deployment.provider in ("azure", "azure_text") and isinstance(deployment.api_base, str)


@EveryDeployment
def _base(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """LiteLLM appends /openai/deployments/NAME/chat/completions to whatever it is given."""
    base = deployment.api_base
    if not _is_azure(deployment) or "://" not in base or "api-version=" in base:
        return  # with a version in its query LiteLLM takes the address as it is
    path = urlsplit(base).path
    found = _APPENDED.search(path)
    if not found:
        return
    better = base[: base.index(path, base.index("://") + 3)] + path[: found.start()]
    key = "api_base" if "api_base" in deployment.params else "base_url"
    is_v1 = bool(re.search(r"/openai/v1/?$", path))
    steps = (*deployment.params_path, key)
    yield config.document.problem(
        BASE_SHAPE,
        steps,
        f"LiteLLM appends /openai/deployments/.../chat/completions to {path}",
        help=f"Write {better}" + (", and api_version: v1." if is_v1 else ".")
        if "@" not in better
        else "Fix the path.",
        fix=Fix((SetValue(steps, better),), safe=False),
    )


NO_VERSION = Rule("NX432", Severity.ERROR, standalone=Severity.WARNING)


@EveryDeployment
def _version(config: Config, deployment: Deployment) -> Iterator[Problem]:
    """A piece of the query in place of the version that LiteLLM writes behind api-version=."""
    version = deployment.params.get("api_version")
    if not isinstance(version, str) or "os.environ" in version or "=" not in version:
        return
    if not str(deployment.provider).startswith("azure"):
        return
    path = (*deployment.params_path, "api_version")
    better = version.rpartition("=")[2]
    yield config.document.problem(
        NO_VERSION,
        path,
        f"LiteLLM asks for ?api-version={version}, which no API has",
        help=f"Write {better}." if better else "Write the version alone.",
        fix=Fix((SetValue(path, better),)) if better else None,
    )
