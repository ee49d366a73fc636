"""LiteLLM's catalogue of models, and its verdict on each name."""

import ast
import inspect
from typing import Any

COLUMNS = (
    "mode",
    "max_input_tokens",
    "max_output_tokens",
    "input_cost_per_token",
    "output_cost_per_token",
    "deprecation_date",
)


def resolve(model: str, provider: str | None = None, base: str | None = None) -> list[str] | None:
    """What litellm.get_llm_provider says: [provider, name], None where it refuses."""
    import litellm
    from litellm.constants import (
        PROVIDERS_THAT_AUTHENTICATE_ON_PROVIDER_INFO as ASKING,
    )

    prefix, slash, rest = model.partition("/")
    if (provider or (prefix if slash else None)) in ASKING:
        # Asking LiteLLM would start a device login; its answer is the declaration itself.
        return [prefix, rest] if slash and provider in (None, prefix) else [str(provider), model]
    try:
        name, found, _, _ = litellm.get_llm_provider(model, provider, base)
    except litellm.BadRequestError:
        return None
    return [found, name]


def models(names: frozenset[str]) -> tuple[dict[str, Any], dict[str, list[str] | None]]:
    """The catalogue, and LiteLLM's verdict on each name that it mentions."""
    import litellm

    verdicts: dict[str, list[str] | None] = {}
    catalogue: dict[str, dict[str, list[Any]]] = {}
    # Longer keys last: `openai/gpt-4o` may correct what the bare `gpt-4o` said, never the reverse.
    for key in sorted(litellm.model_cost, key=lambda name: (name.count("/"), name)):
        facts = litellm.model_cost[key]
        if key == "sample_spec" or not isinstance(facts, dict):
            continue
        verdicts[key] = resolve(key)
        owner = facts.get("litellm_provider") or ""
        provider, name = verdicts[key] or (owner, key)
        if not same_vendor(owner, provider):
            provider, name = owner, key.removeprefix(owner + "/")
        if provider in names:
            row = [facts.get(column) for column in COLUMNS]
            catalogue.setdefault(provider, {})[name] = row
    for name in sorted(mentioned_models() | crossed_models(names)):
        if name not in verdicts:
            verdicts[name] = resolve(name)
    bare = {
        name: verdict[0]
        for name, verdict in verdicts.items()
        if verdict is not None and name.partition("/")[0] not in names and verdict[1] == name
    }
    found = {"columns": list(COLUMNS), "bare": bare, "models": catalogue, "regions": regions()}
    return found, verdicts


def regions() -> dict[str, list[str]]:
    """The regions of the models that LiteLLM asks for nowhere else, by name on Vertex AI."""
    import litellm
    from litellm.llms.vertex_ai.vertex_llm_base import VertexBase

    prefix, elsewhere = "vertex_ai/", "nixcfg-region"
    return {
        name.removeprefix(prefix): facts["supported_regions"]
        for name, facts in sorted(litellm.model_cost.items())
        if name.startswith(prefix) and facts.get("supported_regions")
        if VertexBase.get_vertex_region(elsewhere, name.removeprefix(prefix)) != elsewhere
    }


def mentioned_models() -> set[str]:
    """Names in the module's own lists, a few of which are in no catalogue."""
    import litellm

    found = set(litellm.model_list_set)
    for name, value in vars(litellm).items():
        if name.endswith("_models") and isinstance(value, (set, list)):
            found |= {model for model in value if isinstance(model, str)}
    return found


def crossed_models(names: frozenset[str]) -> set[str]:
    """Any prefix before any model of the lists that the helpers of get_llm_provider look into.

    ``azure/command-r-plus`` goes to openai, ``cohere/command-r-plus`` to cohere_chat.
    """
    import litellm
    from litellm.litellm_core_utils import get_llm_provider_logic as logic

    tree = ast.parse(inspect.getsource(logic))
    tails: set[str] = set()
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name != "get_llm_provider":
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and node.attr.endswith("_models"):
                    models = getattr(litellm, node.attr)
                    tails |= {model.rpartition("/")[2] for model in models}
    return {f"{prefix}/{tail}" for prefix in names for tail in tails}


def same_vendor(owner: str, provider: str) -> bool:
    """Whether LiteLLM prices this provider's models with the entries of that owner."""
    from litellm.utils import _check_provider_match

    return bool(_check_provider_match({"litellm_provider": owner}, provider))
