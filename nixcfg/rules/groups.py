"""Deployments side by side: which names they share, and which names nobody can ask for."""

from collections import defaultdict
from collections.abc import Iterator

from nixcfg.problems.problem import Fix, Problem, Rule, SetValue, Severity
from nixcfg.rules.config import Config, Deployment
from nixcfg.yamltext.source import Map

SAME_DEPLOYMENT = Rule(
    "NX406",
    Severity.ERROR,
    "two entries are the same deployment",
    explanation=(
        "LiteLLM derives a deployment's id from its name and parameters, so two entries that are "
        "equal in all of them share one id: cooldowns and counters of the one hit the other, and "
        "nothing is gained."
    ),
    bad="""\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
  - model_name: gpt-4o
#   ^^^^^^^^^^
    litellm_params:
      model: openai/gpt-4o
""",
    good="""\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
  - model_name: gpt-4o-mini
    litellm_params:
      model: openai/gpt-4o-mini
""",
    source="run: both deployments have one model_info.id",
    alone=Severity.WARNING,
)

SAME_ID = Rule(
    "NX407",
    Severity.ERROR,
    "two deployments have one id",
    explanation=(
        "model_info.id names a deployment for cooldowns, counters and requests by id. LiteLLM "
        "takes the same id twice without a word; one of the two can then not be reached by it."
    ),
    bad="""\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
    model_info: {id: one}
  - model_name: gpt-4o-mini
    litellm_params:
      model: openai/gpt-4o-mini
    model_info: {id: one}
#                    ^^^
""",
    good="""\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
    model_info: {id: one}
  - model_name: gpt-4o-mini
    litellm_params:
      model: openai/gpt-4o-mini
    model_info: {id: two}
""",
    source="run: both are listed with one id",
    alone=Severity.WARNING,
)

GROUP = Rule(
    "NX408",
    Severity.NOTE,
    "several deployments share a name, and take turns",
    explanation=(
        "LiteLLM balances requests for a name over all deployments that have it, by weight, rpm "
        "or tpm, else evenly. That is how a load-balancing group is written; by accident it sends "
        "some requests to another vendor."
    ),
    bad="""\
model_list:
  - model_name: smart
    litellm_params:
      model: openai/gpt-4o
  - model_name: smart
#               ^^^^^
    litellm_params:
      model: anthropic/claude-sonnet-4-5
""",
    good="""\
model_list:
  - model_name: smart
    litellm_params:
      model: openai/gpt-4o
  - model_name: smarter
    litellm_params:
      model: anthropic/claude-sonnet-4-5
""",
    source="run: requests alternate between the two",
)

SPACES = Rule(
    "NX409",
    Severity.WARNING,
    "a name with spaces around it",
    explanation=(
        "LiteLLM compares names letter by letter: clients would have to ask for the name with its "
        "spaces, and a vendor does not know a model whose name has them."
    ),
    bad="""\
model_list:
  - model_name: "gpt-4o "
#               ^^^^^^^^^
    litellm_params:
      model: openai/gpt-4o
""",
    good="""\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
""",
    source="run: /v1/models lists the name with its space",
)

WILDCARD = Rule(
    "NX410",
    Severity.ERROR,
    "a wildcard that nothing fills in",
    explanation=(
        "A * in litellm_params.model is replaced by what the * in model_name stood for. Without "
        "one there the vendor is asked for a model that is called *; with more of them LiteLLM "
        "gives up replacing and sends the client's name as it came."
    ),
    bad="""\
model_list:
  - model_name: gpt
    litellm_params:
      model: openai/*
#            ^^^^^^^^
""",
    good="""\
model_list:
  - model_name: openai/*
    litellm_params:
      model: openai/*
""",
    source="source: pattern_match_deployments.py, set_deployment_model_name",
    alone=Severity.WARNING,
)


def check(config: Config) -> Iterator[Problem]:
    """The names and ids in a model_list."""
    for deployment in config.deployments:
        yield from _names(config, deployment)
    yield from _groups(config)
    yield from _ids(config)


def _names(config: Config, deployment: Deployment) -> Iterator[Problem]:
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
                    f"{name} stands here twice with the same parameters",
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
