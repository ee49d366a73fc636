"""Deployments: which of them LiteLLM would load."""

from collections.abc import Iterator

from nixcfg import knowledge, shape
from nixcfg.model import MODELS, Provider
from nixcfg.problem import START, Problem, Rule, Severity

NO_MODELS = Rule("NX401", Severity.ERROR, "a provider file offers no model")
UNKNOWN_PROVIDER = Rule("NX402", Severity.ERROR, "LiteLLM knows no such provider")


def check(provider: Provider) -> Iterator[Problem]:
    """What LiteLLM would do with the deployments of one file."""
    document = provider.document
    if not provider.deployments:
        yield document.problem_at(
            NO_MODELS,
            document.span((MODELS,), key=True) if MODELS in document.data else START,
            "model_list has no entry, so this provider offers nothing",
            help="Add a model, or delete the file.",
        )
    for index, entry in enumerate(provider.deployments):
        params = entry["litellm_params"]
        given = params.get("custom_llm_provider"), params.get("api_base")
        found, _ = knowledge.split_model(params["model"], *given)
        if found is None and "*" not in params["model"]:
            prefix, slash, rest = params["model"].partition("/")
            guess = shape.nearest(prefix, knowledge.providers()) if slash else ""
            yield document.problem(
                UNKNOWN_PROVIDER,
                (MODELS, index, "litellm_params", "model"),
                f"LiteLLM would drop this deployment in silence: no provider for {params['model']}",
                help=f"Did you mean {guess}/{rest}?"
                if guess
                else "Write provider/model, for example openai/gpt-4o.",
            )
