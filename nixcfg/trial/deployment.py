"""The deployments of a configuration: which of them a request is for, and what cases call them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from nixcfg.gateway import launch
from nixcfg.project.model import MODELS, Config, Project
from nixcfg.project.values import references
from nixcfg.trial.exchange import Request

KEY = "nixcfg-test-"
"""What the key of a variable begins with in a test; the rest is the variable's name."""
_EXACT, _PATTERN, _HOST, _VARIABLE = 8, 4, 2, 1


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of model_list: the provider file that it comes from, its `litellm_params.model`,
    the host of its address ("" for the vendor's own), the variables that it reads, and its
    `model_info.id`, "" where LiteLLM makes one."""

    provider: str
    model: str
    host: str
    variables: frozenset[str]
    id: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What a case may call it, what names it alone before what it shares with others."""
        own = (self.id, *sorted(self.variables), self.host, self.model, self.provider)
        return tuple(filter(None, own))

    def fits(self, request: Request, asked: str) -> int:
        """How well a request for the model `asked` can be one for this deployment; 0 for no. A
        pattern, which many models fit, has to have its key in the request."""
        bare = self.model.partition("/")[2] or self.model
        names = {self.model, bare, bare.rpartition("/")[2]}
        fit = _EXACT if asked in names else _PATTERN
        if fit == _PATTERN and not any(fnmatchcase(asked, name) for name in names):
            return 0
        if self.host and self.host != request.host:
            return 0
        sent = f"{request.path}\n{' '.join(request.headers.values())}"
        has_key = any(KEY + variable in sent for variable in self.variables)
        if fit == _PATTERN and self.variables and not has_key:
            return 0
        return fit + _HOST * bool(self.host) + _VARIABLE * has_key


def deployments(project: Project, config: Config) -> tuple[Deployment, ...]:
    """The deployments of a configuration, in its order."""
    counts = {each.name: len(each.deployments) for each in project.providers}
    origin = [name for name in config.providers for _ in range(counts[name])]
    made = []
    for provider, entry in zip(origin, config.litellm[MODELS], strict=True):
        params = entry["litellm_params"]
        base = params.get("api_base") or params.get("base_url") or ""
        info = entry.get("model_info")
        made.append(
            Deployment(
                provider=provider,
                model=str(params["model"]),
                host=urlsplit(launch.local(base)).netloc if isinstance(base, str) else "",
                variables=frozenset(references(entry)),
                id=str(info.get("id") or "") if isinstance(info, Mapping) else "",
            )
        )
    return tuple(made)
