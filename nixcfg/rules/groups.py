"""Deployments side by side: which names they share, and which names no one can ask for."""

from collections import defaultdict
from collections.abc import Iterator

from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity
from nixcfg.rules.context import Config, Deployment
from nixcfg.rules.scope import EveryDeployment, ModelFile
from nixcfg.yamltext.document import Map

SPACES = Rule("NX409", Severity.WARNING)


@EveryDeployment
def _spaces(config: Config, deployment: Deployment) -> Iterator[Problem]:
    for text, path in (
        (deployment.name, (*deployment.path, "model_name")),
        (deployment.model, (*deployment.params_path, "model")),
    ):
        if text and text != text.strip():
            stripped = text.strip()
            yield config.document.problem(
                SPACES,
                path,
                f"{path[-1]} has spaces around it, and LiteLLM keeps them",
                help=f"Write {stripped or 'a name'}.",
                fix=Fix((SetValue(path, stripped),)) if stripped else None,
            )


WILDCARD = Rule("NX410", Severity.ERROR, standalone=Severity.WARNING)


@EveryDeployment
def _wildcards(config: Config, deployment: Deployment) -> Iterator[Problem]:
    name, model = deployment.name or "", deployment.model or ""
    stars = model.count("*")
    if stars and name.count("*") != stars:
        wrong = (
            "nothing in model_name says what the * stands for"
            if "*" not in name
            else "model_name and model have a different number of *"
        )
        yield config.document.problem(
            WILDCARD,
            (*deployment.params_path, "model"),
            wrong,
            help=f"Write model_name: {model}, or name a model.",
        )


SAME_DEPLOYMENT = Rule("NX406", Severity.ERROR, standalone=Severity.WARNING)
GROUP = Rule("NX408", Severity.NOTE)


@ModelFile
def _groups(config: Config) -> Iterator[Problem]:
    by_name: dict[str, list[Deployment]] = defaultdict(list)
    for deployment in config.deployments:
        if deployment.name:
            by_name[deployment.name].append(deployment)
    for name, group in by_name.items():
        if len(group) == 1:
            continue
        seen: dict[str, Deployment] = {}
        different = []
        for deployment in group:
            first = seen.setdefault(_identity(deployment), deployment)
            if first is deployment:
                different.append(deployment)
            else:
                yield config.document.problem(
                    SAME_DEPLOYMENT,
                    (*deployment.path, "model_name"),
                    f"{name} is here twice with the same parameters",
                    help="Remove one of the two.",
                    key=True,
                    related=[config.document.related(first.path, "the first one", key=False)],
                )
        if len(different) > 1:
            yield config.document.problem(
                GROUP,
                (*different[1].path, "model_name"),
                f"{len(different)} deployments answer to {name}; LiteLLM takes turns",
                help="Rename them if that is not meant.",
                related=[
                    config.document.related((*each.path, "model_name"), "also here", key=False)
                    for each in (different[0], *different[2:5])
                ],
            )


def _identity(deployment: Deployment) -> str:
    info = deployment.entry.get("model_info")
    own = info.get("id") if isinstance(info, Map) else None
    return repr((own, deployment.params))


SAME_ID = Rule("NX407", Severity.ERROR, standalone=Severity.WARNING)


@ModelFile
def _ids(config: Config) -> Iterator[Problem]:
    first_with: dict[str, Deployment] = {}
    for deployment in config.deployments:
        info = deployment.entry.get("model_info")
        own = info.get("id") if isinstance(info, Map) else None
        if not isinstance(own, str):
            continue
        first = first_with.setdefault(own, deployment)
        if first is not deployment:
            path = (*deployment.path, "model_info", "id")
            at = (*first.path, "model_info", "id")
            yield config.document.problem(
                SAME_ID,
                path,
                f"another deployment has the id {own} too",
                help="Give each its own, or none: LiteLLM makes one.",
                related=[config.document.related(at, "the other one", key=False)],
            )
