"""The rules by which LiteLLM finds the provider of a model name."""

import ast
import inspect
import re
from collections.abc import Mapping
from typing import Any

from learn.models import resolve
from learn.package import constant


def routing(  # noqa: C901 - one pass over the names finds all rules
    names: frozenset[str], verdicts: Mapping[str, list[str] | None]
) -> dict[str, Any]:
    """The rules by which a model name finds its provider, beside the plain prefix."""
    import litellm
    from litellm.llms.bedrock.common_utils import AmazonBedrockGlobalConfig

    regions = frozenset(AmazonBedrockGlobalConfig().get_all_regions())
    keeps, keeps_own, drops_region, shapes = [], [], [], {}
    for name in sorted(names):
        sample = f"{name}/nixcfg/probe"
        if resolve(sample) is None:
            shapes[name], sample = shape_of(name)
        if resolve(sample) == [name, sample]:
            keeps.append(name)
        if resolve(f"{name}/probe", name) == [name, f"{name}/probe"]:
            keeps_own.append(name)
        if resolve(f"{name}/{min(regions)}/probe") == [name, "probe"]:
            drops_region.append(name)
    keeps_own = [name for name in keeps_own if name not in keeps]
    renamed: dict[str, list[str | None]] = {}
    undeclared: set[str] = set()
    for model, verdict in sorted(verdicts.items()):
        prefix, slash, rest = model.partition("/")
        if slash and prefix in names:
            if prefix in drops_region and rest.partition("/")[0] in regions:
                rest = rest.partition("/")[2]
            plain = [prefix, model if prefix in keeps else rest]
            if verdict != plain:
                renamed[model] = [*verdict] if verdict else [None, model]
                if resolve(rest, prefix) != verdict:
                    undeclared.add(prefix)
    endpoints = []
    for endpoint in litellm.openai_compatible_endpoints:
        base = endpoint if "://" in endpoint else f"https://{endpoint}"
        verdict = resolve("nixcfg-probe", None, base)
        if verdict is not None:
            endpoints.append([endpoint, verdict[0]])
    return {
        "drops_region": drops_region,
        "endpoints": endpoints,
        "keeps_own_prefix": keeps_own,
        "keeps_prefix": keeps,
        "patterns": patterns(),
        "regions": sorted(regions),
        "renamed": renamed,
        "renamed_in_name_only": sorted(undeclared),
        "shapes": shapes,
    }


def shape_of(name: str) -> tuple[str, str]:
    """The form a provider demands of its model names, from the message that refuses another.

    As a regular expression, with a sample that fits.
    """
    import litellm

    try:
        litellm.get_llm_provider(f"{name}/nixcfg")
    except litellm.BadRequestError as refusal:
        forms = str(refusal).partition("Expected format: ")[2].partition("\n")[0].split(" or ")
    expression = "|".join(
        "/".join(".*" if part[0] == "{" else re.escape(part) for part in form.strip().split("/"))
        for form in forms
    )
    sample = re.sub(r"{(\w+)}", r"\1", forms[0].strip())
    if resolve(sample) is None or not re.fullmatch(expression, sample):
        raise SystemExit(f"cannot tell what {name} demands of a model name: {forms}")
    return expression, sample


def patterns() -> list[list[str]]:
    """Regular expressions for bare names that are in no list, in LiteLLM's order."""
    from litellm.constants import REPLICATE_MODEL_NAME_WITH_ID_LENGTH as SIZE
    from litellm.litellm_core_utils import (
        fallback_generalizations,
        get_llm_provider_logic,
    )

    found: list[list[str]] = []
    tree = ast.parse(inspect.getsource(get_llm_provider_logic.get_llm_provider))
    for branch in ast.walk(tree):
        if not isinstance(branch, ast.If):
            continue
        names = [
            constant(node.value)
            for node in branch.body
            if isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "custom_llm_provider"
        ]
        if len(names) != 1 or names[0] is None:
            continue
        tests = branch.test.values if isinstance(branch.test, ast.BoolOp) else [branch.test]
        found += [[rule, names[0]] for test in tests if (rule := pattern_of(test))]
    # A colon, then a version id of this length: the one rule that is code rather than a test.
    found.append([rf"^[^:]*:[^:]{{{SIZE}}}(?::|$)", "replicate"])
    rules = fallback_generalizations._registry.routing_rules  # noqa: SLF001
    found += [[f"(?i:{rule.pattern.pattern})", rule.provider] for rule in rules]
    return [rule for number, rule in enumerate(found) if rule not in found[:number]]


def pattern_of(test: ast.expr) -> str | None:
    """``"x" in model``, ``model == "x"`` and ``model.startswith("x")`` as regular expressions."""
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In):
        text = constant(test.left)
        right = ast.unparse(test.comparators[0])
        return re.escape(text) if text and right == "model" else None
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq):
        text = constant(test.comparators[0])
        return f"^{re.escape(text)}$" if text and ast.unparse(test.left) == "model" else None
    if isinstance(test, ast.Call) and ast.unparse(test.func) == "model.startswith":
        text = constant(test.args[0])
        return f"^{re.escape(text)}" if text and not text.endswith("/") else None
    return None
